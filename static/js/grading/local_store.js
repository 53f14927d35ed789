// What is kept on this computer: a small database of one person. IndexedDB where the browser has it; else its page
// store; else the memory of this window, and then the window must not be closed. All three take the same acts: a
// function over the stores, done as a whole or not at all.

const STORES = { entries: { keyPath: "n", autoIncrement: true }, acks: { keyPath: "reading" }, works: { keyPath: "key" } };
const VERSION = 1;
const OPEN_MS = 4000;

export const answerOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Open a database of this browser. @param make (database) creates its stores */
export function openDatabase(name, version, make) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    const timer = setTimeout(() => reject(new Error("the browser’s database does not open")), OPEN_MS);
    request.onupgradeneeded = () => make(request.result);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      clearTimeout(timer);
      mark(name);
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
  });
}

/** Run an act over stores of a database; resolves when the transaction is complete on the disk. */
export async function transact(database, names, mode, act) {
  const transaction = database.transaction(names, mode, { durability: "strict" });
  const finished = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("not kept"));
  });
  finished.catch(() => {}); // told below
  let value;
  try {
    value = await act(Object.fromEntries(names.map((name) => [name, new Shelf(transaction.objectStore(name))])));
    transaction.commit?.();
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // it has ended by itself, for the same reason
    }
    throw error;
  }
  await finished;
  return value;
}

/** One object store with promises. */
class Shelf {
  constructor(store) { this.store = store; }
  get(key) { return answerOf(this.store.get(key)); }
  all() { return answerOf(this.store.getAll()); }
  put(value) { return answerOf(this.store.put(value)); }
  add(value) { return answerOf(this.store.add(value)); }
  delete(key) { return answerOf(this.store.delete(key)); }
}

export const databaseName = (user) => `medgen.queue.${user}`;
const MARKS = "medgen.databases"; // for browsers that do not name their databases

/** Names of the databases of this browser; asked of the database itself, as the page store forgets in a crash. */
export async function databaseNames() {
  try {
    if (indexedDB.databases) return (await indexedDB.databases()).map(({ name }) => name);
    return JSON.parse(pageStorage()?.getItem(MARKS) ?? "[]");
  } catch {
    return []; // no database, or none that can be read
  }
}
function mark(name) {
  try {
    if (indexedDB.databases) return;
    const marks = new Set(JSON.parse(pageStorage()?.getItem(MARKS) ?? "[]"));
    pageStorage()?.setItem(MARKS, JSON.stringify([...marks.add(name)]));
  } catch {
    // nothing can be noted: the workstation itself still finds it
  }
}

class DatabaseStore {
  static async open(user) {
    const make = (database) => {
      for (const [name, options] of Object.entries(STORES)) database.createObjectStore(name, options);
    };
    const open = () => openDatabase(databaseName(user), VERSION, make);
    return new DatabaseStore(await open(), open);
  }
  constructor(database, open) { Object.assign(this, { database, open, kind: "database" }); }
  async run(mode, act) {
    try {
      return await transact(this.database, Object.keys(STORES), mode, act);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      this.database = await this.open(); // the browser had closed it
      return transact(this.database, Object.keys(STORES), mode, act);
    }
  }
}

/** The page store, or memory when `storage` is null. One window does not see another's acts half done: acts queue. */
class PageStore {
  constructor(user, storage) {
    Object.assign(this, { prefix: `medgen.page.${user}.`, storage, kind: storage ? "page" : "memory" });
    this.memory = new Map();
    this.turn = Promise.resolve();
  }
  run(mode, act) {
    const done = this.turn.then(() => this.#act(act));
    this.turn = done.catch(() => {});
    return done;
  }
  async #act(act) {
    const changes = new Map();
    const rows = new Map(this.#rows());
    const value = await act(Object.fromEntries(Object.entries(STORES).map(([name, { keyPath, autoIncrement }]) => {
      const head = `${name}.`;
      const keyOf = (key) => head + key;
      const set = (row) => {
        rows.set(keyOf(row[keyPath]), row);
        changes.set(keyOf(row[keyPath]), row);
        return row[keyPath];
      };
      const list = () => [...rows].filter(([key]) => key.startsWith(head)).map(([, row]) => row);
      return [name, {
        get: async (key) => rows.get(keyOf(key)),
        all: async () => list().sort((a, b) => (a[keyPath] < b[keyPath] ? -1 : 1)),
        put: async (row) => set(row),
        // a fraction keeps two windows that add at the same moment apart
        add: async (row) => set(autoIncrement
          ? { ...row, [keyPath]: Math.floor(Math.max(0, ...list().map((each) => each[keyPath]))) + 1 + Math.random() / 2 }
          : row),
        delete: async (key) => {
          rows.delete(keyOf(key));
          changes.set(keyOf(key), null);
        },
      }];
    })));
    for (const [key, row] of changes) this.#write(key, row);
    return value;
  }
  *#rows() {
    if (!this.storage) {
      for (const [key, text] of this.memory) yield [key, JSON.parse(text)];
      return;
    }
    for (let i = 0; i < this.storage.length; i++) {
      const key = this.storage.key(i);
      if (key.startsWith(this.prefix)) yield [key.slice(this.prefix.length), JSON.parse(this.storage.getItem(key))];
    }
  }
  #write(key, row) {
    if (!this.storage) {
      if (row) this.memory.set(key, JSON.stringify(row));
      else this.memory.delete(key);
    } else if (row) this.storage.setItem(this.prefix + key, JSON.stringify(row));
    else this.storage.removeItem(this.prefix + key);
  }
}

/** The page's storage when it can be written, else null. */
export function pageStorage() {
  try {
    const { localStorage } = window;
    localStorage.setItem("medgen.try", "1");
    localStorage.removeItem("medgen.try");
    return localStorage;
  } catch {
    return null;
  }
}

/** The next best store after one of this kind. */
export const lesserStore = (user, kind) => new PageStore(user, kind === "database" ? pageStorage() : null);

/** The best store this browser offers, with what an older one of them still holds. */
export async function openStore(user) {
  const storage = pageStorage();
  let store;
  try {
    store = await DatabaseStore.open(user);
  } catch {
    store = new PageStore(user, storage);
  }
  if (storage) await moveIn(user, storage, store);
  return store;
}

/** Take over what earlier versions, or a time without a database, left in the page store. */
async function moveIn(user, storage, store) {
  const old = `medgen.kept.${user}.`;
  const page = `medgen.page.${user}.entries.`;
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i))
    .filter((key) => key.startsWith(old) || (store.kind === "database" && key.startsWith(page)));
  const rows = keys.map((key) => [key, readable(storage.getItem(key))]);
  if (!rows.length) return;
  rows.sort(([, a], [, b]) => (a?.n ?? 0) - (b?.n ?? 0));
  await store.run("readwrite", async ({ entries, works }) => {
    const known = new Set((await entries.all()).map(({ id }) => id));
    for (const [, row] of rows) {
      if (!row || known.has(row.id)) continue;
      const { n, not_before, ...entry } = row;
      if (entry.kind === "amendment") await works.put({ key: `amendment.${entry.reading}`, value: { payload: entry.payload } });
      else if (entry.kind) await entries.add({ changes: 1, tried: true, ...entry, refused: null, after: null });
    }
  });
  for (const [key] of rows) storage.removeItem(key);
}

function readable(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // half-written by a crash: not JSON, nothing to save
  }
}
