// Undo and redo of what was entered in this reading.

const DEPTH = 200;

export class History {
  constructor() { this.clear(); }
  clear() { Object.assign(this, { past: [], future: [] }); }
  remember(state) {
    this.past.push(structuredClone(state));
    this.future = [];
    if (this.past.length > DEPTH) this.past.shift();
  }
  get empty() { return !this.past.length; }
  undo(state) { return this.#move(this.past, this.future, state); }
  redo(state) { return this.#move(this.future, this.past, state); }
  #move(from, to, state) {
    if (!from.length) return null;
    to.push(structuredClone(state));
    return from.pop();
  }
}
