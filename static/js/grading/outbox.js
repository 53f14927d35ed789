// The outbox: what waits to be sent, in the order it was entered. Every act here is one transaction, so that two
// windows of one person never see an entry half changed; order is the entries' number, never a clock.
//
// An entry: { n, id, kind, reading, url, payload, client_id, revision, base_revision, after, tried, hold, refused … }.
// `after` is the number of the entry it was built upon, as long as that one waits; `tried` entries may have reached
// the server and are never changed; `refused` ones wait for the reader.

export class Outbox {
  /** @param lesser () a store that still takes something when this one is full, @param makeRoom () frees space */
  constructor(store, { lesser = null, makeRoom = async () => {} } = {}) {
    Object.assign(this, { store, lesser, makeRoom, full: false, behind: null });
  }
  /** Where entries are kept now: database, page or memory. */
  get kind() { return this.store.kind; }

  entries() { return this.store.run("readonly", ({ entries }) => entries.all()); }

  /** Write; when the store takes nothing more, make room, then go on in a lesser store with what this one holds. */
  async #write(act) {
    try {
      return await this.#written(act);
    } catch (error) {
      if (!this.lesser || this.kind === "memory") throw error;
    }
    await this.makeRoom();
    try {
      return await this.#written(act);
    } catch {
      await this.#stepDown();
      return this.#write(act);
    }
  }
  async #written(act) {
    const value = await this.store.run("readwrite", act);
    if (this.behind) await this.#tidyBehind();
    return value;
  }
  async #stepDown() {
    const rows = await this.store.run("readonly", async ({ entries, acks, works }) => (
      { entries: await entries.all(), acks: await acks.all(), works: await works.all() }));
    const next = this.lesser(this.kind);
    const copy = async (stores) => {
      for (const [name, list] of Object.entries(rows)) for (const row of list) await stores[name].put(row);
    };
    try {
      await next.run("readwrite", copy);
      Object.assign(this, { behind: this.behind ?? this.store, store: next, full: true });
    } catch {
      const memory = this.lesser("page");
      await memory.run("readwrite", copy);
      Object.assign(this, { behind: this.behind ?? this.store, store: memory, full: true });
    }
  }
  /** What is done with here leaves the full store too, so that it is not sent again from there. */
  async #tidyBehind() {
    try {
      const here = new Set((await this.entries()).map(({ id }) => id));
      await this.behind.run("readwrite", async ({ entries }) => {
        for (const { n, id } of await entries.all()) if (!here.has(id)) await entries.delete(n);
      });
    } catch {
      this.behind = null; // it cannot even be emptied: sending twice changes nothing
    }
  }

  /** Keep a draft in the place of the untried one it grew from. @param base `{ n, revision, known }` of what it was built upon */
  draft(entry, base) {
    return this.#write(async (stores) => {
      const all = await stores.entries.all();
      const whole = await this.#placed(stores, all, entry, base);
      const old = base.n === null ? null : all.find(({ n }) => n === base.n);
      if (old && merges(old, entry)) {
        whole.changes += old.changes;
        whole.active_ms += old.active_ms;
        whole.idle_ms += old.idle_ms;
        whole.kept_at = old.kept_at;
        Object.assign(whole, { after: old.after, base_revision: old.base_revision });
        await stores.entries.delete(old.n);
      }
      const last = await stores.acks.get(entry.reading);
      const known = all.filter(({ reading }) => reading === entry.reading).map(({ revision }) => revision ?? 0);
      whole.revision = 1 + Math.max(whole.base_revision, base.revision, last?.revision ?? 0, ...known);
      const n = await stores.entries.add(whole);
      return { ...whole, n };
    });
  }
  /** Keep a grade or a skip; it carries what an untried draft of the same window would have said. */
  act(entry, base) {
    return this.#write(async (stores) => {
      const all = await stores.entries.all();
      const whole = await this.#placed(stores, all, entry, base);
      const old = base.n === null ? null : all.find(({ n }) => n === base.n);
      if (old && entry.kind === "submit" && merges(old, entry)) {
        whole.active_ms += old.active_ms;
        whole.idle_ms += old.idle_ms;
        Object.assign(whole, { after: old.after, base_revision: old.base_revision });
        await stores.entries.delete(old.n);
      }
      const n = await stores.entries.add(whole);
      return { ...whole, n };
    });
  }
  /** An entry with what it is built upon: a waiting entry, or what the server acknowledged of it meanwhile. */
  async #placed({ acks }, all, entry, base) {
    const whole = { ...entry, after: null, base_revision: base.known, tried: false, refused: null };
    if (base.n === null) return whole;
    if (all.some(({ n }) => n === base.n)) return { ...whole, after: base.n };
    const ack = await acks.get(entry.reading);
    return ack && ack.n === base.n ? { ...whole, base_revision: ack.revision } : whole;
  }

  /** Keep an entry that is built upon nothing. */
  alone(entry) {
    return this.#write(async ({ entries }) => {
      const whole = { ...entry, after: null, tried: false, refused: null };
      const n = await entries.add(whole);
      return { ...whole, n };
    });
  }

  /** Mark an entry before it is sent; the entry as it is now, or null when it is gone. */
  take(n) {
    return this.#write(async ({ entries }) => {
      const entry = await entries.get(n);
      if (!entry || entry.refused) return null;
      const taken = { ...entry, tried: true, hold: false };
      await entries.put(taken);
      return taken;
    });
  }
  /** The server has it: forget it, and let what was built upon it know its number. */
  acknowledge(entry, revision = null) {
    return this.#write(async ({ entries, acks }) => {
      await entries.delete(entry.n);
      if (revision === null) return;
      await acks.put({ reading: entry.reading, n: entry.n, revision });
      let least = revision;
      for (const each of await entries.all()) {
        if (each.reading !== entry.reading) continue;
        const built = each.after === entry.n;
        const after = built ? null : each.after;
        const base_revision = built ? revision : each.base_revision;
        const own = each.kind === "draft" && !each.tried && (built || each.client_id === entry.client_id);
        if (own) least = Math.max(each.revision, least + 1);
        if (built || own) await entries.put({ ...each, after, base_revision, ...(own && { revision: least }) });
      }
    });
  }
  change(n, values) {
    return this.#write(async ({ entries }) => {
      const entry = await entries.get(n);
      if (!entry) return null;
      const changed = { ...entry, ...values };
      await entries.put(changed);
      return changed;
    });
  }
  /** Take an entry back that surely has not been sent; null when it may have been. */
  withdraw(n) {
    return this.#write(async ({ entries }) => {
      const entry = await entries.get(n);
      if (!entry || entry.tried) return null;
      await entries.delete(n);
      return entry;
    });
  }
  drop(...numbers) {
    return this.#write(async ({ entries }) => {
      for (const n of numbers) await entries.delete(n);
    });
  }
  /** Replace entries of a reading by one. */
  replace(numbers, entry) {
    return this.#write(async ({ entries }) => {
      for (const n of numbers) await entries.delete(n);
      const n = await entries.add(entry);
      return { ...entry, n };
    });
  }
  releaseHeld(numbers) {
    return this.#write(async ({ entries }) => {
      for (const n of numbers) {
        const entry = await entries.get(n);
        if (entry) await entries.put({ ...entry, hold: false });
      }
    });
  }

  // --- other works of this person: begun amendments, what can be undone ---------------------------
  remember(key, value) { return this.#write(({ works }) => works.put({ key, value })); }
  async recall(key) { return (await this.store.run("readonly", ({ works }) => works.get(key)))?.value ?? null; }
  forget(key) { return this.#write(({ works }) => works.delete(key)); }

  /** A lease for browsers without locks: true when this window may send now. */
  lease(window, ms) {
    return this.#write(async ({ works }) => {
      const now = Date.now();
      const held = (await works.get("sender"))?.value;
      const left = held ? held.until - now : 0;
      if (held && held.window !== window && left > 0 && left <= 2 * ms) return false; // else a clock was turned
      await works.put({ key: "sender", value: { window, until: now + ms } });
      return true;
    });
  }
}

/** Whether the old draft surely is not at the server, so that the new entry stands for both. */
function merges(old, entry) {
  if (old.kind !== "draft") return false;
  return old.refused ? old.refused.kind === "refused" : !old.tried && old.client_id === entry.client_id;
}

/** Whether an entry settles a reading: it is graded or skipped, not only begun or guessed about. */
export const settles = ({ kind }) => kind === "submit" || kind === "skip";

/** What the windows of a person tell each other about an entry that was sent; a payload only where two versions were settled. */
export function told({ n, kind, reading, resolves, client_id, payload }) {
  return { n, kind, reading, resolves, client_id, ...(resolves && { payload }) };
}

/** Entries that can go now: in order, none before what it was built upon, none past one that waits for the reader. */
export function sendable(entries) {
  const stuck = new Set();
  const closed = new Set();
  const list = [];
  for (const entry of entries) {
    const line = `${entry.reading} ${entry.kind === "guess" ? "guess" : entry.client_id}`; // a guess holds nothing else up
    if (entry.refused || stuck.has(entry.after) || closed.has(line)) {
      stuck.add(entry.n);
      closed.add(line);
    } else list.push(entry);
  }
  return list;
}
