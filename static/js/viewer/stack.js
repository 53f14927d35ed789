// Stack: the frames of one image as the server delivers them. No DICOM reaches the browser; a header of display
// facts and a file of encoded frames do. The file is fetched by range, in groups, nearest to the first shown frame.
import { decodeAside } from "./workers.js";

const GROUP = 16; // frames a request
let kept = async () => null;

/** Name where images kept on this computer are: (address) -> a promise of their bytes as a Blob, or of null. */
export function lookFirst(source) { kept = source; }

/** A kept file as the server would answer for it, a range of it included. */
function answerOf(blob, range) {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (first === undefined) return new Response(blob);
  return new Response(blob.slice(Number(first), Number(last) + 1), { status: 206 });
}

async function fetched(url, options) {
  const here = await kept(new URL(url).pathname);
  if (here) return answerOf(here, options.headers?.Range);
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("no connection");
  }
  if (response.redirected || response.status === 401 || response.status === 403) throw new Error("signed out");
  if (response.status === 410) throw new Error("it failed its checksum");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response;
}

/** Whether a header has what drawing needs. */
function isWhole({ frames, rows, cols, offsets, quantiles, slope }) {
  const sized = [frames, rows, cols].every((n) => Number.isInteger(n) && n > 0);
  return sized && offsets?.length === frames + 1 && quantiles?.length > 1 && Number.isFinite(slope) && slope !== 0;
}

export class Stack {
  constructor(header, address) {
    this.header = header;
    this.address = address;
    this.frames = new Array(header.frames).fill(null);
    this.failed = new Map(); // frame -> reason
    this.bias = header.signed ? 0 : 32768;
    this.color = header.channels === 3;
    this.listeners = new Set();
    this.luminances = new WeakMap();
  }

  static async open(url, { signal } = {}) {
    const address = new URL(url, document.baseURI);
    const header = await (await fetched(address, { signal })).json();
    if (!isWhole(header)) throw new Error("its description is incomplete");
    return new Stack(header, new URL(header.data, address));
  }

  /** Fetch and decode every frame, those nearest to `first` first. */
  load({ first = 0, signal } = {}) {
    this.loading ??= this.#loadAll(first, signal).finally(() => {
      if (this.failed.size) this.loading = null; // so that it can be tried again
    });
    return this.loading;
  }

  async #loadAll(first, signal) {
    const groups = [];
    for (let start = 0; start < this.count; start += GROUP) groups.push([start, Math.min(start + GROUP, this.count)]);
    const distance = ([a, b]) => (first < a ? a - first : first >= b ? first - b + 1 : 0);
    groups.sort((a, b) => distance(a) - distance(b));
    for (const group of groups) {
      try {
        await this.#loadGroup(group, first, signal);
      } catch (error) {
        if (error.name === "AbortError") throw error;
        this.#fail(group, error.message);
      }
    }
  }

  async #loadGroup([from, to], first, signal) {
    const missing = this.#missing(from, to);
    if (!missing.length) return;
    const { offsets } = this.header;
    const whole = from === 0 && to === this.count;
    const headers = whole ? {} : { Range: `bytes=${offsets[from]}-${offsets[to] - 1}` };
    const response = await fetched(this.address, { signal, headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const base = response.status === 206 ? offsets[from] : 0;
    missing.sort((a, b) => Math.abs(a - first) - Math.abs(b - first));
    await Promise.all(missing.map(async (i) => {
      try {
        const frame = await decodeAside(bytes.slice(offsets[i] - base, offsets[i + 1] - base), this.header);
        this.frames[i] = frame;
        this.failed.delete(i);
        this.#tell(i);
      } catch (error) {
        this.#fail([i, i + 1], error.message);
      }
    }));
  }

  #missing(from, to) {
    const list = [];
    for (let i = from; i < to; i++) if (!this.frames[i]) list.push(i);
    return list;
  }
  #fail([from, to], reason) {
    for (let i = from; i < to; i++) {
      this.failed.set(i, reason);
      this.#tell(i);
    }
  }
  #tell(i) { for (const listener of this.listeners) listener(i); }

  /** Give the frames back to memory; the stack can be loaded again. */
  release() {
    for (const frame of this.frames) frame?.close?.();
    this.frames.fill(null);
    this.loading = null;
  }

  get count() { return this.header.frames; }
  get loaded() { return this.frames.reduce((n, frame) => n + (frame ? 1 : 0), 0); }
  get bytes() { return this.count * this.header.rows * this.header.cols * (this.color ? 4 : 2); }
  get units() { return this.header.units; }
  /** The smallest step of a value. */
  get grain() { return Math.abs(this.header.slope) || 1; }

  /** The value at an image pixel in the stack's unit (luminance for color), or null. */
  at(i, x, y) {
    const { rows, cols, slope, intercept } = this.header;
    const frame = this.frames[i];
    if (!frame || x < 0 || y < 0 || x >= cols || y >= rows) return null;
    if (this.color) return this.luminance(frame)[y * cols + x];
    return (frame[y * cols + x] + this.bias) * slope + intercept;
  }

  /** Displayed gray of a color frame, 0-255 (Rec. 601), made once. */
  luminance(frame) {
    let gray = this.luminances.get(frame);
    if (gray) return gray;
    const { rows, cols } = this.header;
    const context = new OffscreenCanvas(cols, rows).getContext("2d", { alpha: false, willReadFrequently: true });
    context.drawImage(frame, 0, 0);
    const { data } = context.getImageData(0, 0, cols, rows);
    gray = new Uint8Array(rows * cols);
    for (let i = 0, j = 0; i < gray.length; i++, j += 4) {
      gray[i] = (data[j] * 299 + data[j + 1] * 587 + data[j + 2] * 114) / 1000;
    }
    this.luminances.set(frame, gray);
    return gray;
  }

  /** A value as a stored sample, for textures and tables. */
  stored(value) { return (value - this.header.intercept) / this.header.slope - this.bias; }

  /** Value at a percentile (0..1) from the header's quantile table; beyond the ends it goes on in a line. */
  quantile(p) {
    const q = this.header.quantiles;
    const last = q.length - 1;
    if (p < 0) return q[0] + p * (q[last] - q[0]);
    if (p > 1) return q[last] + (p - 1) * (q[last] - q[0]);
    const t = p * last;
    const i = Math.max(0, Math.min(last - 1, Math.floor(t)));
    return q[i] + (q[i + 1] - q[i]) * (t - i);
  }

  /** Percentile of a value: the inverse of `quantile`. */
  rank(value) {
    const q = this.header.quantiles;
    const last = q.length - 1;
    const span = q[last] - q[0] || 1;
    if (value <= q[0]) return (value - q[0]) / span;
    if (value >= q[last]) return 1 + (value - q[last]) / span;
    let lo = 0;
    let hi = last;
    while (hi - lo > 1) {
      const mid = (lo + hi) >> 1;
      if (q[mid] <= value) lo = mid;
      else hi = mid;
    }
    return (lo + (value - q[lo]) / (q[hi] - q[lo] || 1)) / last;
  }
}
