// Drawing with a graphics card: one canvas and one WebGL2 context under all panes, so linked panes change in the
// same frame. Gray samples live in R16I textures, color pictures in RGBA8.
import { FRAGMENT, VERTEX } from "./shaders.js";

const NAMES = [
  "uHalf", "uA", "uB", "uColorA", "uColorB", "uTurn", "uCenter", "uScaleB", "uSizeA", "uSizeB", "uWindowA", "uWindowB",
  "uMode", "uSmooth", "uIsColorA", "uIsColorB", "uSplit", "uCell", "uGain",
];
const SAMPLERS = ["uA", "uB", "uColorA", "uColorB"]; // texture units 0 to 3
const MODES = { plain: 0, swipe: 1, difference: 2, checker: 3 };

/** The part of a pane that its image covers: the shader runs only there. */
function within([bx, by, bw, bh], { rect, a, turn: [m0, m1, m2, m3], center }, ratio, high) {
  const det = m0 * m3 - m1 * m2;
  const xs = [];
  const ys = [];
  for (const [ix, iy] of [[0, 0], [a.cols, 0], [0, a.rows], [a.cols, a.rows]]) {
    const x = ix - center[0];
    const y = iy - center[1];
    xs.push(rect.x + rect.width / 2 + (m3 * x - m2 * y) / det);
    ys.push(rect.y + rect.height / 2 + (m0 * y - m1 * x) / det);
  }
  const left = Math.max(bx, Math.floor(Math.min(...xs) * ratio));
  const right = Math.min(bx + bw, Math.ceil(Math.max(...xs) * ratio));
  const low = Math.max(by, Math.floor(high - Math.max(...ys) * ratio));
  const top = Math.min(by + bh, Math.ceil(high - Math.min(...ys) * ratio));
  return [left, low, Math.max(0, right - left), Math.max(0, top - low)];
}

const windowOf = (image) => [image.low, 1 / (image.high - image.low || 1e-6), image.invert ? 1 : 0];

export class GlRenderer {
  kind = "WebGL2";
  constructor(canvas, { budget }) {
    const options = { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" };
    this.gl = canvas.getContext("webgl2", options);
    if (!this.gl) throw new Error("no WebGL2");
    Object.assign(this, { canvas, budget, ratio: 1, held: 0, textures: new Map() });
    canvas.addEventListener?.("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener?.("webglcontextrestored", () => {
      this.textures.clear();
      this.held = 0;
      this.#build();
      this.onrestore?.();
    });
    this.#build();
  }

  #build() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "corner");
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.at = Object.fromEntries(NAMES.map((name) => [name, gl.getUniformLocation(program, name)]));
    SAMPLERS.forEach((name, unit) => gl.uniform1i(this.at[name], unit));
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.enable(gl.SCISSOR_TEST);
    this.nothing = {
      gray: this.#upload({ frame: new Int16Array(1), cols: 1, rows: 1, color: false }),
      color: this.#upload({ frame: new ImageData(1, 1), cols: 1, rows: 1, color: true }),
    };
  }

  #upload({ frame, cols, rows, color }) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (color) {
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, cols, rows);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, gl.RGBA, gl.UNSIGNED_BYTE, frame);
    } else {
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R16I, cols, rows);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, cols, rows, gl.RED_INTEGER, gl.SHORT, frame);
    }
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    }
    return texture;
  }

  /** Texture of one frame; the least recently shown leave when the budget is reached. */
  #texture(image) {
    const { gl } = this;
    const kept = this.textures.get(image.frame);
    if (kept) {
      this.textures.delete(image.frame);
      this.textures.set(image.frame, kept);
      return kept.texture;
    }
    const size = image.cols * image.rows * (image.color ? 4 : 2);
    for (const [frame, old] of this.textures) {
      if (this.held + size <= this.budget) break;
      gl.deleteTexture(old.texture);
      this.textures.delete(frame);
      this.held -= old.size;
    }
    const texture = this.#upload(image);
    this.textures.set(image.frame, { texture, size });
    this.held += size;
    return texture;
  }

  resize(width, height, ratio) {
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ratio = ratio;
  }

  draw(jobs) {
    const { gl } = this;
    gl.scissor(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const job of jobs) if (job.a?.frame) this.#drawOne(job);
  }

  #bind(a, b) {
    const { gl, at, nothing } = this;
    const textures = [
      a.color ? nothing.gray : this.#texture(a), b.color ? nothing.gray : this.#texture(b),
      a.color ? this.#texture(a) : nothing.color, b.color ? this.#texture(b) : nothing.color,
    ];
    textures.forEach((texture, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
    });
    gl.activeTexture(gl.TEXTURE0 + SAMPLERS.length); // uploads leave the four units alone
    gl.uniform1i(at.uIsColorA, a.color ? 1 : 0);
    gl.uniform1i(at.uIsColorB, b.color ? 1 : 0);
  }

  #drawOne(job) {
    const { gl, at, ratio } = this;
    const { rect, a, turn, center, mode, smooth, split, cell, gain } = job;
    const b = job.b?.frame ? job.b : a;
    const high = this.canvas.height;
    const box = [rect.x * ratio, high - (rect.y + rect.height) * ratio, rect.width * ratio, rect.height * ratio];
    const whole = box.map(Math.round);
    gl.viewport(...whole);
    gl.scissor(...within(whole, job, ratio, high));
    this.#bind(a, b);
    gl.uniform2f(at.uHalf, rect.width / 2, rect.height / 2);
    gl.uniformMatrix2fv(at.uTurn, false, turn);
    gl.uniform2f(at.uCenter, center[0], center[1]);
    gl.uniform2i(at.uSizeA, a.cols, a.rows);
    gl.uniform2i(at.uSizeB, b.cols, b.rows);
    gl.uniform2f(at.uScaleB, b.cols / a.cols, b.rows / a.rows);
    gl.uniform3f(at.uWindowA, ...windowOf(a));
    gl.uniform3f(at.uWindowB, ...windowOf(b));
    gl.uniform1i(at.uMode, job.b?.frame ? MODES[mode] : 0);
    gl.uniform1i(at.uSmooth, smooth ? 1 : 0);
    gl.uniform1f(at.uSplit, split);
    gl.uniform1f(at.uCell, cell);
    gl.uniform1f(at.uGain, gain);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /** Wait until everything is drawn (for the trial). */
  finish() { this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4)); }
}
