// Pane: one image place. Its view is independent of size: zoom is relative to "fit", the center is a fraction of the
// image, so that panes of different pixels can be linked.

export const START = Object.freeze({
  zoom: 1, x: 0.5, y: 0.5, slice: 0, center: 0, width: 1, invert: false, flip: false, rotate: 0, smooth: true,
});

export class Pane {
  constructor({ role, label, name = label, element, place, modality = "" }) {
    Object.assign(this, { role, label, name, element, place, modality });
    this.stack = null;
    this.problem = null; // why there is no image, in words
    this.rect = { x: 0, y: 0, width: 0, height: 0 };
    this.view = { ...START };
  }

  show(stack) {
    this.stack = stack;
    this.problem = null;
    this.reset();
  }

  get displayUnits() { return this.stack?.units === "gray" && this.stack.quantile(1) <= 255; }
  get hounsfield() { return this.stack?.units === "HU"; }
  get color() { return Boolean(this.stack?.color); }
  get frame() { return this.stack?.frames[this.view.slice] ?? null; }
  get aspect() {
    const spacing = this.stack?.header.spacing_mm;
    return spacing && spacing[0] > 0 && spacing[1] > 0 ? spacing[0] / spacing[1] : 1;
  }
  /** Samples whose low values are white (MONOCHROME1) start inverted; the reader's inversion turns that round. */
  get inverted() { return Boolean(this.stack?.header.inverted) !== this.view.invert; }

  startWindow() {
    const { stack } = this;
    if (!stack || stack.color || this.displayUnits) return { center: 127.5, width: 255 };
    if (stack.header.window) return { ...stack.header.window };
    const low = stack.quantile(0.005);
    const high = stack.quantile(0.995);
    return { center: (low + high) / 2, width: Math.max(high - low, stack.grain) };
  }

  reset() {
    const middle = this.stack ? Math.floor((this.stack.count - 1) / 2) : 0;
    this.view = { ...START, slice: middle, ...this.startWindow() };
  }

  /** Screen pixels per image pixel at zoom 1. */
  get fit() {
    if (!this.stack) return 1;
    const { rows, cols } = this.stack.header;
    const turned = this.view.rotate % 180 !== 0;
    const w = turned ? rows * this.aspect : cols;
    const h = turned ? cols : rows * this.aspect;
    return Math.min(this.rect.width / w, this.rect.height / h) || 1;
  }
  get scale() { return this.fit * this.view.zoom; }

  /** Column-major 2x2 from screen pixels (from the pane's center) to image pixels. */
  get turn() {
    const angle = (-this.view.rotate * Math.PI) / 180;
    const c = Math.cos(angle);
    const s = Math.sin(angle);
    const k = 1 / this.scale;
    const f = this.view.flip ? -1 : 1;
    const a = this.aspect;
    return [f * c * k, (s * k) / a, -f * s * k, (c * k) / a];
  }
  get middle() {
    const { rows, cols } = this.stack.header;
    return [this.view.x * cols, this.view.y * rows];
  }

  toImage(px, py) {
    const [a, b, c, d] = this.turn;
    const [mx, my] = this.middle;
    const x = px - this.rect.x - this.rect.width / 2;
    const y = py - this.rect.y - this.rect.height / 2;
    return [a * x + c * y + mx, b * x + d * y + my];
  }
  toScreen(ix, iy) {
    const [a, b, c, d] = this.turn;
    const [mx, my] = this.middle;
    const det = a * d - b * c;
    const x = ix - mx;
    const y = iy - my;
    return [(d * x - c * y) / det + this.rect.width / 2, (-b * x + a * y) / det + this.rect.height / 2];
  }

  /** What the renderer needs to know of this pane's image. */
  image() {
    if (!this.frame) return null;
    const { stack, view, frame } = this;
    const { cols, rows } = stack.header;
    if (stack.color) return { frame, cols, rows, color: true, low: 0, high: 255, invert: false, stack };
    const low = stack.stored(view.center - view.width / 2);
    const high = stack.stored(view.center + view.width / 2);
    return { frame, cols, rows, color: false, low, high, invert: this.inverted, stack };
  }

  /** A drawing job: this image, and another one in the same place when compared. */
  job({ other = null, mode = "plain", split = 0, gain = 1 } = {}) {
    return {
      owner: this, rect: this.rect, a: this.image(), b: other?.image() ?? null, turn: this.turn, center: this.middle,
      mode, split, gain, cell: 48, smooth: this.view.smooth,
    };
  }
}
