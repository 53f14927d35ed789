// Arrange: where each place of a reading stands. A pure rule: places in, a CSS grid out.
//
// A place has a role (input, reference, output) and may hold an image, words or both. Images hang left to right:
// input, reference, output. Several inputs make a strip. Texts without images stand right of the images, below
// each other, in lines of one width.

const lcm = (a, b) => {
  const gcd = (x, y) => (y ? gcd(y, x % y) : x);
  return (a / gcd(a, b)) * b;
};
const area = (row, column, height = 1, width = 1) => `${row} / ${column} / span ${height} / span ${width}`;
const even = (n) => `repeat(${n}, minmax(0, 1fr))`;
const of = (places, role) => places.filter((place) => place.role === role);

/** One row; inputs in the first column, below each other. */
function row(places) {
  const inputs = of(places, "input");
  const others = places.filter((place) => place.role !== "input");
  const strips = inputs.length > 3 ? 2 : 1;
  const rows = Math.max(1, Math.ceil(inputs.length / strips));
  const areas = new Map();
  inputs.forEach((place, i) => areas.set(place, area(1 + Math.floor(i / strips), 1 + (i % strips))));
  const offset = inputs.length ? strips : 0;
  others.forEach((place, i) => areas.set(place, area(1, 1 + offset + i, rows)));
  if (strips === 2) return { rows: even(rows), columns: `${even(2)} repeat(${others.length}, minmax(0, 2fr))`, areas };
  return { rows: even(rows), columns: even(offset + others.length), areas };
}

/** Two rows: inputs and reference above, outputs below. */
function bands(places) {
  const above = places.filter((place) => place.role !== "output");
  const below = of(places, "output");
  const columns = lcm(Math.max(1, above.length), Math.max(1, below.length));
  const areas = new Map();
  above.forEach((place, i) => {
    areas.set(place, area(1, 1 + (i * columns) / above.length, 1, columns / above.length));
  });
  below.forEach((place, i) => {
    areas.set(place, area(2, 1 + (i * columns) / below.length, 1, columns / below.length));
  });
  return { rows: even(2), columns: even(columns), areas };
}

/** The output in hand large, the rest in a column beside it. */
function spotlight(places, current) {
  const rest = places.filter((place) => place.role !== "output");
  const areas = new Map([[current, area(1, rest.length ? 2 : 1, Math.max(1, rest.length))]]);
  rest.forEach((place, i) => areas.set(place, area(1 + i, 1)));
  const columns = rest.length ? "minmax(0, 38fr) minmax(0, 62fr)" : even(1);
  return { rows: even(Math.max(1, rest.length)), columns, areas };
}

/** What it is compared with, and the output in hand. */
function pair(places, current) {
  const base = of(places, "reference")[0] ?? of(places, "input")[0];
  const both = [base, current].filter(Boolean);
  return { rows: even(1), columns: even(both.length), areas: new Map(both.map((p, i) => [p, area(1, 1 + i)])) };
}

/** Images left, texts right. */
function beside(places) {
  const images = places.filter((place) => place.image);
  const texts = places.filter((place) => !place.image);
  const strips = images.length > 2 ? 2 : 1;
  const strip = Math.max(1, Math.ceil(images.length / strips));
  const rows = lcm(strip, texts.length);
  const areas = new Map();
  images.forEach((place, i) => {
    const height = rows / strip;
    areas.set(place, area(1 + Math.floor(i / strips) * height, 1 + (i % strips), height));
  });
  const column = images.length ? strips + 1 : 1;
  texts.forEach((place, i) => areas.set(place, area(1 + (i * rows) / texts.length, column, rows / texts.length)));
  const share = rows / texts.length;
  const first = images.length < 2 && texts.length > 1 && share === 1 ? `fit-content(${texts.length > 2 ? 34 : 48}%) ` : "";
  const left = images.length ? (strips === 2 ? "minmax(0, 6fr) minmax(0, 6fr) " : "minmax(0, 11fr) ") : "";
  return { rows: first ? `${first}${even(rows - 1)}` : even(rows), columns: `${left}minmax(0, 10fr)`, areas };
}

/**
 * @param places `{ role, image }` in order
 * @param hanging "row", "spotlight", "pair" or "solo"
 * @param current the place in hand: shown alone in "solo", large in "spotlight"
 * @returns `{ rows, columns, areas }`; a place without an area is hidden
 */
export function arrange(places, hanging, current) {
  if (hanging === "solo" && current) {
    return { rows: even(1), columns: even(1), areas: new Map([[current, area(1, 1)]]) };
  }
  const outputs = of(places, "output");
  if (places.some((place) => !place.image)) return beside(places);
  const output = current?.role === "output" ? current : outputs.at(-1);
  if (hanging === "spotlight" && output) return spotlight(places, output);
  if (hanging === "pair" && output) return pair(places, output);
  const columns = Math.min(1, of(places, "input").length) + places.length - of(places, "input").length;
  return columns > 3 && outputs.length ? bands(places) : row(places);
}
