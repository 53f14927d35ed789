// The status line and the live regions: what digits mean, the value under the pointer, what is held, what is saved.

import { SignAgain } from "./sign_again.js";

const $ = (id) => document.getElementById(id);

export class StatusLine {
  constructor() {
    const { signInAgain: url, user } = document.querySelector("main.stage").dataset;
    this.again = new SignAgain({ button: $("sign-in-again"), url, user });
  }
  announce(words) { $("announce").textContent = words; }
  region(name) {
    document.body.dataset.in = name;
    $("digits").textContent = name === "viewer" ? "Viewer · digits = presets" : "Rubric · digits = score";
  }
  probe(words) { $("probe").textContent = words; }
  held(words) { $("held").textContent = words; }
  saved({ kind, text, signedOut }) {
    this.again.show(Boolean(signedOut));
    const line = $("saved");
    line.className = `state ${kind}`;
    line.title = text;
    if (line.textContent !== text) line.textContent = text;
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
