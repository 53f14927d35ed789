// Two decoding workers; without workers the page decodes by itself.
import { decode } from "./decode.js";

let workers = null;
let turn = 0;
let ticket = 0;
const waiting = new Map(); // ticket -> { resolve, reject }

function answer({ data }) {
  const job = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error) job.reject(new Error(data.error));
  else job.resolve(data.frame);
}

function start() {
  const worker = new Worker(new URL("decoder.js", import.meta.url), { type: "module" });
  worker.onmessage = answer;
  worker.onerror = () => {
    // a worker that cannot start answers nothing: its jobs fail, later ones are done here
    workers = [];
    for (const job of waiting.values()) job.reject(new Error("the decoder could not start"));
    waiting.clear();
  };
  return worker;
}

function pool() {
  if (workers) return workers;
  try {
    workers = Array.from({ length: Math.min(2, navigator.hardwareConcurrency || 1) }, start);
  } catch {
    workers = []; // workers are switched off in this browser
  }
  return workers;
}

/** Decode one frame aside. The bytes are handed over and empty afterwards. */
export function decodeAside(bytes, { rows, cols, signed, encoding }) {
  const all = pool();
  const header = { rows, cols, signed, encoding };
  if (!all.length) return decode(bytes, header);
  return new Promise((resolve, reject) => {
    const id = ++ticket;
    waiting.set(id, { resolve, reject });
    all[turn++ % all.length].postMessage({ id, bytes, header }, [bytes.buffer]);
  });
}
