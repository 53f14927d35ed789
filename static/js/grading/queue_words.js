// What the status line says of the queue: the state in words and time, and what the reader can do about it.

const SLOW_MS = 4000; // a save that takes longer is told as not saved yet
const clock = (when, seconds = true) => (
  new Date(when).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) }));
const counted = (n, one, many) => (n ? `${n} ${n === 1 ? one : many}` : null);

/** "2 grades and 3 changes"; what a waiting grade says is not counted again as changes. */
export function amountOf(entries) {
  const graded = new Set(entries.filter((entry) => entry.kind === "submit").map((entry) => entry.reading));
  const of = (kind) => entries.filter((entry) => entry.kind === kind && (kind !== "draft" || !graded.has(entry.reading)));
  const changes = of("draft").reduce((sum, entry) => sum + (entry.changes ?? 1), 0);
  const parts = [
    counted(of("submit").length, "grade", "grades"), counted(changes, "change", "changes"),
    counted(of("skip").length, "skip", "skips"), counted(of("guess").length, "guess", "guesses"),
  ].filter(Boolean);
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0] ?? "nothing";
}

const WHY = {
  offline: "Offline", trouble: "Server trouble", "signed-out": "Signed out",
  "other-person": "Another person is signed in here", paused: "Study paused",
};

/** `{ kind: ok|busy|warn|bad|idle, text, title: more of it, act: "sign-in"|"choose"|"copy"|null }` */
export function stateOf({ open, refused, failed, nextTry, since, savedAt, kind, full, lost }) {
  const conflict = refused.find((entry) => entry.refused.kind === "conflict");
  if (kind === "memory" && open.length) {
    const words = `${amountOf(open)} not saved yet and kept in this window only · do not close it`;
    return { kind: "bad", text: failed ? `${WHY[failed]} · ${words}` : words, act: actFor(failed) };
  }
  if (lost && open.length) return { kind: "bad", text: "This computer keeps nothing more · do not close the page", act: "copy" };
  if (conflict) {
    return { kind: "warn", text: `Two versions of reading ${conflict.position} · both are kept`, act: "choose" };
  }
  if (refused.length) {
    const [{ kind: what, position, refused: { why } }] = refused;
    const name = `${what === "guess" ? "Guess about reading" : "Reading"} ${position}`;
    const title = `${name} was not accepted: ${why} It is kept on this computer.`;
    return { kind: "bad", text: `${name} not accepted · kept on this computer`, title, act: "copy" };
  }
  if (open.length) return waiting(open, { failed, nextTry, since, full });
  if (full) return { kind: "warn", text: "Saved · the store of this computer is full", act: null };
  if (savedAt) return { kind: "ok", text: `Saved ${clock(savedAt)}`, act: null };
  return { kind: "idle", text: "Nothing to save", act: null };
}

const actFor = (failed) => (failed === "signed-out" || failed === "other-person" ? "sign-in" : null);

function waiting(open, { failed, nextTry, since, full }) {
  const started = open.map((entry) => entry.kept_at).filter(Boolean).sort()[0];
  const kept = `${amountOf(open)} kept on this computer${started ? ` since ${clock(started, false)}` : ""}`;
  const room = full ? " · its store is full" : "";
  if (failed || !navigator.onLine) {
    const why = WHY[failed] ?? "Offline";
    const seconds = nextTry === null ? 0 : Math.ceil((nextTry - performance.now()) / 1000);
    const next = seconds > 1 && !actFor(failed) ? ` · next try in ${seconds} s` : "";
    return { kind: "warn", text: `${why} · ${kept}${room}${next}`, act: actFor(failed) };
  }
  if (since !== null && performance.now() - since > SLOW_MS) {
    return { kind: "warn", text: `Not saved yet · ${kept}${room}`, act: null };
  }
  return { kind: "busy", text: "Saving", act: null };
}
