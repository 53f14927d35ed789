// The workstation: one reading after another, with images, rubric, drafts and submission.
import { Keyboard } from "../viewer/keyboard.js";
import { PROFILES } from "../viewer/tools.js";
import { StackStore } from "../viewer/store.js";
import { Toolbar } from "../viewer/toolbar.js";
import { ViewerKeys } from "../viewer/viewer_keys.js";
import { Wall } from "../viewer/wall.js";
import { WorkClock } from "./clock.js";
import { askConflict, askSkip } from "./dialogs.js";
import { Grading } from "./grading.js";
import { showInstruction } from "./instruction.js";
import { Kept } from "./kept.js";
import { showAllDone, showFailed, showPanel } from "./panels.js";
import { Readings } from "./readings.js";
import { criteriaOf } from "./rules.js";
import { SaveQueue } from "./save_queue.js";
import { post, uuid } from "./server.js";
import { StatusLine } from "./status_line.js";

const HOLD_MS = 6000; // in which a submission can be taken back
const $ = (id) => document.getElementById(id);
const FIELD_WORDS = { rationale: "rationale", errors: "errors", safety: "harm", outputs: "output" };
const hangingKey = (reading) => `medgen.hanging.${reading.item.task?.code ?? ""}`;

export class Workstation {
  constructor({ user, draw = null }) {
    this.status = new StatusLine();
    this.clock = new WorkClock();
    this.kept = new Kept(user);
    this.store = new StackStore();
    this.readings = new Readings(this.store);
    this.done = new Set(); // readings submitted from this page
    this.accepted = null; // the reading whose grade the server took last
    this.submitted = 0;
    this.#viewer(draw);
    this.#rubric();
    this.#queue();
    this.#keys();
    window.addEventListener("popstate", ({ state }) => {
      if (state?.reading) this.open(state.reading, { push: false });
    });
  }

