// Icons: 18 x 18, one stroke weight, drawn for this app.
const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  row: "M2 4h4v10H2zM7 4h4v10H7zM12 4h4v10h-4z",
  spotlight: "M2 4h4v4.6H2zM2 9.6h4v4.4H2zM7.5 4H16v10H7.5z",
  pair: "M2 4h6.4v10H2zM9.6 4H16v10H9.6z",
  solo: "M3 4h12v10H3z",
  window: "M9 3a6 6 0 1 0 0 12zM9 3a6 6 0 0 1 0 12",
  pan: "M9 2v14M2 9h14M9 2 7 4M9 2l2 2M9 16l-2-2M9 16l2-2M2 9l2-2M2 9l2 2M16 9l-2-2M16 9l-2 2",
  zoom: "M8 3.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6zM11.6 11.6 15.5 15.5M6 8h4M8 6v4",
  slice: "M4 3h10v3H4zM4 7.5h10v3H4zM4 12h10v3H4z",
  swipe: "M3 4h12v10H3zM9 2v14M6.5 9H4.8M11.5 9h1.7",
  difference: "M9 3v6M6 6h6M6 14h6",
  checker: "M3 3h12v12H3zM3 9h12M9 3v12M3.5 3.5h5v5h-5zM9.5 9.5h5v5h-5z",
  fit: "M3 6.5V3h3.5M11.5 3H15v3.5M15 11.5V15h-3.5M6.5 15H3v-3.5",
  invert: "M3 3h12v12H3zM3 15 15 3M11.5 9.5v4M9.5 11.5h4",
  flip: "M9 2v14M7 5 2.5 13H7zM11 5l4.5 8H11z",
  rotate: "M14.5 9a5.5 5.5 0 1 1-1.7-4M13 2v3.2H9.8",
  smooth: "M2 12c2.3 0 2.3-6 4.7-6S9 12 11.3 12 13.7 6 16 6",
  reset: "M3.5 9a5.5 5.5 0 1 0 1.7-4M5 2v3.2h3.2",
  overlays: "M3 3h4M3 3v4M15 3h-4M15 3v4M3 15h4M3 15v-4M15 15h-4M15 15v-4",
  keys: "M2 5h14v8H2zM5 8h.01M8 8h.01M11 8h.01M13.5 8h.01M5.5 10.7h7",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 18 18");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
