// Readings kept for hours without a network: what the server sent of each, and its images, in a database of one
// person. They are this person's own, blind as the server sent them, and not encrypted.
import { answerOf, databaseNames, openDatabase, transact } from "./local_store.js";

const VERSION = 1;
const HEAD = "medgen.offline.";
const SHELL = "medgen-shell-";

/** Ids of the people whose readings are kept in this browser: one, unless something was left half done. */
export async function owners() {
  return (await databaseNames()).filter((name) => name.startsWith(HEAD)).map((name) => name.slice(HEAD.length));
}

export class OfflineStore {
  /** @param person `{ id, name }` */
  constructor(person) { Object.assign(this, { person, database: null, known: new Set(), any: false }); }

  async #open() {
    this.database ??= await openDatabase(HEAD + this.person.id, VERSION, (database) => {
      database.createObjectStore("readings", { keyPath: "self" });
      database.createObjectStore("files", { keyPath: "url" });
    });
    return this.database;
  }
  async #run(mode, act) { return transact(await this.#open(), ["readings", "files"], mode, act); }

  /** Learn what is kept; nothing is opened for a person who keeps nothing. */
  async start() {
    if (!(await owners()).includes(this.person.id)) return this;
    this.any = true;
    const keys = await this.#run("readonly", ({ files }) => answerOf(files.store.getAllKeys()));
    this.known = new Set(keys);
    return this;
  }
  /** @param files `[{ url, blob }]` */
  async put({ reading, bytes, files: list }) {
    this.any = true;
    await this.#run("readwrite", async ({ readings, files }) => {
      const urls = list.map(({ url }) => url);
      const kept_at = new Date().toISOString();
      await readings.put({ self: reading.urls.self, reading, bytes, urls, kept_at, person: this.person });
      for (const file of list) await files.put(file);
    });
    for (const { url } of list) this.known.add(url);
  }
  /** What is kept, by position. */
  async all() {
    if (!this.any) return [];
    const rows = await this.#run("readonly", ({ readings }) => readings.all());
    return rows.sort((a, b) => a.reading.position - b.reading.position);
  }
  async get(self) { return this.any ? (await this.#run("readonly", ({ readings }) => readings.get(self))) ?? null : null; }
  async file(url) {
    if (!this.known.has(url)) return null;
    return (await this.#run("readonly", ({ files }) => files.get(url)))?.blob ?? null;
  }
  async update(self, reading) {
    await this.#run("readwrite", async ({ readings }) => {
      const row = await readings.get(self);
      if (row) await readings.put({ ...row, reading });
    });
  }
  async remove(self) {
    await this.#run("readwrite", async ({ readings, files }) => {
      const row = await readings.get(self);
      for (const url of row?.urls ?? []) {
        await files.delete(url);
        this.known.delete(url);
      }
      await readings.delete(self);
    });
  }
  async clear() {
    this.database?.close();
    Object.assign(this, { database: null, any: false });
    this.known.clear();
    await clearOffline();
  }
}

/** Remove every kept reading of this browser, whoever kept it, and the page that opens without a network. */
export async function clearOffline() {
  const kept = await owners();
  if (!kept.length) return;
  for (const id of kept) {
    await new Promise((resolve) => {
      const request = indexedDB.deleteDatabase(HEAD + id);
      request.onsuccess = resolve;
      request.onerror = resolve;
      request.onblocked = resolve; // another window holds it open; it goes when that one closes
    });
  }
  if ("serviceWorker" in navigator) {
    for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister();
  }
  if ("caches" in window) {
    for (const key of await caches.keys()) if (key.startsWith(SHELL)) await caches.delete(key);
  }
}
