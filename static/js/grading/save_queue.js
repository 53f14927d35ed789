// The save queue: every change is kept on this computer first, then sent. What the status line says is what the
// server has acknowledged, never what was hoped for. Sending an entry twice changes nothing: a draft carries its
// client and revision, a grade its key.
import { post, uuid } from "./server.js";
import { SIGNED_IN } from "./sign_again.js";

const DEBOUNCE_MS = 400;
const RETRY_LEAST_MS = 800;
const RETRY_MOST_MS = 15_000;
const WAITABLE = ["offline", "trouble", "signed-out"]; // the next try may succeed

export class SaveQueue {
  /**
   * @param kept the store on this computer
   * @param on `{ state, conflict(entry, current), refused(entry, data, status), submitted(entry, data), saved(entry) }`
   */
  constructor({ kept, on }) {
    Object.assign(this, { kept, on, client: uuid(), known: new Map(), wait: RETRY_LEAST_MS });
    Object.assign(this, { failed: null, savedAt: null, problem: null, running: false, sending: null });
    this.entries = kept.all().filter((entry) => FIELDS[entry.kind]).map((entry) => ({ ...entry, not_before: 0 }));
    window.addEventListener("online", () => this.retry());
    window.addEventListener(SIGNED_IN, () => this.retry());
    window.addEventListener("focus", () => this.retry());
    window.addEventListener("offline", () => this.#say());
    window.addEventListener("pagehide", () => this.flushAway());
  }

  /** Learn what the server holds of a reading. */
  learn(reading) {
    const revision = reading.draft?.revision ?? 0;
    this.known.set(reading.id, Math.max(revision, this.known.get(reading.id) ?? 0));
    this.savedAt ??= reading.draft?.saved_at ?? null;
  }
  find(readingId, kind) { return this.entries.findLast((entry) => entry.reading === readingId && entry.kind === kind); }
  holding(readingId) { return Boolean(this.find(readingId, "submit")); }

  /** Keep a draft; it replaces an unsent one of the same reading. */
  draft(reading, payload, times) {
    const old = this.find(reading.id, "draft");
    const merged = old && old !== this.sending ? old : null;
    if (merged) this.#remove(merged);
    const base = this.known.get(reading.id) ?? 0;
    const revision = Math.max(base, old?.revision ?? 0) + 1;
    this.#put({
      ...addressOf(reading, "draft"), client_id: this.client, revision, payload, base_revision: base,
      changes: (merged?.changes ?? 0) + 1,
      active_ms: times.active_ms + (merged?.active_ms ?? 0), idle_ms: times.idle_ms + (merged?.idle_ms ?? 0),
    }, DEBOUNCE_MS);
  }
  /** Keep a grade to be submitted after `hold_ms`; drafts of the reading need not be sent any more. */
  submit(reading, body, hold_ms) {
    const draft = this.find(reading.id, "draft");
    const times = { active_ms: body.active_ms, idle_ms: body.idle_ms };
    if (draft && draft !== this.sending) {
      times.active_ms += draft.active_ms;
      times.idle_ms += draft.idle_ms;
      this.#remove(draft);
    }
    this.#put({ ...addressOf(reading, "submit"), ...body, ...times, changes: 1, submit_key: uuid() }, hold_ms);
  }
  #put(entry, delay) {
    const whole = { ...entry, id: uuid(), not_before: Date.now() + delay };
    this.entries.push(whole);
    this.kept.put(whole);
    this.#say();
    this.#schedule();
  }
  #remove(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    this.kept.drop(entry);
  }

  /** Submissions that can still be taken back, oldest first. */
  get held() {
    const now = Date.now();
    return this.entries.filter((entry) => entry.kind === "submit" && entry !== this.sending && entry.not_before > now);
  }
  /** Take a held submission back; its entry or null. */
  withdraw(entry) {
    if (!this.held.includes(entry)) return null;
    this.#remove(entry);
    this.#say();
    return entry;
  }
  forget(entry) {
    this.#remove(entry);
    this.#say();
  }

  // --- sending ----------------------------------------------------------------------------------
  retry() {
    this.failed = null;
    return this.flush();
  }
  /** Send what waits, held submissions too, before the page goes on without it. */
  async flushNow() {
    const now = Date.now();
    for (const entry of this.entries) entry.not_before = Math.min(entry.not_before, now);
    while (this.running) await new Promise((resolve) => { setTimeout(resolve, 30); });
    await this.retry();
  }
  /** The page is closed: hand everything to the browser; what it loses is kept and sent at the next visit. */
  flushAway() {
    for (const entry of this.entries) if (!entry.refused) post(entry.url, bodyOf(entry), { keepalive: true });
  }
  async flush() {
    if (this.running) return;
    this.running = true;
    try {
      for (let entry = this.#due(); entry; entry = this.#due()) {
        this.sending = entry;
        this.#say();
        this.#refresh(entry);
        this.#take(entry, await post(entry.url, bodyOf(entry)));
        this.sending = null;
        if (this.failed) break;
      }
    } finally {
      this.running = false;
      this.sending = null;
      this.#say();
      this.#schedule();
    }
  }
  #due() {
    const now = Date.now();
    return this.entries.find((entry) => !entry.refused && entry.not_before <= now);
  }
  /** A draft builds on what the server has acknowledged by now, if this tab wrote that. */
  #refresh(entry) {
    if (entry.kind !== "draft" || entry.client_id !== this.client) return;
    const known = this.known.get(entry.reading) ?? 0;
    if (known <= entry.base_revision) return;
    Object.assign(entry, { base_revision: known, revision: Math.max(entry.revision, known + 1) });
    this.kept.put(entry);
  }

  #take(entry, { kind, data, status, after }) {
    if (WAITABLE.includes(kind)) {
      this.failed = kind;
      this.wait = Math.max(Math.min(this.wait * 2, RETRY_MOST_MS), Math.min(after || 0, 60) * 1000);
      return;
    }
    this.failed = null;
    this.wait = RETRY_LEAST_MS;
    if (kind === "ok") this.#acknowledged(entry, data);
    else if (kind === "conflict" && data.current) {
      entry.refused = "conflict";
      this.kept.put(entry);
      this.on.conflict(entry, data.current);
    } else this.#refused(entry, data, status);
  }
  #acknowledged(entry, data) {
    this.problem = null;
    this.savedAt = data.saved_at ?? data.submitted_at ?? new Date().toISOString();
    this.#remove(entry);
    if (entry.kind === "draft") this.known.set(entry.reading, data.revision ?? entry.revision);
    if (entry.kind === "submit") this.on.submitted(entry, data);
    else this.on.saved(entry);
  }
  #refused(entry, data, status) {
    const problems = data.errors?.map(({ label, text }) => `${label} ${text}`).join("; ");
    entry.refused = data.error ?? problems ?? `answer ${status}`;
    this.problem = entry.refused;
    this.kept.put(entry);
    this.on.refused(entry, data, status);
  }
  /** The reader has chosen a version in a conflict: send this one over the other, or let it go. */
  resolve(entry, current, mine) {
    this.known.set(entry.reading, current.revision);
    if (!mine) {
      this.forget(entry);
      return;
    }
    const revision = Math.max(entry.revision, current.revision) + 1;
    Object.assign(entry, { refused: null, base_revision: current.revision, revision, client_id: this.client });
    this.kept.put(entry);
    this.flush();
  }

  #schedule() {
    clearTimeout(this.timer);
    const waiting = this.entries.filter((entry) => !entry.refused);
    if (!waiting.length || this.running) return;
    const due = Math.max(20, Math.min(...waiting.map((entry) => entry.not_before)) - Date.now());
    this.timer = setTimeout(() => this.flush(), this.failed ? this.wait : due);
  }

  // --- words ------------------------------------------------------------------------------------
  #say() { this.on.state(this.state); }
  get state() {
    const due = (entry) => entry.kind === "draft" || entry.not_before <= Date.now();
    const open = this.entries.filter((entry) => !entry.refused && due(entry));
    const n = open.reduce((sum, entry) => sum + entry.changes, 0);
    const kept = `${n} ${n === 1 ? "change" : "changes"} kept`;
    if (this.kept.full) return { kind: "bad", text: "This computer’s store is full: do not close the page" };
    if (this.problem) return { kind: "bad", text: `Not accepted: ${this.problem}` };
    if (open.length && this.failed === "signed-out") {
      return { kind: "warn", text: `Signed out · ${kept} on this computer, nothing is lost`, signedOut: true };
    }
    if (open.length && (this.failed || !navigator.onLine)) {
      const why = this.failed === "trouble" ? "Server trouble" : "Offline";
      return { kind: "warn", text: `${why} · ${kept} on this computer` };
    }
    if (open.length) return { kind: "busy", text: "Saving" };
    if (this.savedAt) return { kind: "ok", text: `Saved ${new Date(this.savedAt).toLocaleTimeString("en-GB")}` };
    return { kind: "idle", text: "Nothing to save" };
  }
}

const FIELDS = {
  draft: ["payload", "client_id", "revision", "base_revision", "active_ms", "idle_ms"],
  submit: ["payload", "submit_key", "active_ms", "idle_ms", "client_time", "viewing", "reason"],
};
const addressOf = ({ id, position, urls: { self, draft, submit } }, kind) => (
  { kind, reading: id, position, urls: { self, draft, submit }, url: { draft, submit }[kind] });
function bodyOf(entry) { return Object.fromEntries(FIELDS[entry.kind].map((name) => [name, entry[name]])); }
