// [data-mask]: the page of one picture in quarantine. Rectangles are drawn over the viewer or typed in the list; the
// form sends them in a hidden field. The server covers the pixels; nothing is changed here.
import { Toolbar } from "../viewer/toolbar.js";
import { ViewerKeys } from "../viewer/viewer_keys.js";
import { Wall } from "../viewer/wall.js";
import { Rectangles } from "./rectangles.js";

const SVG = "http://www.w3.org/2000/svg";
const NAMES = ["Left", "Top", "Width", "Height"];
const typing = (target) => target.matches("input, select, textarea");

function build(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function mountViewer(stage, onpaint) {
  const tools = build("div", { className: "tools" });
  tools.setAttribute("role", "toolbar");
  tools.setAttribute("aria-label", "Viewer tools");
  const area = build("div", { className: "wall" });
  const probe = build("p", { className: "viewer-probe" });
  stage.replaceChildren(tools, area, probe);
  let toolbar = null;
  const wall = new Wall(area, {
    onactive: (pane) => toolbar?.showActive(pane),
    onpaint: () => { toolbar?.showPainted(); onpaint(); },
    onlayout: (name) => toolbar?.showHanging(name),
    onpoint: (pane, x, y) => { probe.textContent = wall.probe(pane, x, y); },
  });
  toolbar = new Toolbar(tools, wall);
  const specs = [{ role: "input", label: "Image", frames: stage.dataset.frames }];
  toolbar.showBases(specs);
  const keys = new ViewerKeys(wall, toolbar);
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key.toLowerCase() === "d" || event.key.toLowerCase() === "h") return;
    if (keys.key(event)) event.preventDefault();
  });
  stage.addEventListener("keyup", (event) => { if (event.key === " ") keys.space(false); });
  wall.show(specs, { modality: stage.dataset.modality ?? "" });
  return wall;
}

class MaskPage {
  constructor(area) {
    this.area = area;
    this.field = area.querySelector("[data-rectangles]");
    const { columns, rowsCount } = area.dataset;
    this.rectangles = new Rectangles(Number(columns), Number(rowsCount), this.#given());
    this.drawing = false;
    this.after = false;
    this.drag = null;
    const stage = area.querySelector("[data-mask-stage]");
    this.wall = mountViewer(stage, () => this.#paint());
    [this.pane] = this.wall.panes;
    this.shapes = document.createElementNS(SVG, "svg");
    this.shapes.setAttribute("class", "shapes masks");
    this.shapes.setAttribute("aria-hidden", "true");
    this.pane.element.append(this.shapes);
    this.#bindDrawing(this.pane.element);
    this.#bindButtons();
    this.#show();
  }

  #given() {
    try {
      return JSON.parse(this.field.value || "[]");
    } catch {
      return [];
    }
  }
  #part(name) { return this.area.querySelector(`[data-${name}]`); }

  // --- drawing --------------------------------------------------------------------------------
  #at(event) {
    const box = this.pane.element.getBoundingClientRect();
    return this.pane.toImage(this.pane.rect.x + event.clientX - box.x, this.pane.rect.y + event.clientY - box.y);
  }
  #bindDrawing(element) {
    element.addEventListener("pointerdown", (event) => {
      if (!this.drawing || event.button !== 0 || !this.pane.stack) return;
      event.preventDefault();
      event.stopPropagation();
      element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      this.drag = [this.#at(event), this.#at(event)];
    });
    element.addEventListener("pointermove", (event) => {
      if (!this.drag) return;
      event.stopPropagation();
      this.drag[1] = this.#at(event);
      this.wall.redraw();
    });
    element.addEventListener("pointerup", (event) => {
      if (!this.drag) return;
      event.stopPropagation();
      const made = this.rectangles.between(...this.drag);
      this.drag = null;
      if (made) this.rectangles.add(made);
      this.#show();
    });
    element.addEventListener("pointercancel", () => {
      this.drag = null;
      this.wall.redraw();
    });
  }

  // --- acts -----------------------------------------------------------------------------------
  #bindButtons() {
    const acts = {
      draw: () => { this.drawing = !this.drawing; },
      add: () => this.rectangles.addDefault(),
      undo: () => this.rectangles.undo(),
      redo: () => this.rectangles.redo(),
      after: () => { this.after = !this.after; },
    };
    for (const [name, act] of Object.entries(acts)) {
      this.#part(name).addEventListener("click", () => {
        act();
        this.#show();
        if (name === "add") this.#part("list").querySelector("li:last-child input").focus();
      });
    }
    document.addEventListener("keydown", (event) => {
      if (typing(event.target) || event.altKey) return;
      const held = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      const act = held ? { z: event.shiftKey ? acts.redo : acts.undo, y: acts.redo }[key] : { d: acts.draw, h: acts.after }[key];
      if (!act) return;
      event.preventDefault();
      act();
      this.#show();
    });
  }

  // --- what is shown --------------------------------------------------------------------------
  #show() {
    const { rectangles } = this;
    const n = rectangles.all.length;
    this.field.value = JSON.stringify(rectangles.all);
    this.#part("draw").setAttribute("aria-pressed", String(this.drawing));
    this.#part("after").setAttribute("aria-pressed", String(this.after));
    this.#part("undo").disabled = !rectangles.canUndo;
    this.#part("redo").disabled = !rectangles.canRedo;
    this.#part("store").disabled = !n;
    this.#part("said").textContent = n ? `${n} rectangle${n === 1 ? "" : "s"}.` : "No rectangle yet.";
    this.#list();
    this.wall.redraw();
  }

  #list() {
    const list = this.#part("list");
    const rows = this.rectangles.all.map((rectangle, index) => this.#row(rectangle, index));
    list.replaceChildren(...rows);
  }
  #row(rectangle, index) {
    const inputs = rectangle.map((value, place) => {
      const input = build("input", { type: "number", min: place > 1 ? 1 : 0, step: 1, value });
      input.addEventListener("change", () => {
        this.rectangles.replace(index, this.rectangles.fitted(inputs.map((each) => each.value)));
        this.#show();
        this.#part("list").children[index].querySelectorAll("input")[place].focus();
      });
      return input;
    });
    const labels = inputs.map((input, place) => build("label", {}, NAMES[place], input));
    const remove = build("button", { type: "button", className: "button small", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove rectangle ${index + 1}`);
    remove.addEventListener("click", () => {
      this.rectangles.remove(index);
      this.#show();
      this.#part("add").focus();
    });
    return build("li", {}, ...labels, remove);
  }

  #paint() {
    const { pane, shapes } = this;
    if (!shapes || !pane.stack || pane.rect.width <= 0) return;
    shapes.setAttribute("viewBox", `0 0 ${pane.rect.width} ${pane.rect.height}`);
    shapes.classList.toggle("after", this.after);
    const drawn = this.drag && this.rectangles.between(...this.drag);
    const all = this.rectangles.all.map((each) => this.#polygon(each));
    if (drawn) all.push(this.#polygon(drawn, "current"));
    shapes.replaceChildren(...all);
  }
  #polygon([left, top, width, height], kind = "") {
    const corners = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]];
    const polygon = document.createElementNS(SVG, "polygon");
    const points = corners.map(([x, y]) => this.pane.toScreen(x, y).map((each) => each.toFixed(1)).join(","));
    polygon.setAttribute("points", points.join(" "));
    if (kind) polygon.setAttribute("class", kind);
    return polygon;
  }
}

for (const area of document.querySelectorAll("[data-mask]")) {
  if (area.querySelector("[data-mask-stage]")) new MaskPage(area);
}
