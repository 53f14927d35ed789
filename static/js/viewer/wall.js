// Wall: all panes of a reading on one canvas, their links, comparison, hanging and drawing.
import { Acts } from "./acts.js";
import { arrange } from "./arrange.js";
import { Compare } from "./compare.js";
import { Links } from "./links.js";
import { shown, unitOf } from "./overlay.js";
import { buildPlace } from "./place.js";
import { presetOf } from "./presets.js";
import { makeRenderer } from "./renderer.js";
import { StackStore } from "./store.js";
import { Tools } from "./tools.js";

export const HANGINGS = ["row", "spotlight", "pair"];
const RATIO_MOST = 2; // screen pixels per CSS pixel that are worth drawing

export class Wall {
  /**
   * @param root an element; canvas and places are made inside
   * @param onactive called with the active pane, `onpaint` after each drawing, `onpoint` with (pane, x, y)
   */
  constructor(root, { store = new StackStore(), prefer = null, onactive, onpaint, onpoint, onlayout } = {}) {
    Object.assign(this, { root, store, onactive, onpaint, onpoint, onlayout });
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.places = document.createElement("div");
    this.places.className = "places";
    root.append(this.canvas, this.places);
    this.renderer = makeRenderer(this.canvas, { prefer });
    root.dataset.renderer = this.renderer.kind;
    this.renderer.onrestore = () => this.redraw();
    Object.assign(this, { panes: [], active: null, alone: null, hanging: "row", bare: false, cursor: null });
    this.links = new Links();
    this.compare = new Compare();
    this.acts = new Acts(this);
    this.tools = new Tools(root, { paneAt: (event) => this.paneAt(event), acts: this.acts });
    new ResizeObserver(() => this.measure()).observe(root);
  }

  get images() { return this.panes.filter((pane) => pane.stack); }
  paneAt(event) { return this.images.find((pane) => pane.element.contains(event.target)) ?? null; }

  /** Show the panes of a reading; resolves when every image is complete or has failed. */
  async show(specs, { modality = "" } = {}) {
    for (const pane of this.panes) pane.unlisten?.();
    Object.assign(this, { active: null, alone: null, cursor: null, chosen: false });
    this.compare.clear();
    this.panes = specs.map((spec) => buildPlace(spec, { modality }));
    this.links.panes = this.panes;
    this.places.replaceChildren(...this.panes.map((pane) => pane.place));
    this.places.classList.toggle("with-words", this.panes.some((pane) => pane.words && pane.element));
    this.places.classList.toggle("several", this.panes.filter((pane) => pane.role === "output").length > 1);
    for (const pane of this.panes) {
      pane.element?.addEventListener("focus", () => { if (pane.stack) this.acts.activate(pane); });
    }
    this.layout();
    this.store.show(specs.map((spec) => spec.frames).filter(Boolean));
    await Promise.all(this.panes.map((pane, i) => specs[i].frames && this.#fill(pane, specs[i].frames)));
  }

  async #fill(pane, address) {
    const mine = () => this.panes.includes(pane);
    const again = () => this.#fill(pane, address);
    pane.overlay.say("Loading");
    try {
      const stack = await this.store.open(address);
      if (!mine()) return;
      const listen = () => this.redraw();
      stack.listeners.add(listen);
      pane.unlisten = () => stack.listeners.delete(listen);
      pane.retry = again;
      if (pane.stack !== stack) pane.show(stack);
      this.#offer(pane);
      this.redraw();
      await stack.load({ first: pane.view.slice });
    } catch (error) {
      if (!mine()) return;
      pane.problem = error.message;
      pane.overlay.say(`The image could not be loaded: ${error.message}.`, again);
    }
    this.redraw();
  }
  /** A pane whose image has come is active until a better one comes or the reader chooses. */
  #offer(pane) {
    const worth = (each) => (each?.role === "output" ? (each.label === this.inHand ? 2 : 1) : 0);
    if (!this.active || (!this.chosen && worth(pane) > worth(this.active))) this.activate(pane);
  }

