// Rectangles: [left, top, width, height] in whole pixels of a picture, with undo and redo. Nothing here touches a page.

export class Rectangles {
  #past = [];
  #future = [];

  constructor(columns, rows, given = []) {
    Object.assign(this, { columns, rows });
    this.all = given;
  }

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  /** A rectangle between two corners, inside the picture; null when it holds no whole pixel. */
  between([x1, y1], [x2, y2]) {
    const left = Math.max(0, Math.floor(Math.min(x1, x2)));
    const top = Math.max(0, Math.floor(Math.min(y1, y2)));
    const right = Math.min(this.columns, Math.ceil(Math.max(x1, x2)));
    const bottom = Math.min(this.rows, Math.ceil(Math.max(y1, y2)));
    return right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
  }

  /** What was typed, brought inside the picture. */
  fitted([left, top, width, height]) {
    const whole = (value, least, most) => Math.max(least, Math.min(most, Math.round(Number(value)) || 0));
    const x = whole(left, 0, this.columns - 1);
    const y = whole(top, 0, this.rows - 1);
    return [x, y, whole(width, 1, this.columns - x), whole(height, 1, this.rows - y)];
  }

  add(rectangle) { this.#change([...this.all, rectangle]); }
  replace(index, rectangle) { this.#change(this.all.with(index, rectangle)); }
  remove(index) { this.#change(this.all.toSpliced(index, 1)); }

  /** A rectangle to start from with the keyboard: a tenth of the height at the top. */
  addDefault() {
    this.add([0, 0, Math.max(1, Math.round(this.columns / 2)), Math.max(1, Math.round(this.rows / 10))]);
  }

  undo() { this.#step(this.#past, this.#future); }
  redo() { this.#step(this.#future, this.#past); }

  #change(next) {
    if (JSON.stringify(next) === JSON.stringify(this.all)) return;
    this.#past.push(this.all);
    this.#future = [];
    this.all = next;
  }
  #step(from, to) {
    if (!from.length) return;
    to.push(this.all);
    this.all = from.pop();
  }
}
