// “Which system was it?”, asked after a block of readings beside the images of the last one. No names are offered: a
// list would tell which systems take part. What is said waits in the outbox as grades do and is sent as they are; it
// never holds up a grade, and it is never shown again.
import { el } from "./elements.js";

const SURE = [1, 2, 3, 4, 5];
const $ = (id) => document.getElementById(id);

export class Guessing {
  constructor(station) { Object.assign(this, { station, resolve: null }); }

  /** Ask about the outputs of a reading that was just submitted; resolves when answered, skipped or closed. */
  ask(reading) {
    if (!reading.guess || reading.preview || this.station.queue.find(reading.id, "guess")) return Promise.resolve();
    reading.guess = false; // asked once, also when the submission is taken back
    this.close();
    const entries = reading.outputs.map(({ label }) => this.#entry(label, reading.outputs.length > 1));
    const problem = el("p", { className: "missing", id: "guess-problem", attributes: { role: "alert" } });
    const skip = el("button", { type: "button", className: "button quiet" }, "Skip ", el("kbd", { textContent: "Esc" }));
    const save = el("button", { type: "submit", className: "button primary" }, "Save and go on ", el("kbd", { textContent: "Ctrl ↵" }));
    const title = el("h2", { id: "guess-title", textContent: "Which system was it?" });
    const why = el("p", {
      className: "muted small",
      textContent: "If you believe you know what made it, say so in your own words. No names are offered, because a list "
        + "would tell which systems take part. Your answer shows whether blinding held; it changes no grade and is not shown again.",
    });
    const form = el("form", { className: "guess", noValidate: true, attributes: { "aria-labelledby": "guess-title" } },
      title, why, ...entries.map(({ element }) => element), problem, el("div", { className: "foot-acts" }, skip, save));
    skip.addEventListener("click", () => this.close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(reading, entries, problem);
    });
    form.addEventListener("keydown", (event) => this.#key(event, form));
    $("guess").replaceChildren(form);
    this.#show(true);
    entries[0].guess.focus();
    this.station.status.announce("Submitted. One question: which system was it?");
    return new Promise((resolve) => { this.resolve = resolve; });
  }
  /** Take the question away; whoever waits for it goes on. */
  close() {
    this.#show(false);
    $("guess").replaceChildren();
    this.resolve?.();
    this.resolve = null;
  }
  #show(asked) {
    $("guess").hidden = !asked;
    $("grade").hidden = asked;
  }
  #key(event, form) {
    event.stopPropagation(); // digits and letters are no scores here
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else return;
    event.preventDefault();
  }
  #entry(label, several) {
    const id = (name) => `guess-${name}-${label}`;
    const guess = el("input", { type: "text", id: id("name"), maxLength: 120, autocomplete: "off", spellcheck: false });
    const unknown = el("input", { type: "checkbox", id: id("unknown") });
    const sure = SURE.map((value) => el("input", { type: "radio", name: id("sure"), value: String(value) }));
    const words = { 1: "1, a mere guess", 5: "5, certain" };
    const scale = el("fieldset", { className: "segments" }, el("legend", { className: "sr", textContent: "How sure are you, from 1 to 5?" }),
      ...sure.map((input, i) => el("label", { className: "segment", title: words[i + 1] ?? "" }, input, ` ${i + 1}`)));
    const scaled = el("div", { className: "field" },
      el("span", { className: "label", textContent: "How sure are you? 1 a mere guess, 5 certain" }), scale);
    const reason = el("input", { type: "text", id: id("why"), maxLength: 300, autocomplete: "off" });
    guess.addEventListener("input", () => { if (guess.value.trim()) unknown.checked = false; });
    unknown.addEventListener("change", () => {
      if (!unknown.checked) return;
      guess.value = "";
      for (const input of sure) input.checked = false;
    });
    const labeled = (input, text) => el("div", { className: "field" }, el("label", { htmlFor: input.id, textContent: text }), input);
    const element = el("fieldset", { className: "guess-output" },
      el("legend", { textContent: several ? `Output ${label}` : "The output", className: several ? "" : "sr" }),
      labeled(guess, "System, in your words"),
      el("label", { className: "check" }, unknown, el("span", { textContent: "I could not tell" })),
      scaled, labeled(reason, "What gave it away? (optional)"));
    return { label, guess, unknown, sure, reason, element };
  }
  #save(reading, entries, problem) {
    const guesses = {};
    for (const { label, guess, unknown, sure, reason } of entries) {
      const name = guess.value.trim();
      const level = Number(sure.find((input) => input.checked)?.value ?? 0);
      const of = entries.length > 1 ? `Output ${label}: n` : "N";
      if (!name && !unknown.checked) {
        problem.textContent = `${of}ame a system, tick “I could not tell”, or skip the question.`;
        guess.focus();
        return;
      }
      if (name && !level) {
        problem.textContent = entries.length > 1 ? `Output ${label}: how sure are you?` : "How sure are you?";
        sure[0].focus();
        return;
      }
      guesses[label] = { guess: name, sure: name ? level : null, why: reason.value.trim() };
    }
    this.station.queue.guess(reading, guesses);
    this.close();
  }
}
