// [data-viewer]: images on an ordinary page. Each child with data-frames (and data-role, data-label) becomes a pane;
// the panes are linked and have the workstation's toolbar and viewer keys.
import { Toolbar } from "../viewer/toolbar.js";
import { ViewerKeys } from "../viewer/viewer_keys.js";
import { Wall } from "../viewer/wall.js";

function bindKeys(area, keys) {
  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.target.matches("select, input")) return;
    const digit = /^Digit[1-9]$/.test(event.code) ? Number(event.code.at(-1)) : null;
    if (digit === null && event.altKey) return;
    if (digit === null ? keys.key(event) : keys.preset(digit)) event.preventDefault();
  });
  area.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") keys.release();
    if (event.key === " ") keys.space(false);
  });
}

function mount(area) {
  const specs = [...area.querySelectorAll("[data-frames]")].map(({ dataset }) => (
    { role: dataset.role ?? "input", label: dataset.label ?? "Image", frames: dataset.frames }));
  if (!specs.length) return;
  const tools = Object.assign(document.createElement("div"), { className: "tools" });
  tools.setAttribute("role", "toolbar");
  tools.setAttribute("aria-label", "Viewer tools");
  const stage = Object.assign(document.createElement("div"), { className: "wall" });
  const probe = Object.assign(document.createElement("p"), { className: "viewer-probe" });
  area.replaceChildren(tools, stage, probe);
  let toolbar = null;
  const wall = new Wall(stage, {
    onactive: (pane) => toolbar?.showActive(pane), onpaint: () => toolbar?.showPainted(),
    onlayout: (name) => toolbar?.showHanging(name),
    onpoint: (pane, x, y) => { probe.textContent = wall.probe(pane, x, y); },
  });
  toolbar = new Toolbar(tools, wall);
  toolbar.showBases(specs);
  bindKeys(area, new ViewerKeys(wall, toolbar));
  wall.show(specs, { modality: area.dataset.modality ?? "" });
}

for (const area of document.querySelectorAll("[data-viewer]")) mount(area);
