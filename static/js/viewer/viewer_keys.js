// Keys of the viewer: letters work from everywhere, arrows and digits only where the viewer has the focus.
import { HANGINGS } from "./wall.js";

export class ViewerKeys {
  constructor(wall, toolbar) {
    Object.assign(this, { wall, toolbar });
    const { acts } = wall;
    this.letters = {
      b: () => wall.blink(true), d: () => toolbar.way("difference"), s: () => toolbar.way("swipe"),
      x: () => toolbar.way("checker"), c: () => toolbar.otherBase(), o: () => toolbar.overlays(),
      l: () => toolbar.linkAll(), v: () => this.#nextHanging(), "[": () => wall.step(-1), "]": () => wall.step(1),
      i: () => acts.toggle(wall.active, "invert"), h: () => acts.toggle(wall.active, "flip"),
      "=": () => acts.fit(wall.active), r: (event) => acts.reset(wall.active, event.shiftKey),
    };
  }
  #nextHanging() {
    const { hanging } = this.wall;
    this.toolbar.hang(HANGINGS[(HANGINGS.indexOf(hanging) + 1) % HANGINGS.length]);
  }

  preset(n) {
    this.toolbar.preset(n);
    return true;
  }
  release() { this.wall.blink(false); }
  space(down) { this.wall.tools.space = down; }
  letter(event) {
    const act = this.letters[event.key.toLowerCase()];
    if (!act || !this.wall.active) return false;
    act(event);
    return true;
  }
  key(event) {
    const { wall } = this;
    const pane = wall.active;
    if (!pane || !document.activeElement.closest(".pane")) return this.letter(event);
    const tenth = Math.max(1, Math.round(pane.stack.count / 10));
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -tenth, PageDown: tenth, Home: -1e6, End: 1e6 };
    if (steps[event.key]) wall.acts.slice(pane, steps[event.key]);
    else if (event.key === "ArrowLeft") wall.step(-1);
    else if (event.key === "ArrowRight") wall.step(1);
    else if (event.key === " ") this.space(true);
    else if (event.key === "+") wall.acts.zoom(pane, 1.15);
    else if (event.key === "-") wall.acts.zoom(pane, 1 / 1.15);
    else return this.letter(event);
    return true;
  }
}