  activate(pane, { chosen = false } = {}) {
    this.chosen ||= chosen;
    if (this.active === pane) return;
    this.active = pane;
    for (const each of this.panes) each.element?.classList.toggle("active", each === pane);
    this.onactive?.(pane);
  }
  /** Make the pane of an output active, if it has an image; used when another output is graded. */
  activateOutput(label) {
    const pane = this.images.find((each) => each.role === "output" && each.label === label);
    for (const each of this.panes) {
      each.place.classList.toggle("in-hand", each.role === "output" && each.label === label);
    }
    this.inHand = label;
    if (pane) this.activate(pane);
    this.layout();
  }
  step(by) {
    const list = this.images;
    if (!list.length) return;
    const next = list[(list.indexOf(this.active) + by + list.length) % list.length];
    if (this.alone) {
      this.alone = next;
      this.layout();
    }
    next.element.focus({ preventScroll: true });
    this.activate(next);
  }

  // --- hanging --------------------------------------------------------------------------------
  hang(name) {
    this.alone = name === "solo" ? this.active : null;
    if (name !== "solo") this.hanging = name;
    this.layout();
  }
  solo(pane) {
    this.alone = this.alone === pane ? null : pane;
    this.layout();
  }
  layout() {
    const places = this.panes.map((pane) => ({ role: pane.role, image: Boolean(pane.element), pane }));
    const hanging = this.alone ? "solo" : this.hanging;
    const current = this.alone
      ? places.find((place) => place.pane === this.alone)
      : places.find((place) => place.role === "output" && place.pane.label === this.inHand);
    const { rows, columns, areas } = arrange(places, hanging, current);
    this.places.style.gridTemplate = `${rows} / ${columns}`;
    for (const place of places) {
      place.pane.place.style.gridArea = areas.get(place) ?? "";
      place.pane.place.hidden = !areas.has(place);
    }
    this.onlayout?.(hanging);
    this.measure();
  }
  toggleOverlays() {
    this.bare = !this.bare;
    this.root.classList.toggle("bare", this.bare);
    return this.bare;
  }

  // --- drawing: at most once per display frame -------------------------------------------------
  measure() {
    const base = this.root.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, RATIO_MOST);
    this.renderer.resize(base.width, base.height, ratio);
    for (const pane of this.panes) {
      if (!pane.element) continue;
      const box = pane.element.getBoundingClientRect();
      pane.rect = { x: box.x - base.x, y: box.y - base.y, width: box.width, height: box.height };
    }
    this.redraw();
  }
  redraw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.#paint());
  }
  #paint() {
    this.scheduled = false;
    const { compare } = this;
    const base = compare.base(this.panes);
    const shown = this.images.filter((pane) => pane.rect.width > 0);
    this.renderer.draw(shown.map((pane) => compare.job(pane, base)));
    for (const pane of shown) this.#paintOverlay(pane, base);
    this.onpaint?.();
    this.root.dispatchEvent(new Event("medgen:painted")); // for those who count frames
  }
  #paintOverlay(pane, base) {
    const { compare, cursor, links } = this;
    pane.overlay.update({
      preset: presetOf(pane)?.name ?? "",
      compareLabel: compare.label(pane, base),
      split: compare.way === "swipe" && !compare.blinking && compare.covers(pane, base) ? compare.split : null,
      cursor: cursor && cursor.pane !== pane && links.on.pan ? cursor.at : null,
    });
    const { slice } = pane.view;
    const failed = pane.stack.failed.get(slice);
    const which = pane.stack.count > 1 ? `Slice ${slice + 1}` : "The image";
    if (pane.frame) pane.overlay.say(null);
    else if (failed) pane.overlay.say(`${which} could not be loaded: ${failed}.`, pane.retry);
    else pane.overlay.say("Loading");
  }

  // --- pointing and comparing ------------------------------------------------------------------
  /** The pointer stands on image pixel (x, y) of a pane, or on none. */
  point(pane, x, y) {
    if (!pane && !this.cursor) return;
    const { cols, rows } = pane?.stack.header ?? {};
    this.cursor = pane && { pane, at: [x / cols, y / rows] };
    this.onpoint?.(pane, Math.floor(x), Math.floor(y));
    this.redraw();
  }
  /** The value under the pointer, in words. */
  probe(pane, x, y) {
    const value = pane?.stack.at(pane.view.slice, x, y);
    if (value === null || value === undefined) return "";
    const unit = pane.color ? "luminance" : unitOf(pane);
    return `${pane.label}   ${x}, ${y}   ${shown(value, 10 * pane.stack.grain)} ${unit}`;
  }
  way(name) {
    this.compare.toggle(name);
    this.redraw();
  }
  blink(on) {
    if (this.compare.blinking === on) return;
    this.compare.blinking = on;
    this.redraw();
  }
  against(role) {
    this.compare.against = role;
    this.redraw();
  }
}
