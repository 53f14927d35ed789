// Error codes and the rationale. A row is a code and, where the error could be shown on the image, the tick "cannot
// be localized".
import { el } from "./elements.js";
import { needsPlace } from "./rules.js";

export class ErrorRows {
  /** @param edit runs a change of the grade: edit((grade) => …, { paint, burst }) */
  constructor({ codes, edit, asked = "at a low score or with harm" }) {
    Object.assign(this, { codes, edit, asked });
    this.list = el("ul", { className: "error-list", id: "errors" });
    this.text = el("textarea", { id: "rationale", rows: 2, spellcheck: true });
    this.text.placeholder = "Rationale (T)";
    this.text.maxLength = 5000;
    this.text.setAttribute("aria-label", "Rationale");
    this.text.addEventListener("input", () => {
      this.edit((grade) => { grade.rationale = this.text.value; }, { paint: false, burst: "rationale" });
    });
    const add = { type: "button", className: "link", id: "add-error" };
    this.addButton = el("button", add, "Add error code", el("kbd", { textContent: "E" }));
    this.addButton.addEventListener("click", () => this.add());
    this.wrong = el("input", { type: "checkbox", id: "reference-wrong" });
    this.wrong.addEventListener("change", () => {
      this.edit((grade) => { grade.reference_wrong = this.wrong.checked; });
    });
    const flag = el("label", { className: "check reference-wrong" }, this.wrong, el("span", { textContent: "Reference is wrong" }));
    const head = el("div", { className: "section-head" }, el("h2", { textContent: "Errors" }), this.addButton, flag);
    const attributes = { "aria-label": "Errors and rationale" };
    this.element = el("section", { className: "errors", attributes }, head, this.list, this.text);
  }

  /** A new row, or the one that has no code yet, with the focus on its code. */
  add() {
    const empty = this.rows?.findIndex(({ select }) => !select.value) ?? -1;
    if (empty >= 0) {
      this.focus(empty);
      return;
    }
    const done = this.edit((grade) => { grade.errors.push({ code: "", nowhere: false }); });
    if (done) this.focus(this.list.children.length - 1);
  }
  focus(i, part = "select") { this.list.children[i]?.querySelector(part)?.focus(); }
  focusPlace(i) { this.focus(i, "input"); }

  paint(grade, question, readOnly) {
    if (this.text.value !== grade.rationale) this.text.value = grade.rationale;
    this.text.readOnly = readOnly;
    this.wrong.checked = grade.reference_wrong;
    if (this.rows?.length !== grade.errors.length) this.#build(grade.errors.length);
    grade.errors.forEach((error, i) => {
      const { select, tick, place, drop } = this.rows[i];
      select.value = error.code;
      place.hidden = !needsPlace(error, grade, question);
      tick.checked = Boolean(error.nowhere);
      for (const control of [select, tick, drop]) control.disabled = readOnly;
    });
  }
  #build(n) {
    this.rows = Array.from({ length: n }, (_, i) => this.#row(i));
    const none = el("li", { className: "none", textContent: `None. Asked for ${this.asked}.` });
    this.list.replaceChildren(...(n ? this.rows.map((row) => row.element) : [none]));
  }
  #row(i) {
    const select = el("select", { attributes: { "aria-label": `Code of error ${i + 1}` } },
      el("option", { value: "", textContent: "choose a code" }),
      ...this.codes.map(([code, label]) => el("option", { value: code, textContent: label })));
    select.addEventListener("change", () => {
      this.edit((grade) => { grade.errors[i] = { code: select.value, nowhere: false }; });
    });
    const tick = el("input", { type: "checkbox" });
    tick.addEventListener("change", () => {
      this.edit((grade) => { grade.errors[i].nowhere = tick.checked; });
    });
    const place = el("label", { className: "check" }, tick, el("span", { textContent: "cannot be localized" }));
    const drop = el("button", { type: "button", className: "drop", textContent: "×" });
    drop.setAttribute("aria-label", `Remove error ${i + 1}`);
    drop.addEventListener("click", () => {
      if (this.edit((grade) => { grade.errors.splice(i, 1); })) this.addButton.focus();
    });
    const number = el("span", { className: "error-number", textContent: i + 1 });
    const element = el("li", {}, number, select, el("span", { className: "error-place" }, place), drop);
    return { element, select, tick, place, drop };
  }

  ask(problems) {
    this.text.classList.toggle("asked", problems.some((problem) => problem.field === "rationale"));
  }
}
