// Overlay: the only text over pixels is in the four corners; the scale bar, the swipe line and the twin of the
// cursor are vector shapes above the canvas. O hides all of it.

const SVG = "http://www.w3.org/2000/svg";
const LENGTHS_MM = [1, 2, 5, 10, 20, 50, 100, 200];
const BAR_PX = 96; // longest scale bar

function node(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
const UNITS = { gray: "gray", signal: "signal", HU: "HU", SUV: "SUV", bq_ml: "Bq/ml" };
export const unitOf = (pane) => UNITS[pane.stack.units] ?? "";

/** A value of a window in as many digits as its width asks for. */
export function shown(value, width) {
  const digits = width >= 10 ? 0 : Math.min(4, 1 + Math.max(0, Math.ceil(-Math.log10(width))));
  return value.toFixed(digits);
}

export class Overlay {
  constructor(pane) {
    this.pane = pane;
    this.last = {};
    this.corner = {};
    for (const place of ["tl", "tr", "bl", "br"]) {
      this.corner[place] = document.createElement("div");
      this.corner[place].className = `corner ${place}`;
    }
    this.name = document.createElement("span");
    this.name.className = "corner-name";
    this.name.textContent = pane.label;
    this.note = document.createElement("span");
    this.note.className = "corner-note";
    this.corner.tl.append(this.name, this.note);
    this.barText = document.createElement("span");
    this.bar = node("svg", { class: "scale-bar", "aria-hidden": "true", width: 120, height: 10 });
    this.barLine = this.bar.appendChild(node("path", { fill: "none" }));
    this.corner.br.append(this.barText, this.bar);
    this.svg = node("svg", { class: "shapes", "aria-hidden": "true" });
    this.line = this.svg.appendChild(node("line", { class: "swipe-line", y1: 0 }));
    this.cross = this.svg.appendChild(node("path", { class: "cross", d: "M-9 0H-3M3 0H9M0 -9V-3M0 3V9" }));
    this.message = document.createElement("div");
    this.message.className = "pane-message";
    this.message.hidden = true;
    pane.element.append(...Object.values(this.corner), this.svg, this.message);
  }

  #text(target, key, value) {
    if (this.last[key] === value) return;
    target.textContent = value;
    this.last[key] = value;
  }

  update({ preset, compareLabel, split, cursor }) {
    const { pane } = this;
    if (!pane.stack || pane.rect.width <= 0) return;
    this.#text(this.note, "note", compareLabel || this.#units());
    this.#text(this.corner.tr, "tr", this.#position());
    this.corner.tr.hidden = !this.last.tr;
    this.#text(this.corner.bl, "bl", `${this.#window(preset)}\n${this.#geometry()}`);
    this.#scale();
    this.#shapes(split, cursor);
  }

  #units() {
    const { pane } = this;
    if (pane.color) return "";
    if (pane.displayUnits) return pane.modality === "ct" ? "display units, not HU" : "display units";
    return "";
  }
  #position() {
    const { stack, view } = this.pane;
    const { frames, slice_mm: mm, kind } = stack.header;
    if (frames === 1) return mm ? `${mm} mm slice` : "";
    const place = mm && kind !== "sequence" ? ` · ${((view.slice + 0.5) * mm).toFixed(1)} mm` : "";
    const loading = stack.loaded < frames ? ` · ${stack.loaded} loaded` : "";
    return `${view.slice + 1} / ${frames}${place}${loading}`;
  }
  #window(preset) {
    const { pane } = this;
    if (pane.color) return "color: no window";
    const { width, center, invert } = pane.view;
    const unit = pane.displayUnits ? "gray 0–255" : unitOf(pane);
    const words = `W ${shown(width, width)}  L ${shown(center, width)} ${unit}`;
    return `${words}${preset ? ` · ${preset}` : ""}${invert ? " · inverted" : ""}`;
  }
  #geometry() {
    const { view, scale } = this.pane;
    return `${Math.round(scale * 100)} %${view.flip ? " · flipped" : ""}${view.rotate ? ` · ${view.rotate}°` : ""}`;
  }

  #scale() {
    const { spacing_mm: spacing } = this.pane.stack.header;
    if (!spacing) {
      this.#text(this.barText, "bar", "no scale");
      this.bar.style.display = "none";
      return;
    }
    const turned = this.pane.view.rotate % 180 !== 0;
    const perMm = (this.pane.scale * (turned ? this.pane.aspect : 1)) / spacing[turned ? 0 : 1];
    const mm = LENGTHS_MM.findLast((length) => length * perMm <= BAR_PX) ?? 1;
    const width = mm * perMm;
    const key = `${mm}:${width.toFixed(1)}`;
    if (this.last.scale === key) return;
    this.last.scale = key;
    this.bar.style.display = "";
    this.#text(this.barText, "bar", mm >= 10 ? `${mm / 10} cm` : `${mm} mm`);
    this.bar.setAttribute("width", Math.ceil(width) + 2);
    const end = (width + 1).toFixed(1);
    this.barLine.setAttribute("d", `M1 2V8M1 5H${end}M${end} 2V8`);
  }

  #shapes(split, cursor) {
    const { pane } = this;
    const { width, height } = pane.rect;
    const { cols, rows } = pane.stack.header;
    this.svg.setAttribute("viewBox", `0 0 ${Math.max(1, width)} ${Math.max(1, height)}`);
    this.line.style.display = split === null ? "none" : "";
    if (split !== null) {
      const x = width / 2 + split;
      for (const [key, value] of [["x1", x], ["x2", x], ["y2", height]]) this.line.setAttribute(key, value);
    }
    this.cross.style.display = cursor ? "" : "none";
    if (cursor) {
      const [x, y] = pane.toScreen(cursor[0] * cols, cursor[1] * rows);
      this.cross.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
  }

  /** Words in the middle of the pane instead of an image, with a way to try again; null takes them away. */
  say(words, retry = null) {
    const key = words && `${words}${retry ? "+" : ""}`;
    if (this.last.message === key) return;
    this.last.message = key;
    this.message.hidden = !words;
    this.message.replaceChildren();
    if (!words) return;
    this.message.append(Object.assign(document.createElement("p"), { textContent: words }));
    if (!retry) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button small", textContent: "Try again" });
    button.addEventListener("click", retry);
    this.message.append(button);
  }
}
