// Store: stacks by the address of their header, so that a prefetched image is there at once. Decoded frames stay
// within a limit; what was used longest ago leaves first, except what is on screen.
import { Stack } from "./stack.js";

const LIMIT_BYTES = 1024 ** 3;

export class StackStore {
  constructor({ limit = LIMIT_BYTES } = {}) {
    this.limit = limit;
    this.stacks = new Map(); // address -> promise of a stack, least recently used first
    this.shown = new Set();
  }

  /** The stack at an address; a failed one is forgotten, so that asking again tries again. */
  open(address) {
    let promise = this.stacks.get(address);
    this.stacks.delete(address);
    promise ??= Stack.open(address).catch((error) => {
      this.stacks.delete(address);
      throw error;
    });
    this.stacks.set(address, promise);
    return promise;
  }

  /** Name the addresses on screen, then let the oldest others go until the rest fits. */
  async show(addresses) {
    this.shown = new Set(addresses);
    const entries = [];
    for (const [address, promise] of this.stacks) {
      entries.push([address, await promise.catch(() => null)]);
    }
    let held = entries.reduce((sum, [, stack]) => sum + (stack?.bytes ?? 0), 0);
    for (const [address, stack] of entries) {
      if (held <= this.limit) return;
      if (!stack || this.shown.has(address)) continue;
      stack.release();
      this.stacks.delete(address);
      held -= stack.bytes;
    }
  }

  /** Fetch and decode images ahead of need. */
  async prefetch(addresses) {
    for (const address of addresses) {
      const stack = await this.open(address);
      await stack.load({ first: Math.floor((stack.count - 1) / 2) });
    }
  }
}
