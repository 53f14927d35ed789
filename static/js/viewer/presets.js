// Presets: either a fixed center and width or percentiles, never both. CT rows are offered only where samples are
// Hounsfield units; color pictures have none.

export const CT = [
  { key: 1, name: "Soft tissue", width: 400, center: 40 },
  { key: 2, name: "Lung", width: 1500, center: -600 },
  { key: 3, name: "Mediastinum", width: 350, center: 50 },
  { key: 4, name: "Bone", width: 2000, center: 500 },
  { key: 5, name: "Brain", width: 80, center: 40 },
  { key: 6, name: "Stroke", width: 40, center: 40 },
  { key: 7, name: "Subdural", width: 200, center: 75 },
  { key: 8, name: "Liver", width: 150, center: 90 },
  { key: 9, name: "Angio", width: 600, center: 200 },
];
export const RELATIVE = [
  { key: 1, name: "As delivered", start: true },
  { key: 2, name: "0.5–99.5 %", low: 0.005, high: 0.995 },
  { key: 3, name: "2–98 %", low: 0.02, high: 0.98 },
  { key: 4, name: "Full range", low: 0, high: 1 },
  { key: 5, name: "Upper half", low: 0.5, high: 0.998 },
  { key: 6, name: "Lower half", low: 0.02, high: 0.6 },
];

export function presetsFor(pane) {
  if (!pane?.stack || pane.color) return [];
  return pane.hounsfield ? CT : RELATIVE;
}

/** Window of a preset on a pane; refuses Hounsfield presets on anything that is not CT. */
export function windowOf(preset, pane) {
  if (preset.start) return pane.startWindow();
  if (preset.low === undefined) {
    if (!pane.hounsfield) throw new Error(`${preset.name} is in HU; this pane shows ${pane.stack.units}`);
    return { center: preset.center, width: preset.width };
  }
  const low = pane.stack.quantile(preset.low);
  const high = pane.stack.quantile(preset.high);
  return { center: (low + high) / 2, width: Math.max(high - low, pane.stack.grain) };
}

export function presetOf(pane) {
  return presetsFor(pane).find((preset) => {
    const { width, center } = windowOf(preset, pane);
    return width === pane.view.width && center === pane.view.center;
  });
}
