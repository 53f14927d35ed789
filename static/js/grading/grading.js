// Grading: the rubric of one reading. It holds a grade for each output, the sheet of the one in hand, and what is
// still missing.
import { AnchorCard } from "./anchor_card.js";
import { el } from "./elements.js";
import { ErrorRows } from "./error_rows.js";
import { Foot } from "./foot.js";
import { History } from "./history.js";
import { OutputTabs } from "./output_tabs.js";
import { blank, criteriaOf, isOpen, problemsOf, valuesOf } from "./rules.js";
import { SafetyFlag } from "./safety.js";
import { ScoreSheet } from "./sheet.js";

const BURST_MS = 3000;

export class Grading {
  /**
   * @param onchange (payload), @param onlabel (label): another output is in hand, @param acts of the foot's buttons,
   * @param shelf where steps that can be undone are kept
   */
  constructor({ root, onchange, onlabel, announce, acts, shelf = null }) {
    Object.assign(this, { root, onchange, onlabel, announce, acts, history: new History(shelf) });
  }

  /** @param mode "grade", "read" (submitted, closed) or "amend" */
  open(reading, payload, mode) {
    this.reading = reading;
    this.frozen = false; // true while this reading is being left
    this.criteria = criteriaOf(reading.rubrics);
    this.localizable = new Map(reading.error_codes.map(([code, , localizable]) => [code, localizable]));
    this.labels = reading.outputs.map((output) => output.label);
    const kept = payload?.outputs ?? {};
    const entryOf = (label) => ({ ...blank(), ...structuredClone(kept[label] ?? {}) });
    this.grades = Object.fromEntries(this.labels.map((label) => [label, entryOf(label)]));
    this.history.begin(reading.preview || mode !== "grade" ? null : reading.id, this.grades);
    this.burst = null;
    this.build();
    this.setMode(mode);
    this.choose(this.labels.find((label) => this.problems(label).length) ?? this.labels[0]);
    this.focusFirst();
  }
  setMode(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    this.foot.setMode(mode);
    if (this.label) this.paint();
  }
  get readOnly() { return this.mode === "read"; }
  get payload() { return { outputs: structuredClone(this.grades) }; }
  get grade() { return this.grades[this.label]; }

  question(label = this.label) {
    const output = this.reading.outputs.find((each) => each.label === label);
    const asked = this.criteria.filter((criterion) => !output.not_applicable?.[criterion.code]);
    return { output, asked, localizable: this.localizable };
  }
  /** What still has to be said about an output. */
  problems(label = this.label) { return problemsOf(this.grades[label], this.question(label)); }
  get allProblems() {
    return this.labels.flatMap((label) => this.problems(label).map((problem) => ({ label, ...problem })));
  }

  build() {
    const { reading } = this;
    const edit = (change, options) => this.edit(change, options);
    this.sheet = new ScoreSheet({
      onscore: (code, value) => this.set(code, value, { stay: true }), onshow: (code) => this.show(code),
    });
    const onreason = (code, reason) => this.reason(code, reason);
    this.card = new AnchorCard({ naReasons: reading.na_reasons, onreason });
    this.errors = new ErrorRows({ codes: reading.error_codes, edit });
    this.safety = new SafetyFlag({ levels: reading.safety_levels, edit });
    this.foot = new Foot({ reading, acts: this.acts });
    const onchoose = (label) => {
      this.choose(label);
      this.focusFirst();
    };
    this.tabs = this.labels.length > 1 ? new OutputTabs({ labels: this.labels, onchoose }) : null;
    this.label = null;
    const parts = [this.sheet, this.card, this.errors, this.safety, this.foot];
    this.root.replaceChildren(...parts.map((part) => part.element));
    this.root.dataset.kind = "grade";
  }

  /** Take another output in hand. */
  choose(label) {
    if (!this.labels.includes(label)) return false;
    this.label = label;
    const { output } = this.question();
    this.sheet.build(this.reading.rubrics, output.not_applicable ?? {}, this.tabs?.element);
    this.shown = null;
    this.show(this.firstOpen().code);
    this.paint();
    this.onlabel(label);
    return true;
  }
  output(n) { return this.labels.length > 1 && this.#take(this.labels[n - 1]); }
  nextOutput(step) {
    const n = this.labels.length;
    return n > 1 && this.#take(this.labels[(this.labels.indexOf(this.label) + step + n) % n]);
  }
  #take(label) {
    if (!this.choose(label)) return false;
    this.focusFirst();
    this.announce(`Output ${label}`);
    return true;
  }

  // --- the criterion in hand --------------------------------------------------------------------
  firstOpen() {
    const { asked } = this.question();
    return asked.find((criterion) => isOpen(this.grade, criterion)) ?? asked[0];
  }
  show(code) {
    if (this.shown === code) return;
    const criterion = this.criteria.find((each) => each.code === code);
    this.shown = code;
    this.card.show(criterion);
    this.card.paint(this.grade);
    this.sheet.mark(code);
  }
  focusCriterion(code = this.shown) {
    this.show(code);
    this.sheet.focus(code);
  }
  focusFirst() { this.focusCriterion(this.firstOpen().code); }
  get inHand() { return this.sheet.current ?? this.shown; }
  step(by) {
    const { asked } = this.question();
    const at = asked.findIndex((criterion) => criterion.code === this.inHand);
    this.focusCriterion(asked[Math.max(0, Math.min(asked.length - 1, at + by))].code);
    return true;
  }

