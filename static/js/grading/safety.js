// The safety flag: could someone be harmed if this output were believed? And the flag on the reference.
import { el } from "./elements.js";

export class SafetyFlag {
  constructor({ levels, edit }) {
    Object.assign(this, { levels, edit });
    const group = el("div", { className: "segments" });
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-labelledby", "name-safety");
    this.inputs = levels.map(([value, words]) => {
      const input = el("input", { type: "radio", name: "safety", value });
      input.setAttribute("aria-label", `${value}: ${words}`);
      input.addEventListener("change", () => this.set(value));
      group.append(el("label", { className: `segment ${value}`, title: words }, input, el("span", { textContent: value })));
      return input;
    });
    this.words = el("p", { className: "safety-words" });
    this.wrong = el("input", { type: "checkbox", id: "reference-wrong" });
    this.wrong.addEventListener("change", () => {
      this.edit((grade) => { grade.reference_wrong = this.wrong.checked; });
    });
    const head = el("div", { className: "section-head" },
      el("h2", { id: "name-safety" }, "Harm if believed", el("kbd", { textContent: "F" })),
      el("label", { className: "check" }, this.wrong, el("span", { textContent: "Reference is wrong" })));
    this.element = el("section", { className: "safety", attributes: { "aria-label": "Safety flag" } }, head, group, this.words);
  }

  set(value) { return this.edit((grade) => { grade.safety = value; }); }
  focus() { this.inputs.find((input) => input.checked)?.focus(); }
  get focused() { return document.activeElement?.name === "safety"; }
  /** A digit while the flag has the focus: 1 is the first level. */
  digit(n) {
    const level = this.levels[n - 1];
    if (!level) return false;
    this.set(level[0]);
    this.focus();
    return true;
  }

  paint(grade) {
    for (const input of this.inputs) input.checked = input.value === grade.safety;
    this.words.textContent = this.levels.find(([value]) => value === grade.safety)?.[1] ?? "";
    this.wrong.checked = grade.reference_wrong;
  }
}
