// The sheet of choices: one row for the overall choice and one for each criterion that is compared, one column for
// each choice, in the order of the screen. Each row is a radio group.
import { el } from "../grading/elements.js";

const SHORT = { tie: "tie", both_bad: "neither", all_bad: "none" };

export class ChoiceSheet {
  /** @param onchoose (code, word), @param onshow (code): a row has the focus or the pointer's click */
  constructor({ asked, labels, onchoose, onshow }) {
    Object.assign(this, { asked, labels, onchoose, rows: new Map() });
    const ends = el("span", { className: "sheet-ends", attributes: { "aria-hidden": "true" } },
      el("span", { textContent: asked.mode === "pair" ? "← left" : "" }),
      el("span", { textContent: asked.mode === "pair" ? "right →" : "" }));
    const title = asked.mode === "pair" ? "Which is better?" : "Which is best?";
    const head = el("div", { className: "sheet-head" }, el("span", { textContent: title }), ends);
    this.element = el("div", { className: "sheet choices-sheet" }, head,
      ...asked.criteria.map((criterion) => this.#row(criterion, onshow)));
    this.element.dataset.density = asked.criteria.length > 7 ? "many" : "few";
    this.element.dataset.mode = asked.mode;
    this.element.style.setProperty("--values", String(asked.offered.length));
    this.element.addEventListener("focusin", (event) => {
      const row = event.target.closest(".criterion");
      if (row) onshow(row.dataset.code);
    });
  }

  #row({ code, label }, onshow) {
    const name = el("span", { className: "criterion-name", id: `name-${code}`, textContent: label, title: label });
    const cells = el("div", { className: "cells" }, ...this.asked.offered.map(([word, words]) => this.#cell(code, word, words)));
    const row = el("div", { className: "criterion" }, name, cells);
    row.dataset.code = code;
    row.setAttribute("role", "radiogroup");
    row.setAttribute("aria-labelledby", `name-${code}`);
    row.setAttribute("aria-required", "true");
    row.addEventListener("click", () => onshow(code));
    this.rows.set(code, row);
    return row;
  }
  #cell(code, word, words) {
    const id = `choice-${code}-${word}`;
    const input = el("input", { type: "radio", name: code, value: word, id, className: "sr" });
    input.setAttribute("aria-label", words);
    input.addEventListener("change", () => this.onchoose(code, word));
    return el("label", { className: "cell", htmlFor: id, title: words }, input, el("span", { textContent: this.#short(word) }));
  }
  #short(word) {
    if (word === "left") return this.labels[0];
    return word === "right" ? this.labels[1] : SHORT[word] ?? word;
  }

  paint(choices) {
    for (const [code, row] of this.rows) {
      for (const input of row.querySelectorAll("input")) input.checked = input.value === choices[code];
    }
  }
  mark(code) { for (const [each, row] of this.rows) row.classList.toggle("current", each === code); }
  focus(code) {
    const row = this.rows.get(code);
    (row?.querySelector("input:checked") ?? row?.querySelector("input"))?.focus({ preventScroll: true });
  }
  /** The criterion whose row has the focus. */
  get current() { return document.activeElement?.closest?.(".criterion")?.dataset.code ?? null; }
}

/** The words of the criterion in hand; each choice is a line that can be clicked, with the key that makes it. */
export class ChoiceCard {
  constructor({ asked }) {
    Object.assign(this, { asked, code: null });
    this.element = el("section", { className: "card-of-words", id: "card", attributes: { "aria-label": "Choices" } });
  }
  show({ code, label, definition }) {
    this.code = code;
    const head = el("div", { className: "card-head" },
      el("h2", { textContent: label }), el("p", { textContent: definition }));
    const arrows = { left: "←", right: "→" };
    this.lines = el("ol", { className: "anchors" }, ...this.asked.offered.map(([word, words], i) => {
      const label = el("label", { htmlFor: `choice-${code}-${word}` },
        el("span", { className: "anchor-value", textContent: i + 1 }),
        el("span", { className: "anchor-words" }, words, arrows[word] && el("kbd", { textContent: arrows[word] })));
      const line = el("li", {}, label);
      line.dataset.word = word;
      return line;
    }));
    this.element.replaceChildren(head, this.lines);
  }
  paint(choices) {
    for (const line of this.lines.children) line.classList.toggle("chosen", line.dataset.word === choices[this.code]);
  }
}

/** How much better; optional, and only where one output is better. */
export class StrengthRow {
  /** @param set ("" | strength) */
  constructor({ strengths, set }) {
    const group = el("div", { className: "segments" });
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-labelledby", "name-strength");
    this.values = ["", ...strengths.map(([value]) => value)];
    this.inputs = [["", "not said"], ...strengths].map(([value, words]) => {
      const input = el("input", { type: "radio", name: "strength", value });
      input.setAttribute("aria-label", value ? `${value}: ${words}` : words);
      input.addEventListener("change", () => set(value));
      group.append(el("label", { className: "segment", title: words }, input, el("span", { textContent: value || "not said" })));
      return input;
    });
    this.set = set;
    const head = el("div", { className: "section-head" },
      el("h2", { id: "name-strength" }, "How much better", el("kbd", { textContent: "W" })),
      el("p", { className: "safety-words", textContent: "optional" }));
    this.element = el("section", { className: "safety strength", attributes: { "aria-label": "Strength" } }, head, group);
  }
  focus() { (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus(); }
  get focused() { return document.activeElement?.name === "strength"; }
  /** A digit while the row has the focus: 1 takes the word back. */
  digit(n) {
    if (this.values[n - 1] === undefined) return false;
    this.set(this.values[n - 1]);
    this.focus();
    return true;
  }
  paint(strength, { offered, closed }) {
    for (const input of this.inputs) {
      input.checked = input.value === strength;
      input.disabled = !offered || closed;
    }
  }
}
