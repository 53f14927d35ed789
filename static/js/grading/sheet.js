// The score sheet: one row per criterion, one column per value, one radio group a row. A criterion that does not
// apply keeps its row, in gray, with the reason.
import { el } from "./elements.js";
import { isLow, valuesOf } from "./rules.js";

export class ScoreSheet {
  /** @param onscore (code, value), @param onshow (code): a row has the focus or the pointer's click */
  constructor({ onscore, onshow }) {
    Object.assign(this, { onscore, onshow, rows: new Map() });
    this.element = el("div", { className: "sheet" });
    this.element.addEventListener("focusin", (event) => {
      const row = event.target.closest(".criterion");
      if (row) this.onshow(row.dataset.code);
    });
  }

  /** @param tabs an element for the head of the first rubric, or null */
  build(rubrics, notApplicable, tabs) {
    this.rows.clear();
    const count = rubrics.reduce((n, rubric) => n + rubric.criteria.length, 0);
    const widest = Math.max(...rubrics.map((rubric) => valuesOf(rubric.scale).length));
    this.element.dataset.density = count > 7 ? "many" : "few";
    this.element.style.setProperty("--values", String(widest));
    const parts = rubrics.flatMap((rubric, i) => {
      const head = this.#head(rubric, i === 0 ? tabs : null);
      return [head, ...rubric.criteria.map((criterion) => this.#row(criterion, rubric, notApplicable[criterion.code]))];
    });
    this.element.replaceChildren(...parts);
  }

  #head(rubric, tabs) {
    const better = rubric.criteria.every((criterion) => criterion.direction !== "higher_worse");
    const [left, right] = better ? ["worst", "best"] : ["best", "worst"];
    const ends = el("span", { className: "sheet-ends", attributes: { "aria-hidden": "true" } },
      el("span", { textContent: left }), el("span", { textContent: right }));
    const name = tabs ?? el("span", { textContent: rubric.name });
    return el("div", { className: "sheet-head" }, name, ends);
  }

  #row(criterion, rubric, rule) {
    const { code, label } = criterion;
    const name = el("span", { className: "criterion-name", id: `name-${code}`, textContent: label, title: label });
    const cells = el("div", { className: "cells" });
    const row = el("div", { className: `criterion${rule ? " ruled" : ""}` }, name, cells);
    row.dataset.code = code;
    this.rows.set(code, row);
    if (rule) {
      cells.append(el("span", { className: "rule", textContent: `n/a · ${rule}`, title: rule }));
      return row;
    }
    row.setAttribute("role", "radiogroup");
    row.setAttribute("aria-labelledby", `name-${code}`);
    row.setAttribute("aria-required", String(criterion.required !== false));
    row.addEventListener("click", () => this.onshow(code));
    const values = valuesOf(rubric.scale);
    cells.append(...values.map((value) => this.#cell(criterion, value)));
    cells.append(criterion.na_allowed ? this.#cell(criterion, "na") : el("span", {}));
    return row;
  }

  #cell(criterion, value) {
    const id = `score-${criterion.code}-${value}`;
    const na = value === "na";
    const words = na ? "not applicable, a reason is asked" : criterion.anchors?.[value] ?? "between two anchors";
    const input = el("input", { type: "radio", name: criterion.code, value, id, className: "sr" });
    input.setAttribute("aria-label", na ? "n/a" : String(value));
    input.setAttribute("aria-describedby", `${id}-words`);
    input.addEventListener("change", () => this.onscore(criterion.code, value));
    const described = el("span", { id: `${id}-words`, hidden: true, textContent: words });
    const shown = el("span", { textContent: na ? "n/a" : value });
    const title = na ? "Not applicable (N)" : words;
    return el("label", { className: na ? "cell na" : "cell", htmlFor: id, title }, input, shown, described);
  }

  paint(grade, criteria) {
    for (const criterion of criteria) {
      const row = this.rows.get(criterion.code);
      const value = grade.scores[criterion.code];
      row.classList.toggle("low", isLow(criterion, value));
      for (const input of row.querySelectorAll("input")) input.checked = input.value === String(value);
    }
  }
  mark(code) { for (const [each, row] of this.rows) row.classList.toggle("current", each === code); }
  focus(code) {
    const row = this.rows.get(code);
    const target = row?.querySelector("input:checked") ?? row?.querySelector("input");
    target?.focus({ preventScroll: true });
  }
  /** The criterion whose row has the focus. */
  get current() { return document.activeElement?.closest?.(".criterion")?.dataset.code ?? null; }
}
