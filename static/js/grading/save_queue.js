// The save queue of one window: every change is kept on this computer first, then sent. What the status line says is
// what the server has acknowledged, never what was hoped for. Windows of one person share the outbox; one sends.
import { settles, told } from "./outbox.js";
import { stateOf } from "./queue_words.js";
import { bodyOf, Sender } from "./sender.js";
import { post, uuid } from "./server.js";
import { SIGNED_IN } from "./sign_again.js";

const DEBOUNCE_MS = 400;
const START_MS = 3000;
const DEBOUNCE_MOST_MS = 2000; // whoever types without a pause is saved too

export class SaveQueue {
  /**
   * @param on `{ state, conflict(entry), refused(entry, data), submitted(entry, data), resolved(entry, data) }`;
   * `resolved`: another window has chosen a version of a reading
   */
  constructor({ outbox, user, again, on }) {
    Object.assign(this, { outbox, user, on, client: uuid(), entries: [], pending: [], lines: new Map(), first: new Map(), acked: new Map() });
    Object.assign(this, { savedAt: null, openSince: null, turn: Promise.resolve(), lost: null });
    this.sender = new Sender({
      outbox, user, again,
      on: {
        change: () => this.#refresh(), // another page may have sent what waited here
        acknowledged: (entry, data) => this.#acknowledged(entry, data),
        conflict: (entry, data) => this.#answered("conflict", entry, data),
        refused: (entry, data) => this.#answered("refused", entry, data),
      },
    });
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(`medgen.queue.${user}`) : null;
    this.channel?.addEventListener("message", ({ data }) => this.#hear(data));
    window.addEventListener(SIGNED_IN, () => {
      this.#tell({ type: "signed-in" });
      this.retry();
    });
    window.addEventListener("offline", () => this.#say());
    window.addEventListener("pagehide", () => this.flushAway());
    window.addEventListener("beforeunload", (event) => { if (this.unkept) event.preventDefault(); });
    setInterval(() => { if (this.open.length) this.#say(); }, 1000);
  }
  /** What an earlier page left is sent before anything is shown, unless the network takes its time. */
  async start() {
    await this.#refresh();
    await Promise.race([this.retry(), new Promise((resolve) => { setTimeout(resolve, START_MS); })]);
  }
  /** Whether something entered here is on no disk and not at the server. */
  get unkept() { return this.pending.length > 0 || (this.outbox.kind === "memory" && this.entries.length > 0); }

  // --- what a reading starts from -----------------------------------------------------------------
  /** Learn what the server holds of a reading; the payload this window goes on from: a waiting one before it. */
  begin(reading) {
    const known = reading.draft?.revision ?? 0;
    this.savedAt ??= reading.draft?.saved_at ?? null;
    const waiting = this.find(reading.id, "draft");
    const line = this.lines.get(reading.id);
    if (waiting) this.#line(reading.id, { n: waiting.n ?? line?.n ?? null, revision: waiting.revision ?? 0, known });
    else this.#line(reading.id, { n: null, revision: Math.max(known, line?.revision ?? 0), known });
    return (waiting ?? this.find(reading.id, "submit"))?.payload ?? reading.draft?.payload ?? null;
  }
  /** Whether the server has acknowledged more of a reading than this answer of it shows. */
  isBehind(reading) { return !reading.grade && (this.acked.get(reading.id) ?? 0) > (reading.draft?.revision ?? 0); }
  #line(reading, values) { this.lines.set(reading, { n: null, revision: 0, known: 0, ...this.lines.get(reading), ...values }); }
  #base(reading) { return this.lines.get(reading) ?? { n: null, revision: 0, known: 0 }; }

  get all() { return [...this.entries, ...this.pending]; }
  find(readingId, kind) {
    return this.all.findLast((entry) => entry.reading === readingId && entry.kind === kind);
  }
  /** Whether a grade or skip of a reading waits to be sent. */
  holding(readingId) {
    return this.all.some((entry) => entry.reading === readingId && settles(entry) && !entry.refused);
  }
  conflictOf(readingId) {
    return this.entries.find((entry) => entry.reading === readingId && entry.refused?.kind === "conflict");
  }

  // --- keeping ------------------------------------------------------------------------------------
  /** Keep a draft; it replaces an unsent one of the same window and reading. */
  draft(reading, payload, times) {
    const entry = this.#entry(reading, "draft", { payload, client_id: this.client, ...times });
    const now = performance.now();
    if (!this.entries.some((each) => each.reading === reading.id && each.kind === "draft" && !each.tried)) {
      this.first.set(reading.id, now);
    }
    const latest = (this.first.get(reading.id) ?? now) + DEBOUNCE_MOST_MS - now;
    this.sender.hold(entry.id, Math.max(0, Math.min(DEBOUNCE_MS, latest)));
    return this.#keep(entry, async () => {
      const kept = await this.outbox.draft(entry, this.#base(reading.id));
      this.#line(reading.id, { n: kept.n, revision: kept.revision });
    });
  }
  /** Keep a grade to be submitted after `hold_ms`; drafts of the reading need not be sent any more. */
  submit(reading, body, hold_ms) {
    const own = { ...body, submit_key: uuid(), client_id: this.client, hold: hold_ms > 0 };
    const entry = this.#entry(reading, "submit", own);
    this.sender.hold(entry.id, hold_ms);
    return this.#keep(entry, async () => {
      const kept = await this.outbox.act(entry, this.#base(reading.id));
      this.#line(reading.id, { n: kept.n });
    });
  }
  skip(reading, { reason, text }) {
    const entry = this.#entry(reading, "skip", { reason, text, client_id: this.client });
    return this.#keep(entry, () => this.outbox.act(entry, this.#base(reading.id)));
  }
  /** Keep what the reader believes made the outputs of a reading. */
  guess(reading, guesses) {
    const entry = this.#entry(reading, "guess", { guesses, client_id: this.client });
    this.sender.hold(entry.id, 0);
    return this.#keep(entry, () => this.outbox.alone(entry));
  }
  #entry({ id, position, study, urls }, kind, values) {
    const { self, page, draft, submit, skip, guess } = urls;
    const url = { draft, submit, skip, guess }[kind];
    return {
      id: uuid(), kind, reading: id, position, study, urls: { self, page, draft, submit, skip, guess }, url, changes: 1,
      kept_at: new Date().toISOString(), made: { page: performance.timeOrigin, at: performance.now(), wall: Date.now() },
      ...values,
    };
  }
  #keep(entry, work) {
    this.pending.push(entry);
    this.#say();
    return this.#act(async () => {
      await work();
      this.pending = this.pending.filter((each) => each !== entry);
    });
  }
  /** Acts on the outbox, one after the other. */
  #act(work) {
    const done = this.turn.then(work);
    this.turn = done.catch((error) => { this.lost = error; }).then(() => this.#refresh()).then(() => {
      this.#tell({ type: "changed" });
      return this.sender.wake();
    });
    return this.turn;
  }
  async #refresh() {
    try {
      this.entries = await this.outbox.entries();
    } catch (error) {
      this.lost = error;
    }
    this.#say();
  }

  // --- holding and taking back --------------------------------------------------------------------
  /** Submissions of this window that can still be taken back, oldest first. */
  get held() {
    return this.all.filter((entry) => (
      entry.kind === "submit" && entry.hold && !entry.tried && this.sender.due.has(entry.id) && this.sender.waits(entry)));
  }
  heldSeconds(entry) { return Math.ceil(this.sender.waits(entry) / 1000); }
  /** Count the time of a submission that is still held anew. */
  holdOn(reading, hold_ms) {
    const entry = this.held.findLast((each) => each.reading === reading.id);
    if (entry) this.sender.hold(entry.id, hold_ms);
  }
  /** Take a held submission back; its entry, or null when it has gone. */
  async withdraw({ id }) {
    await this.turn;
    const stored = this.entries.find((entry) => entry.id === id);
    if (!stored) return null;
    let taken = null;
    await this.#act(async () => { taken = await this.outbox.withdraw(stored.n); });
    this.sender.release(id);
    return taken;
  }
  forget(...entries) { return this.#act(() => this.outbox.drop(...entries.map(({ n }) => n))); }
  /** Send refused entries once more. */
  tryAgain() {
    const refused = this.entries.filter((entry) => entry.refused?.kind === "refused");
    return this.#act(async () => {
      for (const { n, id } of refused) {
        this.sender.hold(id, 0);
        await this.outbox.change(n, { refused: null });
      }
    }).then(() => this.retry());
  }

  // --- sending ------------------------------------------------------------------------------------
  retry() { return this.sender.retry(); }
  async flushNow() {
    await this.turn;
    await this.sender.flushNow();
    await this.turn;
  }
  /** The page is closed: hand what this window wrote to the browser; what it loses is sent by the next page. */
  flushAway() {
    const own = this.all.filter((entry) => (
      entry.client_id === this.client && !entry.refused && entry.id !== this.sender.sending?.id));
    for (const entry of own) {
      this.sender.release(entry.id);
      // a draft gets its number when it is kept
      if (entry.kind !== "draft" || entry.revision) post(entry.url, bodyOf(entry), { person: this.user, keepalive: true });
    }
    const held = this.entries.filter((entry) => entry.hold && entry.client_id === this.client);
    if (held.length) this.outbox.releaseHeld(held.map(({ n }) => n)).catch(() => {}); // else sent some seconds later
  }
  async #acknowledged(entry, data) {
    await this.#refresh();
    this.#tell({ type: "acknowledged", entry: told(entry), data });
    this.#noted(entry, data);
    if (settles(entry)) this.on.submitted(entry, data);
  }
  #noted(entry, data) {
    this.savedAt = data.saved_at ?? data.submitted_at ?? new Date().toISOString(); // a skip and a guess have no time of their own
    if (data.revision) this.acked.set(entry.reading, data.revision);
    const line = this.lines.get(entry.reading);
    if (line?.n === entry.n) this.#line(entry.reading, { n: null, known: data.revision ?? line.known });
    this.#say();
  }
  async #answered(type, entry, data) {
    await this.#refresh();
    this.#tell({ type, entry, data });
    if (entry.client_id === this.client) this.on[type](this.entries.find(({ n }) => n === entry.n) ?? entry, data);
  }
  /** The reader has chosen in a conflict: `payload` goes over the server's version; null lets that one stand. */
  async resolve(entry, revision, payload) {
    const { reading } = entry;
    await this.#act(async () => {
      const old = (await this.outbox.entries()).filter((each) => (
        each.reading === reading && each.kind !== "guess" && (each.n === entry.n || each.client_id === entry.client_id)));
      const numbers = old.map(({ n }) => n);
      if (payload === null) {
        await this.outbox.drop(...numbers);
        this.#line(reading, { n: null, revision, known: revision });
        return;
      }
      const sum = (name) => old.reduce((total, each) => total + (each[name] ?? 0), 0);
      const kept = await this.outbox.replace(numbers, {
        ...this.#entry({ ...entry, id: reading }, "draft", {}), payload,
        client_id: this.client, base_revision: revision, after: null, tried: false, refused: null, resolves: true,
        revision: 1 + Math.max(revision, ...old.map((each) => each.revision ?? 0)), changes: sum("changes"),
        active_ms: sum("active_ms"), idle_ms: sum("idle_ms"), made: old.at(-1)?.made,
      });
      this.sender.hold(kept.id, 0);
      this.#line(reading, { n: kept.n, revision: kept.revision, known: revision });
    });
    return this.retry();
  }

  // --- other windows ------------------------------------------------------------------------------
  #tell(message) { this.channel?.postMessage(message); }
  async #hear({ type, entry, data }) {
    if (type === "signed-in") {
      this.retry();
      return;
    }
    await this.#refresh();
    this.sender.wake(); // the window that wrote may be gone before it sends
    if (type === "acknowledged") {
      this.sender.failed = null;
      this.#noted(entry, data);
      if (entry.client_id === this.client && settles(entry)) this.on.submitted(entry, data);
      else if (entry.resolves) this.on.resolved(entry, data);
    } else if (type !== "changed" && entry.client_id === this.client) {
      this.on[type](this.entries.find(({ n }) => n === entry.n) ?? entry, data);
    }
  }

  // --- words --------------------------------------------------------------------------------------
  /** Entries that wait to be sent, held grades not among them. */
  get open() {
    const held = new Set(this.held.map(({ id }) => id));
    return this.all.filter((entry) => !entry.refused && !held.has(entry.id));
  }
  #say() {
    this.openSince = this.open.length ? this.openSince ?? performance.now() : null;
    this.on.state(this.state);
  }
  get state() {
    return stateOf({
      open: this.open, refused: this.entries.filter((entry) => entry.refused), failed: this.sender.failed,
      nextTry: this.sender.nextTry, since: this.openSince, savedAt: this.savedAt, kind: this.outbox.kind,
      full: this.outbox.full, lost: this.lost,
    });
  }
}
