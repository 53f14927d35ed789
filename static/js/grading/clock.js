// Time: active while there was input within the last minute, idle otherwise; counted in steps of a second while the
// page is seen. Increments are taken once, with the draft or grade they belong to.

const STEP_MS = 1000;
const IDLE_AFTER_MS = 60_000;
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel", "input"];

export class WorkClock {
  constructor() {
    Object.assign(this, { active: 0, idle: 0, seen: performance.now(), at: performance.now() });
    for (const name of INPUT) window.addEventListener(name, () => this.#input(), { passive: true, capture: true });
    setInterval(() => this.#count(), STEP_MS);
  }
  #input() {
    this.#count();
    this.seen = performance.now();
  }
  #count() {
    const now = performance.now();
    const passed = now - this.at;
    this.at = now;
    if (!document.hidden && now - this.seen < IDLE_AFTER_MS) this.active += passed;
    else this.idle += passed;
  }
  /** Milliseconds since the last time they were taken. */
  take() {
    this.#count();
    const taken = { active_ms: Math.round(this.active), idle_ms: Math.round(this.idle) };
    this.restart();
    return taken;
  }
  /** Another reading begins. */
  restart() {
    this.#count();
    Object.assign(this, { active: 0, idle: 0 });
  }
}
