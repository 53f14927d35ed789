// Links: seven properties, each linked or not. Window/level is linked by value only between panes of the same unit;
// across units it travels by percentile, never by number (a lung window means nothing on an 8-bit picture).

export const PROPERTIES = ["zoom", "pan", "slice", "window", "invert", "flip", "rotate"];
const FIELDS = {
  zoom: ["zoom"], pan: ["x", "y"], slice: ["slice"], window: ["center", "width"], invert: ["invert"], flip: ["flip"],
  rotate: ["rotate"],
};

export class Links {
  constructor() {
    this.panes = [];
    this.on = Object.fromEntries(PROPERTIES.map((property) => [property, true]));
  }
  get any() { return PROPERTIES.some((property) => this.on[property]); }
  toggle(property) {
    this.on[property] = !this.on[property];
    return this.on[property];
  }
  toggleAll() {
    const to = !this.any;
    for (const property of PROPERTIES) this.on[property] = to;
    return to;
  }

  /** Set fields of one property on a pane and on those linked to it. */
  set(source, property, values) {
    Object.assign(source.view, values);
    if (!this.on[property]) return;
    for (const pane of this.panes) if (pane !== source && pane.stack) follow(source, pane, property);
  }
}

function follow(source, pane, property) {
  if (property === "window") followWindow(source, pane);
  else if (property === "slice") pane.view.slice = matchSlice(source, pane);
  else for (const field of FIELDS[property]) pane.view[field] = source.view[field];
}

function matchSlice(source, pane) {
  const from = source.stack.count;
  const to = pane.stack.count;
  if (from === to) return source.view.slice;
  return Math.round((source.view.slice / Math.max(1, from - 1)) * (to - 1));
}

function followWindow(source, pane) {
  if (source.color || pane.color) return;
  const { center, width } = source.view;
  if (source.stack.units === pane.stack.units && source.displayUnits === pane.displayUnits) {
    Object.assign(pane.view, { center, width });
    return;
  }
  const low = pane.stack.quantile(source.stack.rank(center - width / 2));
  const high = pane.stack.quantile(source.stack.rank(center + width / 2));
  Object.assign(pane.view, { width: Math.max(high - low, pane.stack.grain), center: (low + high) / 2 });
}
