// Toolbar of a wall: hanging, left button, presets, comparison, orientation, links.
import { WAYS } from "./compare.js";
import { icon } from "./icons.js";
import { PROPERTIES } from "./links.js";
import { presetOf, presetsFor, windowOf } from "./presets.js";

const HANG_WORDS = { row: "Side by side", spotlight: "Output large", pair: "Reference and output", solo: "One pane" };
const LEFT_WORDS = { window: "Window", pan: "Pan", zoom: "Zoom", slice: "Scroll" };
const WAY_WORDS = {
  swipe: ["Swipe over the reference", "S"], difference: ["Signed difference to the reference", "D"],
  checker: ["Checkerboard with the reference", "X"],
};
const LINK_WORDS = {
  zoom: "zoom", pan: "pan", slice: "slice", window: "W/L", invert: "inv", flip: "flip", rotate: "rot",
};

function group(name, ...children) {
  const element = document.createElement("div");
  element.className = "group";
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", name);
  element.append(...children);
  return element;
}

export class Toolbar {
  constructor(root, wall, { announce = () => {}, onhang = () => {} } = {}) {
    Object.assign(this, { root, wall, announce, onhang });
    this.buttons = {};
    this.presets = this.#select("Window preset", "Window preset (1–9 in the viewer, Alt+digit anywhere)");
    this.presets.addEventListener("change", () => this.preset(Number(this.presets.value)));
    this.against = this.#select("Compare with", "Compare the output with the reference or the input (C)");
    this.against.append(new Option("vs ref.", "reference"), new Option("vs input", "input"));
    this.against.addEventListener("change", () => this.compareWith(this.against.value));
    root.append(...this.#groups());
  }

  #groups() {
    const { wall } = this;
    const { acts } = wall;
    const press = (...rest) => this.#button(...rest);
    const onActive = (act) => () => { if (wall.active) act(wall.active); };
    return [
      group("Hanging", ...Object.entries(HANG_WORDS).map(([name, words]) => (
        press(name, words, "V", () => this.hang(name), name === "row")))),
      group("Left button", ...Object.entries(LEFT_WORDS).map(([name, words]) => (
        press(`left-${name}`, `${words} with the left button`, "", () => this.choose(name), false, name)))),
      group("Window", this.presets),
      group("Comparison", ...WAYS.map((name) => (
        press(name, ...WAY_WORDS[name], () => this.way(name), false))), this.against),
      group("Orientation",
        press("fit", "Fit", "=", onActive((pane) => acts.fit(pane))),
        this.#worded("one-to-one", "1:1", "One image pixel per screen pixel", onActive((pane) => acts.oneToOne(pane))),
        press("invert", "Invert", "I", onActive((pane) => acts.toggle(pane, "invert"))),
        press("flip", "Flip", "H", onActive((pane) => acts.toggle(pane, "flip"))),
        press("rotate", "Rotate 90°", "", onActive((pane) => acts.rotate(pane))),
        press("smooth", "Interpolation", "", onActive((pane) => this.#press("smooth", acts.smooth(pane))), true),
        press("reset", "Reset", "R", onActive((pane) => acts.reset(pane, false)))),
      this.#links(),
      group("Overlays", press("overlays", "Hide corner texts", "O", () => this.overlays(), false)),
    ];
  }
  #links() {
    const label = Object.assign(document.createElement("span"), { className: "label", textContent: "Linked" });
    const links = PROPERTIES.map((property) => {
      const act = () => this.#press(`link-${property}`, this.wall.links.toggle(property));
      const title = `Link ${property} between panes (L: all)`;
      return this.#worded(`link-${property}`, LINK_WORDS[property], title, act, true);
    });
    const element = group("Linked between panes", label, ...links);
    element.classList.add("links");
    this.links = element;
    return element;
  }

  #select(name, title) {
    const select = Object.assign(document.createElement("select"), { title });
    select.setAttribute("aria-label", name);
    return select;
  }
  #button(name, words, key, act, pressed, picture = name) {
    const button = this.#worded(name, "", key ? `${words} (${key})` : words, act, pressed);
    button.setAttribute("aria-label", words);
    button.append(icon(picture));
    return button;
  }
  #worded(name, text, title, act, pressed) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "tool", title });
    button.textContent = text;
    button.dataset.tool = name;
    if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
    button.addEventListener("click", act);
    this.buttons[name] = button;
    return button;
  }
  #press(name, on) { this.buttons[name].setAttribute("aria-pressed", String(Boolean(on))); }

  // --- acts, also called by keys ----------------------------------------------------------------
  hang(name) {
    this.wall.hang(name);
    if (name !== "solo") this.onhang(name);
  }
  choose(name) {
    const { tools } = this.wall;
    tools.chosen = tools.chosen === name ? null : name;
    for (const each of Object.keys(LEFT_WORDS)) this.#press(`left-${each}`, tools.chosen === each);
  }
  way(name) {
    this.wall.way(name);
    this.showWay();
  }
  showWay() { for (const name of WAYS) this.#press(name, this.wall.compare.way === name); }
  overlays() { this.#press("overlays", this.wall.toggleOverlays()); }
  linkAll() {
    this.wall.links.toggleAll();
    for (const property of PROPERTIES) this.#press(`link-${property}`, this.wall.links.on[property]);
  }
  compareWith(role) {
    this.wall.against(role);
    this.against.value = role;
    this.announce(`Compared with the ${role}`);
  }
  otherBase() { this.compareWith(this.wall.compare.against === "reference" ? "input" : "reference"); }
  preset(key) {
    const pane = this.wall.active;
    const preset = presetsFor(pane).find((each) => each.key === key);
    if (!preset) return;
    this.wall.acts.setWindow(pane, windowOf(preset, pane));
    this.announce(preset.name);
  }

  // --- what the wall tells ----------------------------------------------------------------------
  showActive(pane) {
    const list = presetsFor(pane).map(({ key, name, width, center }) => (
      new Option(`${key}  ${name}${width ? ` ${width}/${center}` : ""}`, key)));
    this.presets.replaceChildren(new Option(pane.color ? "No window" : "Window preset", ""), ...list);
    this.presets.disabled = pane.color;
  }
  showPainted() {
    const value = String((this.wall.active && presetOf(this.wall.active)?.key) ?? "");
    if (this.presets.value !== value) this.presets.value = value;
  }
  /** Links are offered where there are several panes to link. */
  showLinks(count) { this.links.hidden = count < 2; }
  showHanging(name) { for (const each of Object.keys(HANG_WORDS)) this.#press(each, each === name); }
  /** Comparison is offered where an output has an image and something to compare it with. */
  showBases(specs) {
    const has = (role) => specs.some((spec) => spec.role === role && spec.frames);
    const both = has("output") && has("reference") && has("input");
    const any = has("output") && (has("reference") || has("input"));
    for (const name of WAYS) this.buttons[name].disabled = !any;
    this.against.disabled = !both;
    this.against.value = has("reference") ? "reference" : "input";
    this.wall.compare.against = this.against.value;
    this.showWay();
    this.showLinks(specs.filter((spec) => spec.frames).length);
  }
}
