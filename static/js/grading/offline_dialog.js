// The dialog of readings for hours without a network: how many, how large, keep, remove.
import { el } from "./elements.js";
import { LEAST, MOST } from "./offline.js";

const DEFAULT = 10;
const PAUSE_MS = 350;
const sized = (bytes) => {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
};
const total = (rows) => rows.reduce((sum, { bytes }) => sum + bytes, 0);
const readings = (n) => `${n} ${n === 1 ? "reading" : "readings"}`;
const NOTE = "Instructions and images of these readings are stored in this browser, without encryption: whoever uses this "
  + "account of the computer can open them. They are removed when you sign out, when somebody else signs in, when the "
  + "study closes, and by Remove. Grades you enter meanwhile wait here and are sent when the network is back.";

export class OfflineDialog {
  /** @param from () address of the reading to begin with, @param isDone (reading id) */
  constructor({ offline, from, isDone, onchange = () => {} }) {
    Object.assign(this, { offline, from, isDone, onchange });
  }

  async open() {
    const count = el("input", { type: "number", id: "offline-count", min: LEAST, max: MOST, value: DEFAULT, step: 1 });
    const label = el("label", { htmlFor: "offline-count", textContent: "Readings to keep" });
    this.count = count;
    this.size = el("p", { id: "offline-size", attributes: { role: "status" } });
    this.state = el("p", { className: "muted", id: "offline-state" });
    this.meter = el("progress", { className: "meter", max: 1, value: 0, hidden: true });
    this.meter.setAttribute("aria-label", "Readings kept");
    const warning = this.offline.canReload ? null : el("p", {
      className: "notice warn",
      textContent: "This address is not https. Keep this window open: without a network the page cannot be loaded again.",
    });
    this.keepButton = this.#button("Keep", "button primary", () => this.#keep());
    this.removeButton = this.#button("Remove", "button", () => this.#remove());
    const close = this.#button("Close", "button", () => this.dialog.close());
    this.dialog = el("dialog", { className: "offline-dialog", attributes: { "aria-labelledby": "offline-title" } },
      el("div", { className: "dialog-head" }, el("h2", { id: "offline-title", textContent: "Keep readings for offline" })),
      el("div", { className: "dialog-body" },
        el("div", { className: "field" }, label, count), this.size, this.meter, this.state, warning,
        el("p", { className: "muted", textContent: NOTE })),
      el("div", { className: "dialog-acts" }, close, this.removeButton, this.keepButton));
    count.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#measure(), PAUSE_MS);
    });
    this.dialog.addEventListener("close", () => {
      this.aborter?.abort();
      this.dialog.remove();
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
    await this.#paint();
    await this.#measure();
  }
  #button(text, className, act) {
    const button = el("button", { type: "button", className, textContent: text });
    button.addEventListener("click", act);
    return button;
  }
  async #paint() {
    const kept = await this.offline.store.all();
    const waiting = kept.filter(({ reading }) => !this.isDone(reading.id));
    this.removeButton.disabled = !kept.length;
    this.state.textContent = kept.length
      ? `Kept now: ${readings(kept.length)}, ${sized(total(kept))}; ${waiting.length} still to grade.`
      : "Nothing is kept on this computer now.";
    this.onchange(kept.length);
  }
  async #measure() {
    this.aborter?.abort();
    const aborter = (this.aborter = new AbortController());
    const n = Math.round(Number(this.count.value));
    this.plan = null;
    this.keepButton.disabled = true;
    if (!(n >= LEAST && n <= MOST)) {
      this.size.textContent = `Choose ${LEAST} to ${MOST} readings.`;
      return;
    }
    this.size.textContent = "Measuring …";
    try {
      const onstep = (found) => { if (!aborter.signal.aborted) this.size.textContent = `Measuring … ${found.length} of ${n}`; };
      const plan = await this.offline.plan(this.from(), n, { isDone: this.isDone, onstep, signal: aborter.signal });
      if (!plan || aborter.signal.aborted) return;
      await this.#offer(plan);
    } catch (error) {
      if (!aborter.signal.aborted) this.size.textContent = error.message;
    }
  }
  async #offer(plan) {
    const room = await this.offline.room();
    const fits = await this.offline.fits(plan);
    const free = room === null ? "This browser does not say how much is free." : `${sized(room)} are free for it.`;
    this.size.textContent = plan.length
      ? `${readings(plan.length)}, ${sized(total(plan))}. ${free}${fits ? "" : " That is too little: choose fewer."}`
      : "No reading waits for you here.";
    this.plan = plan;
    this.keepButton.disabled = !plan.length || !fits;
  }
  async #keep() {
    const { plan } = this;
    this.keepButton.disabled = true;
    Object.assign(this.meter, { hidden: false, max: plan.length, value: 0 });
    const onstep = (done) => {
      this.meter.value = done;
      this.size.textContent = `Kept ${done} of ${readings(plan.length)} …`;
    };
    try {
      await this.offline.keep(plan, { onstep, signal: this.aborter.signal });
      this.size.textContent = `${readings(plan.length)} are kept on this computer. You can go offline.`;
    } catch (error) {
      if (this.aborter.signal.aborted) return;
      const full = error.name === "QuotaExceededError";
      this.size.textContent = full ? "The store of this browser is full: choose fewer readings." : error.message;
    }
    this.meter.hidden = true;
    await this.#paint();
  }
  async #remove() {
    await this.offline.store.clear();
    this.size.textContent = "Removed. What you have graded and not sent stays kept.";
    await this.#paint();
  }
}
