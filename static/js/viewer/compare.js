// Compare: an output against the reference (or the input), in place. Blink while a key is held; swipe, signed
// difference and checkerboard until switched off. The difference is of displayed gray (after each image's own
// window), because an output in display units has no other common scale.

export const WAYS = ["swipe", "difference", "checker"];
const GAIN = 2;
const ALL = 1e6; // a split beyond every pane: only the other image is seen

export class Compare {
  constructor() {
    this.against = "reference";
    this.clear();
  }
  clear() { Object.assign(this, { way: "plain", blinking: false, split: 0 }); }
  toggle(way) {
    this.way = this.way === way ? "plain" : way;
    this.split = 0;
    return this.way;
  }

  /** The image compared with: the chosen role, else whichever there is. */
  base(panes) {
    const of = (role) => panes.find((pane) => pane.role === role && pane.stack);
    return of(this.against) ?? of("reference") ?? of("input") ?? null;
  }

  /** Whether the base is drawn over this pane. */
  covers(pane, base) { return Boolean(base?.frame) && pane !== base && pane.role === "output"; }

  /** Drawing job of a pane under the present comparison. */
  job(pane, base) {
    if (!this.covers(pane, base)) return pane.job();
    if (this.blinking) return pane.job({ other: base, mode: "swipe", split: ALL });
    if (this.way === "plain") return pane.job();
    return pane.job({ other: base, mode: this.way, split: this.split, gain: GAIN });
  }

  label(pane, base) {
    if (!this.covers(pane, base)) return "";
    const name = base.label.toLowerCase();
    if (this.blinking) return `showing ${name}`;
    return {
      plain: "", swipe: `left of line: ${name}`, difference: `minus ${name}, shown gray ×${GAIN}`,
      checker: `checkerboard with ${name}`,
    }[this.way];
  }
}
