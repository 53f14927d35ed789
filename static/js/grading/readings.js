// Readings: their JSON by address, fetched ahead. An older answer is fetched again, because a study may have been
// paused or a draft saved elsewhere since.
import { getJson } from "./server.js";

const FRESH_MS = 5 * 60_000;
const AHEAD = 2; // readings

export class ReadingError extends Error {}

const REASONS = {
  "signed-out": "You are signed out. Sign in again in another tab, then try again.",
  offline: "There is no connection to the server.",
  refused: "This reading is not there, or not yours.",
};

export class Readings {
  constructor(store) {
    this.store = store; // of images
    this.answers = new Map(); // url -> { at, promise }
  }

  async #fetch(url) {
    const { kind, data, status } = await getJson(url);
    if (kind === "ok") return data;
    throw new ReadingError(REASONS[kind] ?? `The server could not answer (${status}).`);
  }
  get(url, { fresh = false } = {}) {
    const known = this.answers.get(url);
    if (known && !fresh && Date.now() - known.at < FRESH_MS) return known.promise;
    const promise = this.#fetch(url).catch((error) => {
      this.answers.delete(url);
      throw error;
    });
    this.answers.set(url, { at: Date.now(), promise });
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
