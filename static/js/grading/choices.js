// What the server did not take: two versions to choose from, a grade that goes back to its form, words to be copied.
import { askVersions, showKept } from "./dialogs.js";
import { askedOf } from "./rules.js";

const FIELD_WORDS = { rationale: "rationale", errors: "errors", safety: "harm", outputs: "output" };
const clock = (iso) => new Date(iso).toLocaleTimeString("en-GB");

export class Choices {
  constructor(station) { this.station = station; }

  /** The button beside the saved state. */
  act(name) {
    const { queue } = this.station;
    const refused = queue.entries.filter((entry) => entry.refused);
    if (name === "choose") {
      const first = refused.find((entry) => entry.refused.kind === "conflict");
      if (first) this.conflict(first);
      return;
    }
    this.#copy(refused.length ? refused : queue.all);
  }
  async #copy(entries) {
    const { queue, status, submission } = this.station;
    const answer = await showKept(entries, this.#criteria());
    if (answer === "again") await queue.tryAgain();
    if (answer !== "discard") return;
    for (const entry of entries) if (entry.kind !== "guess") submission.undone(entry);
    await queue.forget(...entries);
    status.announce("Discarded");
  }
  #criteria() {
    const { reading } = this.station;
    return reading ? askedOf(reading) : [];
  }

  /** A grade is opened again with what is wrong; what can never be taken stays kept, to be copied. */
  refused(entry, data) {
    const { queue, status, submission, reading } = this.station;
    const why = wordsOf(data);
    if (entry.kind === "draft") {
      if (reading?.id === entry.reading) status.banner(`Not saved: ${why} What you entered is kept on this computer.`, "bad");
      return;
    }
    if (entry.kind === "skip") {
      queue.forget(entry);
      status.banner(`Reading ${entry.position} was not skipped: ${why}`, "bad");
      return;
    }
    if (entry.kind === "guess") {
      this.#refusedGuess(entry, data, why);
      return;
    }
    if (!entry.reason) submission.undone(entry);
    if (!data.errors) {
      status.banner(`Reading ${entry.position} was not accepted: ${why} It is kept on this computer; “Copy…” below shows it.`, "bad");
      return;
    }
    queue.forget(entry);
    if (entry.reason) {
      status.banner(`The amendment was not accepted: ${why}`, "bad");
      return;
    }
    submission.reopen(entry).then(() => status.banner(`Reading ${entry.position} was not accepted: ${why}`, "bad"));
  }

  /** An answer that came too late changes nothing; what was refused for another reason stays kept, to be copied. */
  #refusedGuess(entry, { closed }, why) {
    const { queue, status } = this.station;
    const stays = closed || entry.refused?.status !== 409;
    if (!stays) queue.forget(entry);
    const kept = stays ? " It is kept on this computer; “Copy…” below shows it." : "";
    status.banner(`What you guessed about reading ${entry.position} was not taken: ${why}${kept}`, stays ? "bad" : "warn");
  }

  /** Show both versions; nothing is overwritten before the reader has chosen. */
  async conflict(entry) {
    if (document.querySelector("dialog[open]")) return; // the status line goes on offering it
    const { queue } = this.station;
    const { current, submitted } = entry.refused;
    const theirs = (submitted ?? current).payload ?? {};
    const newest = queue.all.findLast((each) => (
      each.reading === entry.reading && each.client_id === entry.client_id && each.payload));
    const answer = await askVersions({
      position: entry.position, mine: (newest ?? entry).payload, theirs, criteria: await this.#criteriaOf(entry),
      saved: submitted ? `Submitted at ${clock(submitted.submitted_at)}` : `Saved at ${clock(current.saved_at)}`,
      submitted: Boolean(submitted),
    });
    if (answer === "later") return;
    if (submitted) await this.#afterSubmitted(entry, submitted, answer === theirs ? null : answer);
    else await this.#afterSaved(entry, current, answer === theirs ? null : answer);
  }
  async #criteriaOf(entry) {
    const { reading, readings } = this.station;
    if (reading?.id === entry.reading) return this.#criteria();
    try {
      return askedOf(await readings.get(entry.urls.self));
    } catch {
      return this.#criteria(); // of the reading on screen: codes stand in where they differ
    }
  }
  async #afterSaved(entry, current, payload) {
    const { station } = this;
    const wasGrade = entry.kind === "submit";
    const settled = station.queue.resolve(entry, current.revision, payload);
    if (wasGrade) station.submission.undone(entry);
    const shown = station.reading?.id === entry.reading;
    if (shown) { // at once: the next keystroke belongs to what was chosen
      station.reading.draft = payload ? station.reading.draft : current;
      station.grading.open(station.reading, payload ?? current.payload, "grade");
    }
    await settled;
    if (wasGrade && !shown) await station.open(entry.urls.self, { fresh: true });
    if (wasGrade) station.status.banner("The two versions are settled. Look at the result and submit it.", "warn");
  }
  async #afterSubmitted(entry, submitted, payload) {
    const { station } = this;
    const { queue, outbox, submission } = station;
    const own = queue.entries.filter((each) => (
      each.reading === entry.reading && each.client_id === entry.client_id && each.kind !== "guess"));
    const key = `amendment.${entry.reading}`;
    if (payload) await outbox.remember(key, { payload, base_version: submitted.version, reason: entry.reason ?? "" });
    else await outbox.forget(key);
    if (station.reading?.id === entry.reading) station.grading.frozen = true; // until it is opened anew
    await queue.forget(...own);
    if (!(await station.open(entry.urls.self, { fresh: true })) || !payload) return;
    submission.amend();
    station.status.banner("This is an amendment now. Look at it and submit it.", "warn");
  }
}

function wordsOf(data) {
  const about = ({ label, field, text }) => `${[label, FIELD_WORDS[field]].filter(Boolean).join(" ")}: ${text}`;
  return data.error ?? data.errors?.map(about).join("; ") ?? "no reason given";
}
