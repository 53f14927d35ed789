// The sender: takes what waits in the outbox to the server, one entry after the other, and goes on trying. Sending an
// entry twice changes nothing: a draft carries its client and revision, a grade its key, a guess is answered once.
import { exclusively, HELD } from "./exclusive.js";
import { sendable } from "./outbox.js";
import { same } from "./same.js";
import { getJson, post, uuid } from "./server.js";

const RETRY_LEAST_MS = 800;
const RETRY_MOST_MS = 15_000;
const PAUSED_MS = 60_000;
const AFTER_MOST_S = 120; // a server may ask for more; nobody has to wait longer for a try
const HELD_MS = 400;
const DAY_MS = 86_400_000; // the most the server takes as the time of one save
const FOREIGN_HOLD_MS = 13_000; // longer than a submission is held by its own window
const FOREIGN_MS = 3000; // longer than a window waits with its own draft
const WAITABLE = ["offline", "trouble", "signed-out", "other-person", "token", "paused"];

export const FIELDS = {
  draft: ["payload", "client_id", "revision", "base_revision", "active_ms", "idle_ms", "waited_ms", "stage"],
  submit: [
    "payload", "submit_key", "active_ms", "idle_ms", "waited_ms", "client_time", "viewing", "reason", "client_id", "base_revision",
    "base_version", "stage",
  ],
  skip: ["reason", "text"],
  guess: ["guesses"],
};
/** What is sent of an entry, with how long it has waited: its time was counted before that. */
export function bodyOf(entry) {
  const whole = { ...entry, waited_ms: waitedMs(entry) };
  for (const name of ["active_ms", "idle_ms"]) if (entry[name] > DAY_MS) whole[name] = DAY_MS; // a page left open for days
  return Object.fromEntries(FIELDS[entry.kind].filter((name) => whole[name] !== undefined).map((name) => [name, whole[name]]));
}
/** By the window's own clock, which nobody turns, or the computer's, which goes on while it sleeps. */
function waitedMs({ made }) {
  if (!made) return undefined;
  const own = made.page === performance.timeOrigin ? performance.now() - made.at : 0;
  return Math.round(Math.min(Math.max(own, Date.now() - made.wall), 365 * DAY_MS));
}

export class Sender {
  /**
   * @param again address that says who is signed in
   * @param on `{ change(), acknowledged(entry, data), conflict(entry, data), refused(entry, data, status) }`
   */
  constructor({ outbox, user, again, on }) {
    Object.assign(this, { outbox, user, again, on, tab: uuid(), wait: RETRY_LEAST_MS });
    Object.assign(this, { failed: null, running: false, sending: null, notBefore: 0, nextTry: null, stopped: false, started: false });
    this.due = new Map(); // entry id -> moment of this window's clock from which it may go
    this.seen = new Map(); // entries of other windows -> moment from which this one sends them
    window.addEventListener("online", () => this.retry());
    window.addEventListener("focus", () => this.retry());
  }

  /** Moments are of the window's own clock: the computer's may be turned at any time. */
  hold(id, ms) { this.due.set(id, performance.now() + ms); }
  release(id) { this.due.delete(id); }
  waits(entry) {
    const now = performance.now();
    if (this.due.has(entry.id)) return Math.max(0, this.due.get(entry.id) - now);
    if (!this.seen.has(entry.id)) {
      const patience = this.started ? FOREIGN_MS : 0; // what was here before this page has no window to wait for
      this.seen.set(entry.id, now + (entry.hold ? FOREIGN_HOLD_MS : patience));
    }
    return Math.max(0, this.seen.get(entry.id) - now);
  }

