// Which renderer: WebGL2 where there is a graphics card, the table where there is none. Thin clients and remote
// desktops offer WebGL2 drawn by the processor, which is slower than the table, and not every browser says so:
// hence a trial, once a tab.
import { GlRenderer } from "./gl_renderer.js";
import { TableRenderer } from "./table_renderer.js";

const KEY = "medgen.draw";
const QUICK_MS = 6;
const BUDGET_BYTES = 192 * 1024 * 1024;

function trial() {
  const renderer = new GlRenderer(new OffscreenCanvas(512, 512), { budget: 1e7 });
  const a = { frame: new Int16Array(512 * 512), cols: 512, rows: 512, color: false, low: -1, high: 1, invert: false };
  const job = {
    rect: { x: 0, y: 0, width: 512, height: 512 }, a, b: null, turn: [1, 0, 0, 1], center: [256, 256], mode: "plain",
    smooth: true, split: 0, cell: 48, gain: 1,
  };
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    renderer.draw([job]);
    renderer.finish();
    if (i) best = Math.min(best, performance.now() - start); // the first one compiles
  }
  renderer.gl.getExtension("WEBGL_lose_context")?.loseContext();
  return best;
}

/** Milliseconds to draw and finish one 512 x 512 pane in WebGL2 here; Infinity without it. */
export function probe() {
  try {
    return trial();
  } catch {
    return Infinity; // no WebGL2, or none that works
  }
}

function chosen() {
  const kept = sessionStorage.getItem(KEY);
  if (kept) return kept;
  const prefer = probe() < QUICK_MS ? "gl" : "table";
  sessionStorage.setItem(KEY, prefer);
  return prefer;
}

/** A renderer for a canvas. `prefer` is "gl", "table" or null for the trial's answer. */
export function makeRenderer(canvas, { budget = BUDGET_BYTES, prefer = null } = {}) {
  if ((prefer ?? chosen()) === "gl") {
    try {
      return new GlRenderer(canvas, { budget });
    } catch {
      return new TableRenderer(canvas); // the card said no after all
    }
  }
  return new TableRenderer(canvas);
}
