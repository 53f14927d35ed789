// The map of keys and mouse, shown by "?".
import { el } from "./elements.js";

const MAP = [
  ["Scores", [
    ["1 – 9, 0", "score (0 is 10), then the next criterion"], ["N", "not applicable, then 1–4 for the reason"],
    ["Enter", "next criterion (Shift: previous)"], ["E", "error code"], ["T", "rationale"],
    ["F", "harm, then 1–4"], ["Ctrl Enter", "submit and next; or go to what is missing"],
    ["Ctrl Z", "undo; takes a submission back for 6 s"], ["Ctrl Shift Z, Y", "redo"], ["A", "amend a submitted reading"], ["K", "skip, with a reason"],
  ]],
  ["Comparing outputs", [
    ["1 – 4", "left, tie, right, neither (of all: A, B, C …)"], ["← →", "left or right is better"],
    ["W", "how much better, then 1–4"],
  ]],
  ["Several outputs", [["Shift 1 – 3", "output A, B, C"], [", .", "previous, next output"]]],
  ["Images", [
    ["1 – 9", "window preset, viewer focused"], ["Alt 1 – 9", "window preset, anywhere"],
    ["↑ ↓", "slice; PgUp PgDn a tenth; Home End"], ["[ ] or ← →", "previous, next pane"],
    ["R", "reset pane (Shift: all)"],
    ["= + −", "fit, zoom"], ["I H", "invert, flip"], ["V", "hanging"], ["L", "link all, none"], ["O", "corner texts"],
  ]],
  ["Compare", [
    ["B (hold)", "blink"], ["S", "swipe"], ["D", "signed difference"], ["X", "checkerboard"],
    ["C", "with the reference or the input"],
  ]],
  ["Mouse", [
    ["left", "window (or as chosen below)"], ["middle, Space", "pan"], ["right", "zoom"],
    ["wheel", "slices; Ctrl: zoom"],
    ["double click", "one pane"],
  ]],
  ["Regions", [
    ["Tab, F6", "rubric ↔ viewer"], ["Esc", "leave a field"], ["Alt ← →", "previous, next reading"],
    ["?", "this map"],
  ]],
];

export function fillKeymap(dialog) {
  const sections = MAP.map(([title, rows]) => el("section", {},
    el("h3", { textContent: title }),
    el("dl", {}, ...rows.flatMap(([key, words]) => [
      el("dt", { textContent: key }), el("dd", { textContent: words })]))));
  dialog.querySelector(".keys").replaceChildren(...sections);
}
