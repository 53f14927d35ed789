// Undo and redo of what was entered in this reading; kept on this computer too, so that both work after a reload.
import { canonical } from "./same.js";

const DEPTH = 200;
const KEPT = 60; // steps that are kept for the next load
const PAUSE_MS = 500;

export class History {
  /** @param shelf `{ remember(key, value), recall(key) }` or null, where nothing is kept */
  constructor(shelf = null) {
    this.shelf = shelf;
    this.clear();
    window.addEventListener("pagehide", () => this.#keep());
  }
  clear() { Object.assign(this, { past: [], future: [], key: null, now: null, dirty: false }); }

  /** Begin a reading: what was entered before the last load can be undone when `now` is what it led to. */
  async begin(reading, now) {
    this.#keep();
    this.clear();
    this.key = this.shelf && reading ? `history.${reading}` : null;
    if (!this.key) return;
    const { key } = this;
    const kept = await this.shelf.recall(key).catch(() => null);
    if (!kept || this.key !== key || this.dirty || kept.now !== canonical(now)) return;
    Object.assign(this, { past: kept.past, future: kept.future });
  }
  remember(state) {
    this.past.push(structuredClone(state));
    this.future = [];
    if (this.past.length > DEPTH) this.past.shift();
    this.dirty = true;
  }
  get empty() { return !this.past.length; }
  undo(state) { return this.#move(this.past, this.future, state); }
  redo(state) { return this.#move(this.future, this.past, state); }
  #move(from, to, state) {
    if (!from.length) return null;
    to.push(structuredClone(state));
    this.dirty = true;
    return from.pop();
  }
  /** Keep the steps; @param grades as they are after the last one */
  keep(grades) {
    if (!this.key) return;
    this.now = canonical(grades);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#keep(), PAUSE_MS);
  }
  #keep() {
    clearTimeout(this.timer);
    if (!this.key || !this.dirty || !this.now) return;
    const { past, future, now } = this;
    this.dirty = false;
    this.shelf.remember(this.key, { past: past.slice(-KEPT), future: future.slice(-KEPT), now })
      .catch(() => { this.dirty = true; });
  }
}
