// Keeping the next readings for hours without a network: measured first, fetched with the reader's word, looked
// after while there is a network, removed when they are done or no longer theirs.
import { lookFirst } from "../viewer/stack.js";
import { getJson } from "./server.js";

export const LEAST = 5;
export const MOST = 50;
const ROOM = 1.2; // of the free space that is asked for, so that the browser does not clear at once

const bytesOf = (header) => header.offsets?.at(-1) ?? 0;

export class Offline {
  /** @param worker address of the script that shows the page without a network, @param queue whose grades are done */
  constructor({ store, person, worker }) {
    Object.assign(this, { store, person, worker });
    lookFirst((url) => store.file(url));
  }

  /** What keeping `n` readings from an address on would take: readings, headers and bytes. */
  async plan(url, n, { isDone = () => false, onstep = () => {}, signal } = {}) {
    const found = [];
    const seen = new Set();
    for (let next = url; next && found.length < n && !seen.has(next); ) {
      seen.add(next);
      const { kind, data: reading } = await getJson(next, { person: this.person.id });
      if (kind !== "ok") throw new Error(kind === "offline" ? "There is no connection to the server." : "The server does not give the readings now.");
      if (signal?.aborted) return null;
      next = reading.urls.next;
      if (reading.grade || reading.locked_reason || isDone(reading.id)) continue;
      found.push(await this.#measured(reading));
      onstep(found);
    }
    return found;
  }
  async #measured(reading) {
    const panes = [];
    for (const { frames } of reading.panes) {
      if (!frames) continue;
      const { kind, data } = await getJson(frames, { person: this.person.id });
      if (kind !== "ok") throw new Error("An image cannot be had now.");
      panes.push({ url: frames, header: data });
    }
    return { reading, panes, bytes: panes.reduce((sum, { header }) => sum + bytesOf(header), 0) };
  }
  /** Free space for this site in bytes, or null where the browser does not say. */
  async room() {
    const estimate = await navigator.storage?.estimate?.().catch(() => null);
    return estimate?.quota ? Math.max(0, estimate.quota - estimate.usage) : null;
  }
  async fits(plan) {
    const room = await this.room();
    return room === null || plan.reduce((sum, { bytes }) => sum + bytes, 0) * ROOM < room;
  }

  /** Fetch and keep what was planned. @param onstep (done, of) */
  async keep(plan, { onstep = () => {}, signal } = {}) {
    await navigator.storage?.persist?.().catch(() => false);
    await this.#worker();
    for (const [i, { reading, panes, bytes }] of plan.entries()) {
      if (signal?.aborted) return i;
      const files = [];
      for (const { url, header } of panes) {
        const data = new URL(header.data, document.baseURI).pathname;
        const response = await fetch(data, { credentials: "same-origin", signal });
        if (!response.ok) throw new Error(`An image of reading ${reading.position} cannot be had (${response.status}).`);
        files.push({ url, blob: new Blob([JSON.stringify(header)], { type: "application/json" }) });
        files.push({ url: data, blob: await response.blob() });
      }
      await this.store.put({ reading, bytes, files });
      onstep(i + 1, plan.length);
    }
    return plan.length;
  }
  /** The script that shows this page without a network; browsers offer it on https and on this machine only. */
  get canReload() { return "serviceWorker" in navigator; }
  async #worker() {
    if (!this.canReload) return;
    await navigator.serviceWorker.register(this.worker, { scope: "/" });
    await navigator.serviceWorker.ready;
  }

  /** A kept reading at an address, going on to the next kept one that is not done; null when it is not kept. */
  async reading(url, isDone) {
    const row = await this.store.get(url).catch(() => null);
    if (!row) return null;
    const open = (await this.store.all()).map((each) => each.reading).filter((each) => !isDone(each.id));
    const { position } = row.reading;
    const next = open.find((each) => each.position > position) ?? open.find((each) => each.position < position);
    const urls = { ...row.reading.urls, next: next?.urls.self ?? null, next_page: next?.urls.page ?? null };
    return { ...row.reading, urls, kept_at: row.kept_at };
  }
  async first(isDone) {
    const open = (await this.store.all()).find(({ reading }) => !isDone(reading.id));
    return open?.self ?? null;
  }

  /** With a network: what is submitted, closed or no longer theirs leaves this computer; the rest is brought up to date. */
  async lookAfter(isDone) {
    for (const { self, reading } of await this.store.all()) {
      if (isDone(reading.id)) continue; // its grade still waits here
      const { kind, data } = await getJson(self, { person: this.person.id });
      if (kind === "ok" && !data.grade && !data.locked_reason) await this.store.update(self, data);
      else if (kind === "ok" || kind === "refused") await this.store.remove(self);
      else return;
    }
    if (this.store.any && !(await this.store.all()).length) await this.store.clear();
  }
}
