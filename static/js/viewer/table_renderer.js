// Drawing without a graphics card: a table of 65,536 entries turns samples into gray, a 2D canvas places the
// picture. Color pictures are placed as they are.

const ORANGE = [255, 184, 77];
const BLUE = [92, 168, 255];
const DIM = 26; // gray where two images agree

function mixed(d) {
  const m = Math.min(1, Math.abs(d));
  const end = d > 0 ? ORANGE : BLUE;
  const part = (i) => (DIM + (end[i] - DIM) * m) & 255;
  return (0xff000000 | (part(2) << 16) | (part(1) << 8) | part(0)) >>> 0;
}

/** Colors of a difference of displayed gray, for -255 to 255. */
function differenceTable(gain) {
  return Uint32Array.from({ length: 511 }, (_, i) => mixed(((i - 255) / 255) * gain));
}

export class TableRenderer {
  kind = "table";
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.sheets = new WeakMap();
    this.table = new Uint32Array(65536);
    this.differences = new Map();
    this.ratio = 1;
  }

  resize(width, height, ratio) {
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
  }

  /** Fill the table for a window in stored samples. */
  #fill({ low, high, invert }) {
    const key = `${low},${high},${invert}`;
    if (this.held === key) return;
    const { table } = this;
    const gain = 255 / (high - low || 1e-6);
    const flip = invert ? 255 : 0;
    for (let v = 0; v < 65536; v++) {
      const g = (v - 32768 - low) * gain;
      const gray = (g < 0 ? 0 : g > 255 ? 255 : g | 0) ^ flip;
      table[v] = 0xff000000 | (gray * 0x010101);
    }
    this.held = key;
  }

  /** A kept picture of a pane, made anew only when its samples or window changed. */
  #sheet(owner, slot, image, key, fill) {
    if (!this.sheets.has(owner)) this.sheets.set(owner, {});
    const all = this.sheets.get(owner);
    let sheet = all[slot];
    if (!sheet || sheet.canvas.width !== image.cols || sheet.canvas.height !== image.rows) {
      const canvas = new OffscreenCanvas(image.cols, image.rows);
      const picture = new ImageData(image.cols, image.rows);
      const pixels = new Uint32Array(picture.data.buffer);
      sheet = all[slot] = { canvas, context: canvas.getContext("2d", { alpha: false }), picture, pixels };
    }
    if (sheet.frames?.[0] === key.frames[0] && sheet.frames?.[1] === key.frames[1] && sheet.window === key.window) {
      return sheet.canvas;
    }
    fill(sheet.pixels);
    sheet.context.putImageData(sheet.picture, 0, 0);
    Object.assign(sheet, key);
    return sheet.canvas;
  }

  #picture(owner, image, slot) {
    if (image.color) return image.frame;
    const key = { frames: [image.frame], window: `${image.low},${image.high},${image.invert}` };
    return this.#sheet(owner, slot, image, key, (pixels) => {
      const { frame } = image;
      const { table } = this;
      this.#fill(image);
      for (let i = 0; i < frame.length; i++) pixels[i] = table[frame[i] + 32768];
    });
  }

  /** Displayed gray, 0-255, of every pixel. */
  #levels(image) {
    if (image.color) return image.stack.luminance(image.frame);
    const { frame } = image;
    const { table } = this;
    const levels = new Uint8Array(frame.length);
    this.#fill(image);
    for (let i = 0; i < frame.length; i++) levels[i] = table[frame[i] + 32768] & 255;
    return levels;
  }

  #difference(owner, a, b, gain) {
    const window = [a.low, a.high, a.invert, b.low, b.high, b.invert, gain].join();
    return this.#sheet(owner, "difference", a, { frames: [a.frame, b.frame], window }, (pixels) => {
      if (!this.differences.has(gain)) this.differences.set(gain, differenceTable(gain));
      const colors = this.differences.get(gain);
      const mine = this.#levels(a);
      const theirs = this.#levels(b);
      const column = Uint32Array.from({ length: a.cols }, (_, x) => ((x + 0.5) * b.cols) / a.cols);
      for (let y = 0, i = 0; y < a.rows; y++) {
        const row = Math.floor(((y + 0.5) * b.rows) / a.rows) * b.cols;
        for (let x = 0; x < a.cols; x++, i++) pixels[i] = colors[mine[i] - theirs[row + column[x]] + 255];
      }
    });
  }

  draw(jobs) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const job of jobs) if (job.a?.frame) this.#drawOne(job);
  }

  #drawOne(job) {
    const { context, ratio } = this;
    const { rect, a, owner, mode, gain } = job;
    const b = job.b?.frame ? job.b : null;
    context.save();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.beginPath();
    context.rect(rect.x, rect.y, rect.width, rect.height);
    context.clip();
    if (mode === "difference" && b) this.#put(job, this.#difference(owner, a, b, gain), a);
    else this.#put(job, this.#picture(owner, a, "a"), a);
    if ((mode === "swipe" || mode === "checker") && b) {
      this.#clipOther(job);
      context.fillStyle = "#000";
      context.fillRect(rect.x, rect.y, rect.width, rect.height);
      this.#put(job, this.#picture(owner, b, "b"), b);
    }
    context.restore();
  }

  #clipOther({ rect, mode, split, cell }) {
    const { context } = this;
    context.beginPath();
    if (mode === "swipe") context.rect(rect.x, rect.y, Math.min(rect.width, rect.width / 2 + split), rect.height);
    else {
      for (let y = 0; y * cell < rect.height; y++) {
        for (let x = y & 1; x * cell < rect.width; x += 2) {
          context.rect(rect.x + x * cell, rect.y + y * cell, cell, cell);
        }
      }
    }
    context.clip();
  }

  /** Place a picture with the geometry of the pane's own image. */
  #put({ rect, a, turn: [m0, m1, m2, m3], center, smooth }, picture, image) {
    const { context } = this;
    const det = m0 * m3 - m1 * m2;
    context.save();
    context.translate(rect.x + rect.width / 2, rect.y + rect.height / 2);
    context.transform(m3 / det, -m1 / det, -m2 / det, m0 / det, 0, 0);
    context.translate(-center[0], -center[1]);
    context.scale(a.cols / image.cols, a.rows / image.rows);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(picture, 0, 0);
    context.restore();
  }

  finish() { this.context.getImageData(0, 0, 1, 1); }
}
