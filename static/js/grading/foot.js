// The foot of the sheet: what is missing, submit; for a submitted reading amend and go on; the reason field of
// an amendment.
import { el } from "./elements.js";
import { REASON_AT_LEAST } from "./rules.js";

const clock = (iso) => new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

export class Foot {
  /** @param acts `{ submit, amend, cancelAmend, next }` */
  constructor({ reading, acts }) {
    Object.assign(this, { reading, acts, mode: "grade" });
    this.missing = el("p", { className: "missing", id: "missing" });
    this.reason = el("input", { type: "text", id: "amend-reason", maxLength: 1000 });
    this.reason.placeholder = "Why is the grade changed?";
    this.reason.setAttribute("aria-label", "Reason for the amendment");
    this.reason.addEventListener("input", () => this.#paint());
    const label = el("label", { htmlFor: "amend-reason", textContent: "Reason" });
    this.reasonRow = el("div", { className: "amend-row" }, label, this.reason);
    this.amend = this.#button("amend", "Amend", "button", acts.amend, "A");
    this.cancel = this.#button("cancel-amend", "Cancel", "button quiet", acts.cancelAmend);
    this.next = this.#button("next", "Next", "button primary", acts.next, "Ctrl ↵");
    this.submit = el("button", { type: "submit", className: "button primary", id: "submit" });
    this.submit.setAttribute("aria-describedby", "missing");
    const buttons = el("div", { className: "foot-acts" }, this.cancel, this.amend, this.next, this.submit);
    this.element = el("div", { className: "foot" }, this.reasonRow, this.missing, buttons);
    this.problems = [];
  }
  #button(id, text, className, act, key = null) {
    const button = el("button", { type: "button", id, className }, text, key && el("kbd", { textContent: key }));
    button.addEventListener("click", act);
    return button;
  }

  setMode(mode) {
    this.mode = mode;
    const { reading } = this;
    const locked = Boolean(reading.locked_reason) && !reading.preview;
    this.reasonRow.hidden = mode !== "amend";
    this.amend.hidden = mode !== "read" || !reading.grade;
    this.amend.disabled = locked;
    this.cancel.hidden = mode !== "amend";
    this.next.hidden = mode !== "read" || !reading.grade;
    this.submit.hidden = mode === "read" && Boolean(reading.grade);
    this.submit.disabled = locked;
    const first = reading.stage?.number === 1 ? "Submit and see the reference" : null;
    const training = reading.training ? "Submit and compare" : null;
    const grade = reading.preview ? "Next" : first ?? training ?? "Submit and next";
    const words = { amend: "Submit amendment", grade }[mode];
    this.submit.replaceChildren(words ?? grade, el("kbd", { textContent: "Ctrl ↵" }));
    this.#paint();
  }
  get reasonMissing() { return this.mode === "amend" && this.reason.value.trim().length < REASON_AT_LEAST; }

  showProblems(problems, several) {
    const labels = new Map(); // what is said -> the outputs it is said of
    for (const { label, short } of problems) labels.set(short, [...(labels.get(short) ?? []), label]);
    this.problems = [...labels].map(([short, of]) => (several ? `${of.join(", ")}: ${short}` : short));
    this.whole = problems.map(({ label, text }) => (several ? `${label}: ${text}` : text)).join("\n");
    this.#paint();
  }
  #paint() {
    const { reading } = this;
    const list = [...this.problems];
    if (this.reasonMissing) list.push("a reason for the change");
    const closed = this.mode === "read";
    const said = reading.grade
      ? `Submitted ${clock(reading.grade.submitted_at)}, version ${reading.grade.version}`
      : reading.locked_reason ?? "";
    this.missing.textContent = closed ? said : list.join(" · ") || "Complete";
    this.missing.title = closed ? said : this.whole ?? "";
    this.missing.classList.toggle("ready", !closed && !list.length);
    this.submit.classList.toggle("waiting", list.length > 0);
  }
}
