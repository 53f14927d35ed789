// Submitting a reading: held a few seconds, so that Ctrl+Z takes it back; and amending what was submitted.
import { showFailed } from "./panels.js";

const HOLD_MS = 6000; // in which a submission can be taken back

export class Submission {
  constructor(station) {
    Object.assign(this, { station, accepted: null, left: null }); // accepted: the reading whose grade the server took last
  }

  submit() {
    const { grading, reading, status, queue } = this.station;
    if (!reading || grading.frozen || (reading.locked_reason && !reading.preview)) return true;
    if (reading.preview) return this.station.turn(true);
    if (grading.goToProblem()) {
      status.announce(`Not submitted: ${grading.allProblems.map((problem) => problem.text).join("; ")}`);
      return true;
    }
    if (grading.foot.reasonMissing) {
      grading.foot.reason.focus();
      status.announce("Not submitted: a reason for the change");
      return true;
    }
    if (queue.holding(reading.id)) status.announce("It is kept on this computer and sent as soon as possible");
    else if (grading.mode === "amend") this.#submitAmendment();
    else if (reading.stage?.number === 1 || reading.training) this.#submitAndStay();
    else this.#submitAndGoOn();
    return true;
  }
  #body(reason) {
    const { reading, grading, clock, wall } = this.station;
    return {
      payload: grading.payload, stage: reading.stage?.code, ...clock.take(), client_time: new Date().toISOString(), reason,
      viewing: { renderer: wall.renderer.kind, profile: wall.tools.profileKey },
    };
  }
  /** The first of two stages, or a training case: what follows is the same reading, with more to see. */
  async #submitAndStay() {
    const { station } = this;
    const { reading, queue, status } = station;
    station.grading.frozen = true;
    this.accepted = null;
    queue.submit(reading, this.#body(null), 0);
    await queue.flushNow();
    if (station.reading.id !== reading.id) return;
    if (this.accepted !== reading.id) {
      station.grading.frozen = false;
      if (queue.holding(reading.id)) {
        status.announce("It is kept on this computer. What follows is shown when the server has it.");
        station.show(reading);
      }
      return;
    }
    if (!(await station.open(reading.urls.self, { push: false, fresh: true }))) return;
    const again = station.reading;
    status.announce(again.feedback ? "Submitted. Look at what was expected." : "Submitted without the reference. It is shown now; grade again.");
  }
  async #submitAndGoOn() {
    const { station } = this;
    const { reading, queue, status } = station;
    station.grading.frozen = true;
    this.left = reading;
    if (!station.done.has(reading.id)) station.submitted++;
    station.done.add(reading.id);
    const body = this.#body(null);
    const next = await this.nextUrl();
    queue.submit(reading, body, next ? HOLD_MS : 0);
    status.announce(`Reading ${reading.position} submitted`);
    this.#showHeld();
    await station.guessing.ask(reading);
    if (!station.done.has(reading.id) || station.reading.id !== reading.id) return; // taken back or turned away meanwhile
    if (next) {
      await station.open(next);
      queue.holdOn(reading, HOLD_MS); // the time to take it back begins when the next reading is seen, however slow that was
    } else await this.#last(reading);
  }
  /** The address of the next reading that is not done from this page, from what was fetched ahead; else null. */
  async nextUrl() {
    const { reading, readings, offline, isDone, queue } = this.station;
    const url = reading.urls.next;
    if (!url) return null;
    try {
      const next = await readings.get(url);
      if (!isDone(next.id)) return url;
      return queue.sender.failed ? await offline.first(isDone) : null;
    } catch {
      return url; // it will say why it cannot be opened
    }
  }
  /** Nothing follows as far as this page knows: send all, then ask the server what is left. */
  async #last(reading) {
    const { station } = this;
    const { queue, readings } = station;
    const retry = () => this.#last(reading);
    await queue.flushNow();
    let again = null;
    try {
      again = await readings.get(reading.urls.self, { fresh: true });
    } catch (error) {
      const kept = queue.holding(reading.id) ? " The grade is kept on this computer." : "";
      showFailed(new Error(error.message + kept), retry);
      return;
    }
    if (station.reading.id !== reading.id || !station.done.has(reading.id)) return; // refused: it was opened again
    const next = again.urls.next;
    if (next && next !== reading.urls.self && (await station.open(next)) && !station.isDone(station.reading.id)) return;
    if (queue.holding(reading.id)) {
      const why = queue.sender.failed === "offline" ? "There is no connection to the server" : "The server does not take grades now";
      showFailed(new Error(`${why}, and no further reading is kept here. Your grades are kept on this computer and sent again.`), retry);
      return;
    }
    station.allDone(again);
  }
  #showHeld() {
    const { queue, status } = this.station;
    clearTimeout(this.heldTimer);
    const last = queue.held.at(-1);
    status.held(last ? `Reading ${last.position} goes in ${queue.heldSeconds(last)} s · Ctrl+Z takes it back` : "");
    if (last) this.heldTimer = setTimeout(() => this.#showHeld(), 250);
  }
  /** Take the last held submission back and open its reading again; false when there is none. */
  takeBack() {
    const entry = this.station.queue.held.at(-1);
    if (!entry) return false;
    this.#takeBack(entry);
    return true;
  }
  async #takeBack(held) {
    const { station } = this;
    const entry = await station.queue.withdraw(held);
    if (!entry) {
      station.status.announce("It was submitted meanwhile. Open it to amend it.");
      return;
    }
    this.undone(entry);
    this.#showHeld();
    await this.reopen(entry);
    station.status.announce("Submission taken back");
  }
  /** A reading that counted as submitted is open again. */
  undone({ reading }) {
    if (this.station.done.delete(reading)) this.station.submitted--;
  }
  /** A grade becomes a draft again, kept before anything else, and its reading is opened. */
  async reopen(entry) {
    const { station } = this;
    const { reading: id, position, study, urls, payload, active_ms, idle_ms, stage } = entry;
    station.queue.draft({ id, position, study, urls }, payload, { active_ms, idle_ms, stage });
    if (this.left?.id !== id) return station.open(urls.self, { fresh: true, payload });
    station.show(this.left, payload);
    history.pushState({ reading: urls.self }, "", this.left.urls.page);
    return true;
  }

  // --- amending -----------------------------------------------------------------------------------
  #key(reading) { return `amendment.${reading.id}`; }
  keepAmendment(payload) {
    const { reading, outbox, grading } = this.station;
    const base_version = this.base?.reading === reading.id ? this.base.version : reading.grade.version;
    const kept = { payload, base_version, reason: grading.foot.reason.value };
    this.begun = { reading: reading.id, ...kept };
    outbox.remember(this.#key(reading), kept)
      .catch(() => this.station.status.banner("This computer keeps nothing more: submit the amendment before you close.", "bad"));
  }
  /** Learn of an amendment that was begun before, so that going on with it takes no time. */
  async prepare(reading) {
    const begun = await this.station.outbox.recall(this.#key(reading)).catch(() => null);
    this.begun = { reading: reading.id, ...begun };
  }
  amend() {
    const { reading, grading, status } = this.station;
    if (grading.mode !== "read" || !reading.grade || reading.locked_reason) return false;
    const begun = this.begun?.reading === reading.id ? this.begun : {};
    this.base = { reading: reading.id, version: begun.base_version ?? reading.grade.version };
    grading.open(reading, begun.payload ?? reading.grade.payload, "amend");
    grading.foot.reason.value = begun.reason ?? "";
    grading.foot.reason.dispatchEvent(new Event("input"));
    status.announce("Amendment: change the grade and say why");
    return true;
  }
  async cancelAmend() {
    const { reading, grading, outbox } = this.station;
    this.begun = null;
    await outbox.forget(this.#key(reading));
    grading.open(reading, reading.grade.payload, "read");
  }
  async #submitAmendment() {
    const { station } = this;
    const { reading, queue, outbox, status } = station;
    this.accepted = null;
    const reason = station.grading.foot.reason.value.trim();
    queue.submit(reading, { ...this.#body(reason), base_version: this.base.version }, 0);
    await queue.flushNow();
    if (this.accepted !== reading.id) return; // offline or refused: kept, and said in words
    await outbox.forget(this.#key(reading));
    await station.open(reading.urls.self, { push: false, fresh: true });
    status.announce(`Amended: version ${station.reading.grade?.version ?? ""}`);
  }
}
