// Acts on panes: what mouse, keys and buttons can do. Each changes views through the links and asks for a redraw.

const ZOOM_LEAST = 0.2;
const ZOOM_MOST = 40;
const GRAB_PX = 8; // how near the swipe line the mouse takes it

export class Acts {
  constructor(wall) { this.wall = wall; }

  #set(pane, property, values) {
    this.wall.links.set(pane, property, values);
    this.wall.redraw();
  }
  #at(pane, event) {
    const box = pane.element.getBoundingClientRect();
    return pane.toImage(pane.rect.x + event.clientX - box.x, pane.rect.y + event.clientY - box.y);
  }

  activate(pane) { this.wall.activate(pane, { chosen: true }); }
  solo(pane) { this.wall.solo(pane); }

  window(pane, dx, dy) {
    if (pane.color) return;
    const { width, center } = pane.view;
    const least = pane.stack.grain;
    const gain = Math.max(width / 300, least / 4);
    this.#set(pane, "window", { width: Math.max(least, width + dx * gain), center: center - dy * gain });
  }
  setWindow(pane, values) { if (!pane.color) this.#set(pane, "window", values); }

  pan(pane, dx, dy) {
    const [a, b, c, d] = pane.turn;
    const { cols, rows } = pane.stack.header;
    const { x, y } = pane.view;
    this.#set(pane, "pan", { x: x - (a * dx + c * dy) / cols, y: y - (b * dx + d * dy) / rows });
  }
  /** Zoom by a factor; with an event, the point under the pointer stays where it is. */
  zoom(pane, factor, event = null) {
    const before = event && this.#at(pane, event);
    const zoom = Math.max(ZOOM_LEAST, Math.min(ZOOM_MOST, pane.view.zoom * factor));
    this.#set(pane, "zoom", { zoom });
    if (!before) return;
    const after = this.#at(pane, event);
    const { cols, rows } = pane.stack.header;
    const { x, y } = pane.view;
    this.#set(pane, "pan", { x: x + (before[0] - after[0]) / cols, y: y + (before[1] - after[1]) / rows });
  }
  slice(pane, step) {
    const slice = Math.max(0, Math.min(pane.stack.count - 1, pane.view.slice + step));
    this.#set(pane, "slice", { slice });
  }
  toggle(pane, property) { this.#set(pane, property, { [property]: !pane.view[property] }); }
  rotate(pane) { this.#set(pane, "rotate", { rotate: (pane.view.rotate + 90) % 360 }); }
  fit(pane) {
    this.#set(pane, "zoom", { zoom: 1 });
    this.#set(pane, "pan", { x: 0.5, y: 0.5 });
  }
  oneToOne(pane) { this.#set(pane, "zoom", { zoom: 1 / pane.fit / (window.devicePixelRatio || 1) }); }
  reset(pane, all) {
    for (const each of all ? this.wall.images : [pane]) each.reset();
    this.wall.redraw();
  }
  smooth(pane) {
    const to = !pane.view.smooth;
    for (const each of this.wall.images) each.view.smooth = to;
    this.wall.redraw();
    return to;
  }

  /** Whether the pointer is on the swipe line. */
  grabs(pane, event) {
    const { compare } = this.wall;
    if (compare.way !== "swipe" || pane.role !== "output") return false;
    const { x } = pane.element.getBoundingClientRect();
    return Math.abs(event.clientX - x - pane.rect.width / 2 - compare.split) < GRAB_PX;
  }
  split(pane, event) {
    const half = pane.rect.width / 2;
    const x = event.clientX - pane.element.getBoundingClientRect().x - half;
    this.wall.compare.split = Math.max(-half, Math.min(half, x));
    this.wall.redraw();
  }
  /** The pointer stands on a pane, or on none. */
  hover(pane, event) {
    if (!pane?.stack) {
      this.wall.point(null);
      return;
    }
    const [x, y] = this.#at(pane, event);
    this.wall.point(pane, x, y);
  }
}
