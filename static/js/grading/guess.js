// “Which system was it?”, asked after a block of readings beside the images of the last one. No names are offered: a
// list would tell which systems take part. What is said is kept here first and sent when the server can be reached;
// it never holds up a grade, and it is never shown again.
import { el } from "./elements.js";
import { post } from "./server.js";
import { SIGNED_IN } from "./sign_again.js";

const KEPT = "guesses"; // where answers wait in the works of the outbox
const RETRY_MS = 30_000;
const SURE = [1, 2, 3, 4, 5];
const $ = (id) => document.getElementById(id);

export class Guessing {
  constructor(station) {
    Object.assign(this, { station, resolve: null, sending: null });
    window.addEventListener("online", () => this.send());
    window.addEventListener(SIGNED_IN, () => this.send());
    this.send();
  }

  /** Ask about the outputs of a reading that was just submitted; resolves when answered, skipped or closed. */
  ask(reading) {
    if (!reading.guess || reading.preview) return Promise.resolve();
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
    this.#keep({ reading: reading.id, url: reading.urls.guess, guesses });
    this.close();
  }

  // --- keeping and sending ------------------------------------------------------------------------
  async #kept() { return (await this.station.outbox.recall(KEPT).catch(() => null)) ?? []; }
  async #keep(entry) {
    const { outbox } = this.station;
    const others = (await this.#kept()).filter(({ reading }) => reading !== entry.reading);
    await outbox.remember(KEPT, [...others, entry]).catch(() => post(entry.url, { guesses: entry.guesses }));
    await this.send();
  }
  /** Send what waits, one after the other; what the server refuses for good is dropped, the rest is tried again. */
  send() {
    if (this.sending) {
      this.again = true; // asked while a try was under way that may fail: try once more after it
      return this.sending;
    }
    this.again = false;
    this.sending = this.#send().finally(() => {
      this.sending = null;
      if (this.again) this.send();
    });
    return this.sending;
  }
  async #send() {
    const { outbox, person } = this.station;
    for (const entry of await this.#kept()) {
      const { kind } = await post(entry.url, { guesses: entry.guesses }, { person: person.id });
      if (!["ok", "conflict", "refused"].includes(kind)) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.send(), RETRY_MS);
        return;
      }
      const left = (await this.#kept()).filter(({ reading }) => reading !== entry.reading);
      await (left.length ? outbox.remember(KEPT, left) : outbox.forget(KEPT)).catch(() => {}); // the same again changes nothing
    }
  }
}
