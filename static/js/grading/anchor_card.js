// The card: the words of the criterion in hand. Each anchor line is the label of its score; after n/a the lines are
// the reasons.
import { el } from "./elements.js";
import { valuesOf } from "./rules.js";

export class AnchorCard {
  constructor({ naReasons, onreason }) {
    Object.assign(this, { naReasons, onreason, code: null });
    this.element = el("section", { className: "card-of-words", id: "card", attributes: { "aria-label": "Anchors" } });
  }

  show(criterion) {
    this.code = criterion.code;
    const head = el("div", { className: "card-head" },
      el("h2", { textContent: criterion.label }), el("p", { textContent: criterion.definition }));
    this.lines = el("ol", { className: "anchors" }, ...this.#anchors(criterion));
    this.reasons = el("ol", { className: "anchors reasons", hidden: true }, ...this.#reasons());
    this.element.replaceChildren(head, this.lines, this.reasons);
  }
  #anchors({ code, scale, anchors }) {
    const values = valuesOf(scale).filter((value) => anchors?.[value]).reverse();
    return values.map((value) => {
      const label = el("label", { htmlFor: `score-${code}-${value}` },
        el("span", { className: "anchor-value", textContent: value }),
        el("span", { className: "anchor-words", textContent: anchors[value] }));
      const line = el("li", {}, label);
      line.dataset.value = value;
      return line;
    });
  }
  #reasons() {
    return this.naReasons.map((reason, i) => {
      const button = el("button", { type: "button" },
        el("span", { className: "anchor-value", textContent: i + 1 }),
        el("span", { className: "anchor-words", textContent: reason }));
      button.addEventListener("click", () => this.onreason(this.code, reason));
      const line = el("li", {}, button);
      line.dataset.value = reason;
      return line;
    });
  }

  paint(grade) {
    const value = grade.scores[this.code];
    this.lines.hidden = value === "na";
    this.reasons.hidden = value !== "na";
    for (const line of this.lines.children) line.classList.toggle("chosen", Number(line.dataset.value) === value);
    for (const line of this.reasons.children) {
      line.classList.toggle("chosen", line.dataset.value === grade.na[this.code]);
    }
    // words that do not fit beside a long feedback can be reached by keyboard
    if (this.lines.scrollHeight > this.lines.clientHeight + 1) this.lines.tabIndex = 0;
    else this.lines.removeAttribute("tabindex");
  }
}