  /** Try now, unless the server has asked for patience. */
  retry() {
    if (performance.now() < this.notBefore) return Promise.resolve();
    return this.flush();
  }
  /** Send everything that can go, held entries too, before the page goes on without it. */
  async flushNow() {
    for (const entry of await this.outbox.entries()) this.hold(entry.id, 0);
    while (this.running) await new Promise((resolve) => { setTimeout(resolve, 30); });
    await this.flush();
  }
  async flush() {
    if (this.running || this.stopped) return;
    this.running = true;
    clearTimeout(this.timer);
    let passed = null;
    try {
      passed = await exclusively(this.outbox, this, (renew) => this.#pass(renew));
    } catch (error) {
      this.failed = "trouble"; // the store failed: what is kept stays kept
      this.storeError = error;
    } finally {
      Object.assign(this, { running: false, sending: null, started: true });
      await this.#schedule(passed === HELD);
      this.on.change();
    }
  }
  async #pass(renew) {
    for (;;) {
      const due = sendable(await this.outbox.entries()).filter((each) => FIELDS[each.kind] && !this.waits(each));
      const entry = due.find(({ kind }) => kind !== "guess") ?? due[0]; // what a reader guesses never holds up a grade
      if (!entry) return;
      await renew?.();
      const taken = await this.outbox.take(entry.n);
      if (!taken) continue;
      this.sending = taken;
      this.on.change();
      const done = await this.#deliver(taken);
      this.sending = null;
      if (!done) return;
    }
  }
  async #deliver(entry) {
    let answer = await post(entry.url, bodyOf(entry), { person: this.user });
    if (answer.kind === "token" && (await this.whoIsIn()) === this.user) {
      answer = await post(entry.url, bodyOf(entry), { person: this.user }); // with the token that came with the answer
    }
    if (WAITABLE.includes(answer.kind)) {
      this.#fail(answer);
      return false;
    }
    Object.assign(this, { failed: null, wait: RETRY_LEAST_MS, notBefore: 0 });
    await this.#settle(entry, answer);
    return true;
  }
  #fail({ kind, after = 0 }) {
    this.failed = kind === "token" ? "signed-out" : kind;
    this.wait = kind === "paused" ? PAUSED_MS : Math.min(this.wait * 2, RETRY_MOST_MS);
    const asked = Math.min(after, AFTER_MOST_S) * 1000;
    this.notBefore = asked ? performance.now() + asked : 0;
    this.wait = Math.max(this.wait, asked);
  }
  async #settle(entry, { kind, data, status }) {
    if (kind === "ok") {
      await this.outbox.acknowledge(entry, entry.kind === "draft" ? data.revision ?? entry.revision : null);
      this.due.delete(entry.id);
      await this.on.acknowledged(entry, data);
    } else if (await this.#superseded(entry, data)) {
      await this.outbox.drop(entry.n);
    } else if (kind === "conflict" && (data.current || data.submitted)) {
      await this.outbox.change(entry.n, { refused: { kind: "conflict", why: data.error, ...data } });
      await this.on.conflict(entry, data);
    } else {
      const why = wordsOf(data, status);
      await this.outbox.change(entry.n, { refused: { kind: "refused", why, status, errors: data.errors ?? null } });
      await this.on.refused(entry, data, status);
    }
  }
  /** A draft whose own grade waits behind it, or is the one that was submitted, has nothing to add. */
  async #superseded(entry, data) {
    if (entry.kind !== "draft" || !data.submitted) return false;
    if (same(entry.payload, data.submitted.payload)) return true;
    const later = await this.outbox.entries();
    return later.some((each) => (
      each.kind === "submit" && each.reading === entry.reading && each.n > entry.n
        && each.client_id === entry.client_id));
  }
  /** Who is signed in in this browser: an id, null for nobody, undefined when the server cannot be reached. */
  async whoIsIn() {
    if (!this.again) return undefined;
    const { kind, data } = await getJson(this.again);
    return kind === "ok" ? data.user : undefined;
  }

  async #schedule(held) {
    clearTimeout(this.timer);
    let open = [];
    try {
      open = sendable(await this.outbox.entries()).filter((entry) => FIELDS[entry.kind]);
    } catch {
      return; // the store is gone; its own words say so
    }
    this.nextTry = null;
    if (!open.length || this.stopped) {
      if (!open.length) this.failed = null;
      return;
    }
    let ms = Math.max(20, Math.min(...open.map((entry) => this.waits(entry))));
    if (held) ms = Math.max(HELD_MS, ms);
    if (this.failed) ms = this.wait;
    this.nextTry = performance.now() + ms;
    this.timer = setTimeout(() => this.flush(), ms);
  }
  /** Something was kept: see when it is due. */
  async wake() {
    if (!this.running && !this.failed) await this.#schedule(false);
  }
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

function wordsOf(data, status) {
  const problems = data.errors?.map(({ label, field, text }) => [label, field, text].filter(Boolean).join(" ")).join("; ");
  return data.error ?? problems ?? `answer ${status}`;
}
