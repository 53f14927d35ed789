// Readings: their JSON by address, fetched ahead. An older answer is fetched again, because a study may have been
// paused or a draft saved elsewhere since. Without a network, a reading kept on this computer stands in.
import { getJson } from "./server.js";

const FRESH_MS = 5 * 60_000;
const AHEAD = 2; // readings
const KEPT_PATIENCE_MS = 6000; // how long the network is waited for when the reading is kept here anyway

export class ReadingError extends Error {}

const REASONS = {
  "signed-out": "You are signed out. Sign in again below or in another tab, then try again.",
  "other-person": "Another person is signed in in this browser. Sign them out, then sign in again.",
  offline: "There is no connection to the server.",
  refused: "This reading is not there, or not yours.",
};
const AWAY = ["offline", "signed-out", "other-person", "trouble"];

export class Readings {
  /** @param store of images, @param offline readings kept on this computer, @param isDone (id): graded, maybe unsent */
  constructor(store, { offline, person, isDone }) {
    Object.assign(this, { store, offline, person, isDone });
    this.answers = new Map(); // url -> { at, promise }
  }

  async #fetch(url) {
    const here = this.offline.store.any ? await this.offline.reading(url, this.isDone) : null;
    const { kind, data, status } = await getJson(url, { person: this.person.id, ...(here && { ms: KEPT_PATIENCE_MS }) });
    if (kind === "ok") return data;
    if (here && AWAY.includes(kind)) return here;
    const why = data?.error ?? REASONS[kind] ?? `The server could not answer (${status}).`;
    throw new ReadingError(why);
  }
  get(url, { fresh = false } = {}) {
    const known = this.answers.get(url);
    if (known && !fresh && performance.now() - known.at < FRESH_MS) return known.promise;
    const promise = this.#fetch(url).catch((error) => {
      this.answers.delete(url);
      throw error;
    });
    this.answers.set(url, { at: performance.now(), promise });
    return promise;
  }
  forget(url) { this.answers.delete(url); }

  /** Fetch the next readings and their images, one after the other; `current()` says whether it is still wanted. */
  async prefetch(reading, current) {
    let url = reading.urls.next;
    try {
      for (let i = 0; i < AHEAD && url && current(); i++) {
        const next = await this.get(url);
        await this.store.prefetch(next.panes.map((pane) => pane.frames).filter(Boolean));
        url = next.urls.next;
      }
    } catch {
      return; // what could not be fetched ahead is fetched, and its failure shown, when it is opened
    }
  }
}
