// Comparing: the rail of a reading that asks which output is better. It is grading with another question: the choices
// are said once for all outputs, harm and errors of each output.
import { el } from "../grading/elements.js";
import { ErrorRows } from "../grading/error_rows.js";
import { Foot } from "../grading/foot.js";
import { Grading } from "../grading/grading.js";
import { OutputTabs } from "../grading/output_tabs.js";
import { SafetyFlag } from "../grading/safety.js";
import { ChoiceCard, ChoiceSheet, StrengthRow } from "./choice_sheet.js";
import { blankOutput, blankPreference, isPick, OVERALL, problemsOf } from "./rules.js";

/** What is said of one output, with what is said of all: the parts of the rail change it like a grade. */
class Side {
  constructor(preference, output) { Object.assign(this, { preference, output, na: {} }); }
  get scores() { return this.preference.choices; }
  get rationale() { return this.preference.rationale; }
  set rationale(words) { this.preference.rationale = words; }
  get reference_wrong() { return this.preference.reference_wrong; }
  set reference_wrong(value) { this.preference.reference_wrong = value; }
  get errors() { return this.output.errors; }
  get safety() { return this.output.safety; }
  set safety(level) { this.output.safety = level; }
}

export class Comparing extends Grading {
  open(reading, payload, mode) {
    const kept = payload ?? {};
    Object.assign(this, { reading, frozen: false, asked: reading.preference, criteria: reading.preference.criteria });
    Object.assign(this, { burst: null, shown: null });
    this.localizable = new Map(reading.error_codes.map(([code, , localizable]) => [code, localizable]));
    this.labels = reading.outputs.map((output) => output.label);
    const outputs = this.labels.map((label) => [label, { ...blankOutput(), ...structuredClone(kept.outputs?.[label] ?? {}) }]);
    const preference = { ...blankPreference(), ...structuredClone(kept.preference ?? {}) };
    this.grades = { preference, ...Object.fromEntries(outputs) };
    this.history.begin(reading.preview || mode !== "grade" ? null : reading.id, this.grades);
    this.build();
    this.setMode(mode);
    this.choose(this.labels[0]);
    this.focusFirst();
  }
  get payload() {
    const { preference, ...outputs } = structuredClone(this.grades);
    return { preference, outputs };
  }
  get preference() { return this.grades.preference; }
  get grade() { return new Side(this.preference, this.grades[this.label]); }

  question(label = this.label) {
    const output = this.reading.outputs.find((each) => each.label === label);
    return { output, asked: this.criteria, localizable: this.localizable };
  }
  get allProblems() {
    const { outputs } = this.reading;
    return problemsOf(this.grades, { criteria: this.criteria, outputs, localizable: this.localizable });
  }
  problems(label = this.label) { return this.allProblems.filter((problem) => problem.label === label); }

  build() {
    const { reading, asked, labels } = this;
    const edit = (change, options) => this.edit(change, options);
    this.sheet = new ChoiceSheet({
      asked, labels, onchoose: (code, word) => this.set(code, word, { stay: true }), onshow: (code) => this.show(code),
    });
    this.card = new ChoiceCard({ asked });
    this.strength = new StrengthRow({
      strengths: asked.strengths, set: (value) => this.edit(() => { this.preference.strength = value; }),
    });
    this.errors = new ErrorRows({ codes: reading.error_codes, edit, asked: "with harm, or when none is usable" });
    this.safety = new SafetyFlag({ levels: reading.safety_levels, edit });
    this.foot = new Foot({ reading, acts: this.acts });
    this.tabs = new OutputTabs({ labels, onchoose: (label) => this.choose(label) });
    const of = el("div", { className: "sides" }, el("span", { textContent: "Errors and harm of" }), this.tabs.element);
    this.label = null;
    const parts = [this.sheet, this.card, this.strength, { element: of }, this.errors, this.safety, this.foot];
    this.root.replaceChildren(...parts.map((part) => part.element));
    this.root.dataset.kind = "compare";
  }
  /** Take another output in hand, for its errors and harm. */
  choose(label) {
    if (!this.labels.includes(label)) return false;
    this.label = label;
    if (!this.shown) this.show(this.firstOpen().code);
    this.paint();
    this.onlabel(label);
    return true;
  }

  /** A choice that picks none takes back how much better it is. */
  edit(change, options) {
    return super.edit((side) => {
      change(side);
      if (!isPick(this.preference.choices[OVERALL])) this.preference.strength = "";
    }, options);
  }
  restore(state, words) {
    if (!state) return false;
    const before = this.preference.choices;
    this.grades = state.grades;
    this.burst = null;
    this.history.keep(this.grades);
    if (state.label !== this.label) this.choose(state.label);
    this.paint();
    const changed = this.criteria.find(({ code }) => before[code] !== this.preference.choices[code]);
    if (changed && this.sheet.current) this.focusCriterion(changed.code);
    else if (changed) this.show(changed.code);
    this.onchange(this.payload);
    this.announce(words);
    return true;
  }

  // --- keys -------------------------------------------------------------------------------------
  digit(n) {
    if (this.safety.focused) return this.safety.digit(n);
    if (this.strength.focused) return this.strength.digit(n);
    return this.#pick(n - 1);
  }
  #pick(place) {
    const [word] = this.asked.offered[place] ?? [];
    if (!word) {
      this.announce(`${place + 1} is no choice`);
      return true;
    }
    this.set(this.inHand, word);
    return true;
  }
  key(event) {
    const arrow = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
    const onChoices = this.sheet.current || document.activeElement === document.body;
    if (arrow && onChoices && this.asked.mode === "pair") {
      return this.#pick(this.asked.offered.findIndex(([word]) => word === arrow));
    }
    return super.key(event);
  }
  letter(event) {
    if (event.key.toLowerCase() !== "w") return super.letter(event);
    this.strength.focus();
    return true;
  }

  // --- painting ---------------------------------------------------------------------------------
  paint() {
    const { grade, preference } = this;
    this.sheet.paint(preference.choices);
    this.card.paint(preference.choices);
    this.strength.paint(preference.strength, { offered: isPick(preference.choices[OVERALL]), closed: this.readOnly });
    this.errors.paint(grade, this.question(), this.readOnly);
    this.safety.paint(grade);
    this.paintProblems();
  }
  paintProblems() {
    const { allProblems } = this;
    this.errors.ask(allProblems);
    this.tabs.paint(this.label, new Map(this.labels.map((label) => [label, !this.problems(label).length])));
    this.foot.showProblems(allProblems, false);
  }
}
