// Decoding of one frame. Gray frames become Int16Array: unsigned samples are shifted by -32768 (one flip of the top
// bit), so that one texture type and one shader serve both; `Stack.bias` gives it back. Color frames stay PNG and
// become an ImageBitmap.

/** Undo the split of low and high bytes and the differences along each row. */
export function undelta(bytes, rows, cols, signed) {
  const n = rows * cols;
  if (bytes.length !== 2 * n) throw new Error(`a frame has ${bytes.length} bytes, expected ${2 * n}`);
  const out = new Int16Array(n);
  const flip = signed ? 0 : 0x8000;
  for (let row = 0, i = 0; row < rows; row++) {
    let value = 0;
    for (const end = i + cols; i < end; i++) {
      value = (value + (bytes[i] | (bytes[n + i] << 8))) & 0xffff;
      out[i] = value ^ flip;
    }
  }
  return out;
}

/** A raw little-endian 16-bit buffer as a frame. */
export function fromRaw(bytes, rows, cols, signed) {
  const n = rows * cols;
  if (bytes.length !== 2 * n) throw new Error(`a frame has ${bytes.length} bytes, expected ${2 * n}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Int16Array(n);
  const flip = signed ? 0 : 0x8000;
  for (let i = 0; i < n; i++) out[i] = view.getUint16(2 * i, true) ^ flip;
  return out;
}

export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One frame of a header's file: Int16Array for gray, ImageBitmap for color. */
export async function decode(bytes, { rows, cols, signed, encoding }) {
  if (encoding === "png") {
    const options = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
    return createImageBitmap(new Blob([bytes], { type: "image/png" }), options);
  }
  if (encoding === "raw") return fromRaw(bytes, rows, cols, signed);
  return undelta(await inflate(bytes), rows, cols, signed);
}
