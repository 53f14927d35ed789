// The workstation: one reading after another, with images, rubric, drafts and submission.
import { Keyboard } from "../viewer/keyboard.js";
import { PROFILES } from "../viewer/tools.js";
import { StackStore } from "../viewer/store.js";
import { Toolbar } from "../viewer/toolbar.js";
import { ViewerKeys } from "../viewer/viewer_keys.js";
import { Wall } from "../viewer/wall.js";
import { Comparing } from "../preferences/comparing.js";
import { Choices } from "./choices.js";
import { WorkClock } from "./clock.js";
import { askSkip } from "./dialogs.js";
import { Grading } from "./grading.js";
import { Guessing } from "./guess.js";
import { showInstruction } from "./instruction.js";
import { OfflineDialog } from "./offline_dialog.js";
import { showAllDone, showFailed, showPanel } from "./panels.js";
import { Readings } from "./readings.js";
import { SaveQueue } from "./save_queue.js";
import { uuid } from "./server.js";
import { showStage } from "./stage.js";
import { StatusLine } from "./status_line.js";
import { Submission } from "./submission.js";

const $ = (id) => document.getElementById(id);
const hangingKey = (reading) => `medgen.hanging.${reading.item.task?.code ?? ""}`;
const STORE_WORDS = {
  page: "This browser offers no database (a private window?). What you enter is kept in its small page store until it is saved.",
  memory: "This browser keeps nothing on this computer (a private window?). Do not close this window before it says “Saved”.",
};
const setting = (key, value) => {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // the browser stores nothing: the choice holds for this window
  }
  return null;
};

