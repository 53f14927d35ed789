// The safety flag: could someone be harmed if this output were believed?
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
      const label = { className: `segment ${value}`, title: words };
      group.append(el("label", label, input, el("span", { textContent: value })));
      return input;
    });
    this.words = el("p", { className: "safety-words" });
    const head = el("div", { className: "section-head" },
      el("h2", { id: "name-safety" }, "Harm if believed", el("kbd", { textContent: "F" })), this.words);
    const attributes = { "aria-label": "Safety flag" };
    this.element = el("section", { className: "safety", attributes }, head, group);
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
    this.words.title = this.words.textContent;
  }
}
