// Keyboard: the focused region decides what digits mean. In the rubric 1-9 are scores, in the viewer they are window
// presets; Alt+digit is a preset everywhere, Shift+digit an output. Nothing fires while typing, except Escape and
// Ctrl+Enter, nor while a dialog is open. Digits are read from the physical row (AZERTY), letters from the
// character produced.

export function regionOf(element) {
  if (!element || element === document.body) return "rubric";
  return element.closest?.("[data-region]")?.dataset.region ?? "page";
}
const FIELDS = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";
const typing = (element) => element?.matches?.(FIELDS);
const digitOf = (event) => (/^(Digit|Numpad)[0-9]$/.test(event.code) ? Number(event.code.at(-1)) : null);
const acted = (event, done) => {
  if (done) event.preventDefault();
  return done;
};

export class Keyboard {
  constructor({ viewer, rubric, page, onregion }) {
    this.maps = { viewer, rubric, page };
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => {
      if (event.key.toLowerCase() === "b") viewer.release();
      if (event.key === " ") viewer.space(false);
    });
    document.addEventListener("focusin", (event) => onregion(regionOf(event.target)));
    window.addEventListener("blur", () => {
      viewer.release();
      viewer.space(false);
    });
  }

  #down(event) {
    if (document.querySelector("dialog[open]")) return;
    const { page } = this.maps;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "Enter") acted(event, page.submit());
    else if (event.key === "Escape") acted(event, page.escape(document.activeElement));
    else if (typing(document.activeElement)) return;
    else if (command) this.#command(event);
    else if (event.altKey) this.#alt(event);
    else this.#plain(event);
  }
  #command(event) {
    const { page } = this.maps;
    const key = event.key.toLowerCase();
    if (event.altKey || (key !== "z" && key !== "y")) return;
    acted(event, event.shiftKey || key === "y" ? page.redo() : page.undo());
  }
  #alt(event) {
    const { viewer, page } = this.maps;
    const digit = digitOf(event);
    if (digit !== null) acted(event, viewer.preset(digit));
    else if (event.key === "ArrowLeft") acted(event, page.turn(false));
    else if (event.key === "ArrowRight") acted(event, page.turn(true));
  }
  #plain(event) {
    const { viewer, rubric, page } = this.maps;
    const region = regionOf(document.activeElement);
    const digit = digitOf(event);
    if (digit !== null) {
      if (event.shiftKey && acted(event, rubric.output(digit))) return;
      acted(event, region === "viewer" ? viewer.preset(digit) : rubric.digit(digit));
      return;
    }
    if (event.key === "F6") {
      acted(event, page.nextRegion());
      return;
    }
    if (region === "rubric" && acted(event, rubric.key(event))) return;
    if (region === "viewer" && acted(event, viewer.key(event))) return;
    if (acted(event, page.key(event))) return;
    // acts of the other region still work by their letter: no letter means two things
    if (event.key.length !== 1) return;
    if (region !== "viewer" && acted(event, viewer.letter(event))) return;
    if (region !== "rubric") acted(event, rubric.letter(event));
  }
}