export class Workstation {
  /** @param person `{ id, name }`, @param outbox what waits to be sent, @param offline readings kept here */
  constructor({ person, outbox, offline, again, draw = null }) {
    Object.assign(this, { person, outbox, offline });
    this.done = new Set(); // readings submitted from this page
    this.submitted = 0;
    this.status = new StatusLine({ person, onact: (act) => this.choices.act(act) });
    this.clock = new WorkClock();
    this.store = new StackStore();
    this.isDone = (id) => this.done.has(id) || this.queue.holding(id);
    this.readings = new Readings(this.store, { offline, person, isDone: this.isDone });
    this.#viewer(draw);
    this.#queue(again);
    this.submission = new Submission(this);
    this.guessing = new Guessing(this);
    this.choices = new Choices(this);
    this.#rubric();
    this.#keys();
    this.#offline();
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
      announce, onhang: (name) => setting(hangingKey(this.reading), name),
    });
  }
  #rubric() {
    const { submission } = this;
    $("grade").addEventListener("submit", (event) => {
      event.preventDefault();
      submission.submit();
    });
    const parts = {
      root: $("grade"),
      shelf: this.outbox,
      onchange: (payload) => this.#changed(payload),
      onlabel: (label) => this.wall.activateOutput(label),
      announce: (words) => this.status.announce(words),
      acts: {
        submit: () => submission.submit(), amend: () => submission.amend(), cancelAmend: () => submission.cancelAmend(),
        next: () => this.turn(true),
      },
    };
    this.kinds = { grade: new Grading(parts), compare: new Comparing(parts) };
    this.grading = this.kinds.grade;
  }
  #queue(again) {
    this.queue = new SaveQueue({
      outbox: this.outbox, user: this.person.id, again,
      on: {
        state: (state) => { if (!this.reading?.preview) this.status.saved(state); },
        submitted: (entry) => {
          if (entry.kind === "submit") this.submission.accepted = entry.reading;
          this.outbox.forget(`history.${entry.reading}`).catch(() => {}); // left over, it harms nobody
          if (entry.urls) this.readings.forget(entry.urls.self);
        },
        refused: (entry, data) => this.choices.refused(entry, data ?? {}),
        conflict: (entry) => this.choices.conflict(entry),
        resolved: (entry, data) => this.#resolvedElsewhere(entry, data),
      },
    });
  }
  #keys() {
    const viewer = new ViewerKeys(this.wall, this.toolbar);
    new Keyboard({
      viewer, rubric: this.#inHand(),
      page: {
        submit: () => (this.grading.readOnly ? this.turn(true) : this.submission.submit()),
        undo: () => this.#undo(), redo: () => this.grading.redo(), turn: (forward) => this.turn(forward),
        escape: (from) => this.#escape(from), nextRegion: () => this.#nextRegion(),
        key: ({ key }) => (key.toLowerCase() === "k" ? !$("skip").hidden && this.skip()
          : key === "?" && this.#showKeymap()),
      },
      onregion: (region) => { if (region !== "page") this.status.region(region); },
    });
    const profiles = $("profile");
    profiles.append(...Object.entries(PROFILES).map(([key, profile]) => new Option(profile.name, key)));
    profiles.value = setting("medgen.profile") ?? "pacs-ohif";
    const choose = () => { this.wall.tools.profileKey = profiles.value; };
    profiles.addEventListener("change", () => {
      choose();
      setting("medgen.profile", profiles.value);
    });
    choose();
    $("skip").addEventListener("click", () => this.skip());
    $("following").addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.turn(true);
    });
  }
  /** What keys of the rubric act on: grading or comparing, whichever the reading asks for. */
  #inHand() {
    const pass = (name) => (...given) => this.grading[name](...given);
    return Object.fromEntries(["output", "digit", "key", "letter"].map((name) => [name, pass(name)]));
  }
  #offline() {
    const dialog = new OfflineDialog({
      offline: this.offline, isDone: this.isDone, from: () => this.reading?.urls.self,
      onchange: (n) => { $("offline").textContent = n ? `Offline · ${n}` : "Offline"; },
    });
    $("offline").addEventListener("click", () => dialog.open());
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
    if (this.grading.history.empty) return this.submission.takeBack();
    return this.grading.undo() || this.submission.takeBack();
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
      } else if (this.queue.isBehind(reading)) reading = await this.readings.get(url, { fresh: true });
      if (reading.grade) await this.submission.prepare(reading);
    } catch (error) {
      showFailed(error, () => this.open(url, { push, payload, fresh: true }));
      return false;
    }
    this.show(reading, payload);
    if (push) history.pushState({ reading: reading.urls.self }, "", reading.urls.page);
    const waiting = this.queue.conflictOf(reading.id);
    if (waiting) this.choices.conflict(waiting);
    return true;
  }
  show(reading, payload = null) {
    const opened = (this.opened = uuid());
    this.reading = reading;
    this.readings.forget(reading.urls.self); // shown once: it changes from here on
    showPanel(null);
    this.guessing.close();
    this.clock.restart();
    const begun = reading.preview ? null : this.queue.begin(reading);
    const waits = !reading.preview && this.queue.holding(reading.id);
    this.submitted = Math.max(this.submitted, reading.submitted);
    this.status.progress(reading, this.submitted);
    $("study").textContent = reading.study.name;
    showInstruction(reading.item);
    this.#links();
    this.#banner(waits);
    if (reading.preview) this.status.saved({ kind: "idle", text: "Preview: nothing is saved" });
    else this.status.saved(this.queue.state);
    this.wall.hanging = setting(hangingKey(reading)) ?? "row";
    this.toolbar.showBases(reading.panes);
    this.wall.inHand = reading.outputs[0]?.label;
    const images = this.wall.show(reading.panes, { modality: reading.item.modality?.code });
    const closed = Boolean(reading.grade) || (Boolean(reading.locked_reason) && !reading.preview);
    $("skip").hidden = closed || waits || reading.preview;
    $("offline").hidden = reading.preview;
    this.grading = reading.preference ? this.kinds.compare : this.kinds.grade;
    document.body.dataset.asks = reading.preference ? "choice" : "score";
    const start = reading.grade ? reading.grade.payload : payload ?? begun ?? reading.stage?.first;
    showStage(reading);
    this.grading.open(reading, start, closed || waits ? "read" : "grade");
    images.then(() => {
      if (this.opened === opened) this.readings.prefetch(reading, () => this.opened === opened);
    });
  }
  #links() {
    const { previous_page: previous, next_page: next } = this.reading.urls;
    for (const [id, url] of [["previous", previous], ["following", next]]) {
      $(id).hidden = !url;
      if (url) $(id).href = url;
    }
  }
  #banner(waits) {
    const { reading, status, outbox } = this;
    if (reading.preview) status.banner(reading.locked_reason ?? "Preview as a reader: nothing is saved.", "");
    else if (reading.locked_reason) status.banner(reading.locked_reason, "warn");
    else if (waits) status.banner("This reading is done. It is kept on this computer and sent as soon as possible.", "");
    else if (STORE_WORDS[outbox.kind]) status.banner(STORE_WORDS[outbox.kind], "warn");
    else if (reading.kept_at) status.banner("Offline copy of this reading. What you enter is kept here and sent later.", "");
    else if (reading.status === "skipped") status.banner("You have skipped this reading. It can still be graded.", "");
    else status.banner(null);
  }
  #changed(payload) {
    const { reading } = this;
    if (reading.preview) return;
    if (this.grading.mode === "amend") this.submission.keepAmendment(payload);
    else this.queue.draft(reading, payload, { ...this.clock.take(), stage: reading.stage?.code });
  }
  /** Another window has chosen which version stays: this one goes on from it, unless it has changes of its own. */
  #resolvedElsewhere(entry, data) {
    const { reading, queue, grading } = this;
    if (reading?.id !== entry.reading || grading.mode !== "grade" || queue.find(reading.id, "draft")) return;
    reading.draft = { payload: entry.payload, revision: data.revision, saved_at: data.saved_at };
    queue.begin(reading);
    grading.open(reading, entry.payload, "grade");
    this.status.announce("Another window has settled the two versions; this one shows the result");
  }

  // --- moving and skipping ------------------------------------------------------------------------
  turn(forward) {
    const { reading } = this;
    if (!reading) return false;
    if (forward && reading.urls.next) this.open(reading.urls.next);
    else if (forward) this.allDone(reading);
    else if (reading.urls.previous_page) location.assign(reading.urls.previous_page);
    else this.status.announce("This is the first reading");
    return true;
  }
  async skip() {
    const { reading, queue } = this;
    if (this.grading.frozen) return;
    const answer = await askSkip(reading.skip_reasons);
    if (!answer) return;
    queue.skip(reading, answer);
    await queue.flushNow();
    if (queue.all.some((entry) => entry.kind === "skip" && entry.reading === reading.id && entry.refused)) return;
    this.status.announce(`Reading ${reading.position} skipped`);
    await this.goOnFrom(reading);
  }
  /** Ask the server what follows a reading, and open it; without a network go on with what is known. */
  async goOnFrom(reading) {
    let again;
    try {
      again = await this.readings.get(reading.urls.self, { fresh: true });
    } catch (error) {
      const next = this.queue.holding(reading.id) && (await this.submission.nextUrl());
      if (next) await this.open(next); // as it was fetched ahead
      else showFailed(error, () => this.goOnFrom(reading));
      return;
    }
    if (again.urls.next) await this.open(again.urls.next, { fresh: true });
    else this.allDone(again);
  }
  allDone(reading) {
    this.submitted = Math.max(this.submitted, reading.submitted);
    this.status.progress(reading, this.submitted);
    showAllDone(reading, reading.of - this.submitted);
  }
}
