// The status line and the live regions: what digits mean, the value under the pointer, what is held, what is saved.
import { SignAgain } from "./sign_again.js";

const $ = (id) => document.getElementById(id);
const ACTS = { choose: "Choose…", copy: "Copy…" };

export class StatusLine {
  /** @param person `{ id, name }`, @param onact ("choose" | "copy"): the button beside the saved state */
  constructor({ person, onact }) {
    const { signInAgain: url, signIn: page } = document.querySelector("main.stage").dataset;
    this.again = new SignAgain({ button: $("sign-in-again"), url, page, user: person });
    $("saved-act").addEventListener("click", () => onact(this.act));
  }
  announce(words) { $("announce").textContent = words; }
  region(name) {
    document.body.dataset.in = name;
    const asked = document.body.dataset.asks === "choice" ? "Choices · digits = choice" : "Rubric · digits = score";
    $("digits").textContent = name === "viewer" ? "Viewer · digits = presets" : asked;
  }
  probe(words) { $("probe").textContent = words; }
  held(words) { $("held").textContent = words; }
  /** The state is on screen at every moment; it is spoken when it turns, not at every save or second. */
  saved({ kind, text, title = text, act = null }) {
    const line = $("saved");
    line.className = `state ${kind}`;
    line.title = title;
    if (line.textContent !== text) line.textContent = text;
    this.again.show(act === "sign-in");
    this.act = act;
    $("saved-act").hidden = !ACTS[act];
    if (ACTS[act]) $("saved-act").textContent = ACTS[act];
    this.#speak(kind, title.replace(/ · next try in \d+ s/, "").replace(/\d+ changes?/, "changes"));
  }
  #speak(kind, words) {
    const troubled = kind === "warn" || kind === "bad";
    if (troubled ? this.spoken === words : !this.spoken || kind !== "ok") return;
    this.spoken = troubled ? words : null;
    $("saved-spoken").textContent = words;
  }
  /** A remark that stays above the images: locked, preview, skipped, refused; null takes it away. */
  banner(words, tone = "") {
    const line = $("banner");
    line.hidden = !words;
    line.className = `banner ${tone}`;
    line.textContent = words ?? "";
  }
  progress(reading, done) {
    $("position").textContent = `Reading ${reading.position} of ${reading.of}`;
    const meter = $("progress");
    meter.max = Math.max(1, reading.of);
    meter.value = done;
    meter.setAttribute("aria-label", `${done} of ${reading.of} submitted`);
    $("done-count").textContent = `${done} submitted`;
    document.title = `Reading ${reading.position} of ${reading.of} · MedGEN`;
  }
}