  // --- parts ------------------------------------------------------------------------------------
  #viewer(prefer) {
    const announce = (words) => this.status.announce(words);
    this.wall = new Wall($("wall"), {
      store: this.store, prefer,
      onactive: (pane) => this.toolbar?.showActive(pane), onpaint: () => this.toolbar?.showPainted(),
      onlayout: (name) => this.toolbar?.showHanging(name),
      onpoint: (pane, x, y) => this.status.probe(this.wall.probe(pane, x, y)),
    });
    this.toolbar = new Toolbar($("tools"), this.wall, {
      announce, onhang: (name) => localStorage.setItem(hangingKey(this.reading), name),
    });
  }
  #rubric() {
    this.grading = new Grading({
      root: $("grade"),
      onchange: (payload) => this.#changed(payload),
      onlabel: (label) => this.wall.activateOutput(label),
      announce: (words) => this.status.announce(words),
      acts: {
        submit: () => this.submit(), amend: () => this.amend(), cancelAmend: () => this.cancelAmend(),
        next: () => this.turn(true),
      },
    });
  }
  #queue() {
    this.queue = new SaveQueue({
      kept: this.kept,
      on: {
        state: (state) => { if (!this.reading?.preview) this.status.saved(state); },
        saved: () => {},
        submitted: (entry) => {
          this.accepted = entry.reading;
          this.readings.forget(entry.urls.self);
        },
        refused: (entry, data) => this.#refused(entry, data ?? {}),
        conflict: (entry, current) => this.#conflict(entry, current),
      },
    });
  }
  #keys() {
    const viewer = new ViewerKeys(this.wall, this.toolbar);
    new Keyboard({
      viewer, rubric: this.grading,
      page: {
        submit: () => (this.grading.readOnly ? this.turn(true) : this.submit()),
        undo: () => this.#undo(), redo: () => this.grading.redo(), turn: (forward) => this.turn(forward),
        escape: (from) => this.#escape(from), nextRegion: () => this.#nextRegion(),
        key: ({ key }) => (key.toLowerCase() === "k" ? !$("skip").hidden && this.skip()
          : key === "?" && this.#showKeymap()),
      },
      onregion: (region) => { if (region !== "page") this.status.region(region); },
    });
    const profiles = $("profile");
    profiles.append(...Object.entries(PROFILES).map(([key, profile]) => new Option(profile.name, key)));
    profiles.value = localStorage.getItem("medgen.profile") ?? "pacs-ohif";
    const choose = () => { this.wall.tools.profileKey = profiles.value; };
    profiles.addEventListener("change", () => {
      choose();
      localStorage.setItem("medgen.profile", profiles.value);
    });
    choose();
    $("skip").addEventListener("click", () => this.skip());
    $("following").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.turn(true);
    });
  }
  #showKeymap() {
    $("keymap").showModal();
    return true;
  }
  #escape(from) {
    if (!from?.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return false;
    this.grading.focusCriterion();
    return true;
  }
  #nextRegion() {
    const { active } = this.wall;
    if (document.body.dataset.in === "rubric" && active) active.element.focus({ preventScroll: true });
    else this.grading.focusCriterion();
    return true;
  }
  #undo() {
    // before anything is entered here, undo means the submission that can still be taken back
    if (this.grading.history.empty) return this.takeBack();
    return this.grading.undo() || this.takeBack();
  }

  // --- one reading ------------------------------------------------------------------------------
  /** Show the reading at a JSON address; false when it could not be had (and says so). */
  async open(url, { push = true, payload = null, fresh = false } = {}) {
    let reading;
    try {
      reading = await this.readings.get(url, { fresh });
      if (this.queue.holding(reading.id)) {
        await this.queue.flushNow();
        reading = await this.readings.get(url, { fresh: true });
      }
    } catch (error) {
      showFailed(error, () => this.open(url, { push, payload, fresh: true }));
      return false;
    }
    this.#show(reading, payload);
    if (push) history.pushState({ reading: reading.urls.self }, "", reading.urls.page);
    return true;
  }
  #show(reading, payload) {
    const opened = (this.opened = uuid());
    this.reading = reading;
    this.readings.forget(reading.urls.self); // shown once: it changes from here on
    showPanel(null);
    this.clock.restart();
    this.queue.learn(reading);
    this.submitted = Math.max(this.submitted, reading.submitted);
    this.status.progress(reading, this.submitted);
    $("study").textContent = reading.study.name;
    showInstruction(reading.item);
    this.#links();
    this.#banner();
    if (reading.preview) this.status.saved({ kind: "idle", text: "Preview: nothing is saved" });
    else this.status.saved(this.queue.state);
    this.wall.hanging = localStorage.getItem(hangingKey(reading)) ?? "row";
    this.toolbar.showBases(reading.panes);
    this.wall.inHand = reading.outputs[0]?.label;
    const images = this.wall.show(reading.panes, { modality: reading.item.modality?.code });
    const closed = Boolean(reading.grade) || (Boolean(reading.locked_reason) && !reading.preview);
    $("skip").hidden = closed || reading.preview;
    this.grading.open(reading, payload ?? this.#payload(), closed ? "read" : "grade");
    images.then(() => {
      if (this.opened === opened) this.readings.prefetch(reading, () => this.opened === opened);
    });
  }
  /** What this reading starts from: the change kept here, else the server's draft, else its grade. */
  #payload() {
    const { reading } = this;
    if (reading.grade) return reading.grade.payload;
    return this.queue.find(reading.id, "draft")?.payload ?? reading.draft?.payload ?? null;
  }
  #links() {
    const { previous_page: previous, next_page: next } = this.reading.urls;
    for (const [id, url] of [["previous", previous], ["following", next]]) {
      $(id).hidden = !url;
      if (url) $(id).href = url;
    }
  }
  #banner() {
    const { reading, status } = this;
    if (reading.preview) status.banner(reading.locked_reason ?? "Preview as a reader: nothing is saved.", "");
    else if (reading.locked_reason) status.banner(reading.locked_reason, "warn");
    else if (reading.status === "skipped") status.banner("You have skipped this reading. It can still be graded.", "");
    else status.banner(null);
  }
  #changed(payload) {
    if (this.reading.preview) return;
    if (this.grading.mode === "amend") {
      this.kept.put({ kind: "amendment", reading: this.reading.id, id: uuid(), payload });
      return;
    }
    this.queue.draft(this.reading, payload, this.clock.take());
  }

  // --- submitting: held a few seconds, so that Ctrl+Z takes it back -----------------------------
  submit() {
    const { grading, reading, status } = this;
    if (!reading || grading.frozen || (reading.locked_reason && !reading.preview)) return true;
    if (reading.preview) return this.turn(true);
    if (grading.goToProblem()) {
      status.announce(`Not submitted: ${grading.allProblems.map((problem) => problem.text).join("; ")}`);
      return true;
    }
    if (grading.foot.reasonMissing) {
      grading.foot.reason.focus();
      status.announce("Not submitted: a reason for the change");
      return true;
    }
    if (this.queue.holding(reading.id)) status.announce("It is kept on this computer and sent as soon as possible");
    else if (grading.mode === "amend") this.#submitAmendment();
    else this.#submitAndGoOn();
    return true;
  }
  #body(reason) {
    return {
      payload: this.grading.payload, ...this.clock.take(), client_time: new Date().toISOString(), reason,
      viewing: { renderer: this.wall.renderer.kind, profile: this.wall.tools.profileKey },
    };
  }
  async #submitAndGoOn() {
    const { reading, queue, status } = this;
    this.grading.frozen = true;
    this.left = reading;
    if (!this.done.has(reading.id)) this.submitted++;
    this.done.add(reading.id);
    const body = this.#body(null);
    const next = await this.#nextUrl();
    queue.submit(reading, body, next ? HOLD_MS : 0);
    status.announce(`Reading ${reading.position} submitted`);
    this.#showHeld();
    if (next) await this.open(next);
    else await this.#last(reading);
  }
  /** The address of the next reading that is not done from this page, from what was fetched ahead; else null. */
  async #nextUrl() {
    const url = this.reading.urls.next;
    if (!url) return null;
    try {
      const next = await this.readings.get(url);
      return this.done.has(next.id) ? null : url;
    } catch {
      return url; // it will say why it cannot be opened
    }
  }
  /** Nothing follows as far as this page knows: send all, then ask the server what is left. */
  async #last(reading) {
    await this.queue.flushNow();
    let again = null;
    try {
      again = await this.readings.get(reading.urls.self, { fresh: true });
    } catch (error) {
      const kept = this.queue.holding(reading.id) ? " The grade is kept on this computer." : "";
      showFailed(new Error(error.message + kept), () => this.#last(reading));
      return;
    }
    if (this.queue.holding(reading.id)) {
      const words = "The server does not take grades now. Yours is kept on this computer and sent again.";
      showFailed(new Error(words), () => this.#last(reading));
      return;
    }
    if (this.reading.id !== reading.id || !this.done.has(reading.id)) return; // refused: it was opened again
    const next = again.urls.next;
    if (next && (await this.open(next)) && !this.done.has(this.reading.id)) return;
    this.#allDone(again);
  }
  #allDone(reading) {
    this.submitted = Math.max(this.submitted, reading.submitted);
    this.status.progress(reading, this.submitted);
    showAllDone(reading, reading.of - this.submitted);
  }
  #showHeld() {
    clearTimeout(this.heldTimer);
    const last = this.queue.held.at(-1);
    const seconds = last && Math.ceil((last.not_before - Date.now()) / 1000);
    this.status.held(last ? `Reading ${last.position} goes in ${seconds} s · Ctrl+Z takes it back` : "");
    if (last) this.heldTimer = setTimeout(() => this.#showHeld(), 250);
  }
  /** Take the last held submission back and open its reading again. */
  takeBack() {
    const entry = this.queue.held.at(-1);
    if (!entry || !this.queue.withdraw(entry)) return false;
    this.done.delete(entry.reading);
    this.submitted--;
    this.#reopen(entry);
    this.#showHeld();
    this.status.announce("Submission taken back");
    return true;
  }
  /** A grade becomes a draft again, kept before anything else, and its reading is opened. */
  async #reopen(entry) {
    const { reading: id, position, urls, payload, active_ms, idle_ms } = entry;
    this.queue.draft({ id, position, urls }, payload, { active_ms, idle_ms });
    if (this.left?.id !== id) return this.open(urls.self, { fresh: true });
    this.#show(this.left, payload);
    history.pushState({ reading: urls.self }, "", this.left.urls.page);
    return true;
  }

  // --- refused and in conflict ------------------------------------------------------------------
  /** The server did not take an entry: a grade is opened again with what is wrong, a draft stays kept here. */
  #refused(entry, data) {
    if (entry.kind !== "submit") return;
    this.queue.forget(entry);
    const about = ({ label, field, text }) => `${[label, FIELD_WORDS[field]].filter(Boolean).join(" ")}: ${text}`;
    const why = data.error ?? data.errors?.map(about).join("; ") ?? "no reason given";
    if (entry.reason) {
      this.status.banner(`The amendment was not accepted: ${why}`, "bad");
      return;
    }
    this.done.delete(entry.reading);
    this.submitted--;
    this.#reopen(entry).then(() => {
      this.status.banner(`Reading ${entry.position} was not accepted: ${why}`, "bad");
    });
  }
  async #conflict(entry, current) {
    const criteria = this.reading ? criteriaOf(this.reading.rubrics) : [];
    const mine = await askConflict({ position: entry.position, mine: entry.payload, current, criteria });
    this.queue.resolve(entry, current, mine);
    if (!mine && this.reading?.id === entry.reading) this.grading.open(this.reading, current.payload, "grade");
  }

  // --- moving, skipping, amending ---------------------------------------------------------------
  turn(forward) {
    const { reading } = this;
    if (!reading) return false;
    if (forward && reading.urls.next) this.open(reading.urls.next);
    else if (forward) this.#allDone(reading);
    else if (reading.urls.previous_page) location.assign(reading.urls.previous_page);
    else this.status.announce("This is the first reading");
    return true;
  }
  async skip() {
    const { reading } = this;
    if (this.grading.frozen) return;
    const answer = await askSkip(reading.skip_reasons);
    if (!answer) return;
    await this.queue.flushNow();
    const { kind, data } = await post(reading.urls.skip, answer);
    if (kind !== "ok") {
      const causes = { offline: "no connection", "signed-out": "you are signed out" };
      const why = data?.error ?? causes[kind] ?? "the server refused";
      this.status.banner(`Not skipped: ${why}. Try again.`, "bad");
      return;
    }
    this.status.announce(`Reading ${reading.position} skipped`);
    await this.#goOnFrom(reading);
  }
  /** Ask the server what follows a reading, and open it. */
  async #goOnFrom(reading) {
    try {
      const again = await this.readings.get(reading.urls.self, { fresh: true });
      if (again.urls.next) await this.open(again.urls.next, { fresh: true });
      else this.#allDone(again);
    } catch (error) {
      showFailed(error, () => this.#goOnFrom(reading));
    }
  }
  amend() {
    const { reading, grading } = this;
    if (grading.mode !== "read" || !reading.grade || reading.locked_reason) return false;
    const begun = this.kept.all().find((entry) => entry.kind === "amendment" && entry.reading === reading.id);
    grading.open(reading, begun?.payload ?? reading.grade.payload, "amend");
    this.status.announce("Amendment: change the grade and say why");
    return true;
  }
  cancelAmend() {
    this.#forgetAmendment();
    this.grading.open(this.reading, this.reading.grade.payload, "read");
  }
  #forgetAmendment() {
    for (const entry of this.kept.all()) {
      if (entry.kind === "amendment" && entry.reading === this.reading.id) this.kept.drop(entry);
    }
  }
  async #submitAmendment() {
    const { reading, queue } = this;
    this.accepted = null;
    queue.submit(reading, this.#body(this.grading.foot.reason.value.trim()), 0);
    await queue.flushNow();
    if (this.accepted !== reading.id) return; // offline or refused: kept, and said in words
    this.#forgetAmendment();
    await this.open(reading.urls.self, { push: false, fresh: true });
    this.status.announce(`Amended: version ${this.reading.grade?.version ?? ""}`);
  }
}
