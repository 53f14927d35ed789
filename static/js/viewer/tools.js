// Tools: what each mouse button does, by profile. A profile is data: button and modifier -> act.

export const PROFILES = {
  "pacs-ohif": {
    name: "PACS (left = window)", left: "window", middle: "pan", right: "zoom", "space+left": "pan",
    "shift+left": "pan", wheel: "slice", "ctrl+wheel": "zoom",
  },
  "pacs-scroll": {
    name: "PACS (left = scroll)", left: "slice", middle: "window", right: "zoom", "space+left": "pan",
    "shift+left": "pan", wheel: "slice", "ctrl+wheel": "zoom",
  },
  slicer: {
    name: "3D Slicer", left: "window", middle: "pan", right: "zoom", "shift+left": "pan", "space+left": "pan",
    wheel: "slice", "ctrl+wheel": "zoom",
  },
  touch: {
    name: "Touch / laptop", left: "slice", middle: "pan", right: "window", "shift+left": "pan", "space+left": "pan",
    wheel: "slice", "ctrl+wheel": "zoom",
  },
};
const BUTTONS = ["left", "middle", "right"];
const SLICE_PX = 6; // travel of the mouse for one slice

export class Tools {
  constructor(area, { paneAt, acts }) {
    Object.assign(this, { area, paneAt, acts });
    Object.assign(this, { profileKey: "pacs-ohif", space: false, chosen: null, drag: null });
    area.addEventListener("pointerdown", (event) => this.#down(event));
    area.addEventListener("pointermove", (event) => this.#move(event));
    area.addEventListener("pointerleave", (event) => { if (!this.drag) acts.hover(null, event); });
    for (const end of ["pointerup", "pointercancel"]) area.addEventListener(end, () => { this.drag = null; });
    area.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    area.addEventListener("contextmenu", (event) => { if (paneAt(event)) event.preventDefault(); });
    area.addEventListener("dblclick", (event) => {
      const pane = paneAt(event);
      if (pane) acts.solo(pane);
    });
  }
  get profile() { return PROFILES[this.profileKey]; }

  #down(event) {
    const pane = this.paneAt(event);
    if (!pane || event.target.closest("button, select, a")) return;
    event.preventDefault();
    pane.element.focus({ preventScroll: true });
    this.acts.activate(pane);
    const button = BUTTONS[event.button] ?? "left";
    const modifier = this.space ? "space+" : event.shiftKey ? "shift+" : "";
    let does = this.profile[modifier + button] ?? this.profile[button];
    if (button === "left" && !modifier) does = this.acts.grabs(pane, event) ? "split" : this.chosen ?? does;
    this.drag = { pane, does, x: event.clientX, y: event.clientY, travel: 0 };
    this.area.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const { drag, acts } = this;
    if (!drag) {
      acts.hover(this.paneAt(event), event);
      return;
    }
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    Object.assign(drag, { x: event.clientX, y: event.clientY });
    if (drag.does === "split") acts.split(drag.pane, event);
    else if (drag.does === "window") acts.window(drag.pane, dx, dy);
    else if (drag.does === "pan") acts.pan(drag.pane, dx, dy);
    else if (drag.does === "zoom") acts.zoom(drag.pane, Math.exp(-dy * 0.008));
    else if (drag.does === "slice") {
      drag.travel += dy;
      const step = Math.trunc(drag.travel / SLICE_PX);
      drag.travel -= step * SLICE_PX;
      if (step) acts.slice(drag.pane, step);
    }
  }

  #wheel(event) {
    const pane = this.paneAt(event);
    if (!pane) return;
    event.preventDefault();
    const does = this.profile[`${event.ctrlKey ? "ctrl+" : ""}wheel`];
    if (does === "zoom") this.acts.zoom(pane, Math.exp(-Math.sign(event.deltaY) * 0.12), event);
    else this.acts.slice(pane, Math.sign(event.deltaY));
  }
}
