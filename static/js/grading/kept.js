// What is kept on this computer until the server has acknowledged it: one key per person, reading and kind, so that
// two tabs do not overwrite each other's work, and nobody sends another person's.

const PREFIX = "medgen.kept";

export class Kept {
  constructor(user, storage = window.localStorage) {
    Object.assign(this, { prefix: `${PREFIX}.${user}.`, storage, full: false });
  }
  #key(entry) { return `${this.prefix}${entry.kind}.${entry.reading}`; }

  all() {
    const list = [];
    for (let i = 0; i < this.storage.length; i++) {
      const key = this.storage.key(i);
      if (!key.startsWith(this.prefix)) continue;
      try {
        list.push(JSON.parse(this.storage.getItem(key)));
      } catch {
        this.storage.removeItem(key); // half-written by a crash: not JSON, nothing to save
      }
    }
    return list;
  }
  put(entry) {
    try {
      this.storage.setItem(this.#key(entry), JSON.stringify(entry));
      this.full = false;
    } catch {
      this.full = true;
    }
  }
  /** Forget an entry, unless another tab has put a newer one in its place. */
  drop(entry) {
    const text = this.storage.getItem(this.#key(entry));
    if (text && JSON.parse(text).id === entry.id) this.storage.removeItem(this.#key(entry));
  }
}