  // --- acts -------------------------------------------------------------------------------------
  /** Change the grade in hand; false when this reading is only to be read. */
  edit(change, { paint = true, burst = null } = {}) {
    if (this.frozen) return false;
    if (this.readOnly) {
      this.paint();
      this.announce(this.reading.locked_reason ?? "Submitted. Press A to amend.");
      return false;
    }
    if (!this.#goesOn(burst)) this.history.remember({ label: this.label, grades: this.grades });
    change(this.grade);
    this.history.keep(this.grades);
    if (paint) this.paint();
    else this.paintProblems();
    this.onchange(this.payload);
    return true;
  }
  /** Whether a change belongs to the step before it: words typed into one field without a rest are one step. */
  #goesOn(field) {
    const now = performance.now();
    const before = this.burst;
    this.burst = field && { field, label: this.label, at: now };
    return Boolean(field) && before?.field === field && before.label === this.label && now - before.at < BURST_MS;
  }
  set(code, value, { stay = false } = {}) {
    if (this.grade.scores[code] !== value) {
      const done = this.edit((grade) => {
        grade.scores[code] = value;
        if (value !== "na") delete grade.na[code];
      });
      if (!done) return;
    }
    if (!stay && value !== "na") this.#advance(code);
  }
  reason(code, reason) {
    if (this.edit((grade) => { grade.na[code] = reason; })) this.#advance(code);
  }
  #advance(code) {
    const { asked } = this.question();
    const next = asked[asked.findIndex((criterion) => criterion.code === code) + 1];
    this.focusCriterion(next?.code ?? code);
  }
  undo() { return this.restore(this.history.undo({ label: this.label, grades: this.grades }), "Undone"); }
  redo() { return this.restore(this.history.redo({ label: this.label, grades: this.grades }), "Redone"); }
  restore(state, words) {
    if (!state) return false;
    const before = this.grades[state.label];
    this.grades = state.grades;
    this.burst = null;
    this.history.keep(this.grades);
    if (state.label !== this.label) this.choose(state.label);
    this.paint();
    this.#returnTo(before);
    this.onchange(this.payload);
    this.announce(words);
    return true;
  }

  /** Take the criterion in hand whose value was undone or redone, so that a digit corrects it and not the next one. */
  #returnTo(before) {
    const { scores, na } = this.grade;
    const differs = ({ code }) => before.scores[code] !== scores[code] || before.na[code] !== na[code];
    const changed = this.question().asked.find(differs);
    if (!changed) return;
    if (this.sheet.current) this.focusCriterion(changed.code);
    else this.show(changed.code);
  }

  // --- keys -------------------------------------------------------------------------------------
  digit(n) {
    if (this.safety.focused) return this.safety.digit(n);
    const code = this.inHand;
    const criterion = this.question().asked.find((each) => each.code === code);
    if (!criterion) return false;
    const reason = this.reading.na_reasons[n - 1];
    if (this.grade.scores[code] === "na" && !this.grade.na[code] && reason) {
      this.reason(code, reason);
      return true;
    }
    const value = n === 0 ? 10 : n;
    if (valuesOf(criterion.scale).includes(value)) this.set(code, value);
    else this.announce(`${value} is outside ${criterion.scale.min} to ${criterion.scale.max}`);
    return true;
  }
  key(event) {
    const { key } = event;
    const active = document.activeElement;
    if (key === "Enter") return active.matches("button, a, summary") ? false : this.step(event.shiftKey ? -1 : 1);
    if ((key === "ArrowUp" || key === "ArrowDown") && this.sheet.current) return this.step(key === "ArrowUp" ? -1 : 1);
    return this.letter(event);
  }
  letter(event) {
    const acts = {
      n: () => this.#na(), t: () => this.errors.text.focus(), f: () => this.safety.focus(), e: () => this.errors.add(),
      ",": () => this.nextOutput(-1), ".": () => this.nextOutput(1), a: () => this.acts.amend(),
    };
    const act = acts[event.key.toLowerCase()];
    return act ? act() !== false : false;
  }
  #na() {
    const criterion = this.question().asked.find((each) => each.code === this.inHand);
    if (!criterion?.na_allowed) {
      this.announce(`${criterion?.label ?? "This"} has no n/a`);
      return;
    }
    this.set(criterion.code, "na", { stay: true });
    this.focusCriterion(criterion.code);
  }
  /** Move to what is missing first; false when nothing is. */
  goToProblem() {
    const [problem] = this.allProblems;
    if (!problem) return false;
    if (problem.label && problem.label !== this.label) this.choose(problem.label);
    if (problem.field === "criterion") this.focusCriterion(problem.at);
    else if (problem.field === "rationale") this.errors.text.focus();
    else if (problem.field === "place") this.errors.focusPlace(problem.at);
    else if (problem.at === null) this.errors.add();
    else this.errors.focus(problem.at);
    return true;
  }

  // --- painting ---------------------------------------------------------------------------------
  paint() {
    const { grade } = this;
    const question = this.question();
    this.sheet.paint(grade, question.asked);
    this.card.paint(grade);
    this.errors.paint(grade, question, this.readOnly);
    this.safety.paint(grade);
    this.paintProblems();
  }
  paintProblems() {
    const complete = new Map(this.labels.map((label) => [label, !this.problems(label).length]));
    this.errors.ask(this.problems());
    this.tabs?.paint(this.label, complete);
    this.foot.showProblems(this.allProblems, this.labels.length > 1);
  }
}
