// Tabs for several outputs: each is graded on its own; a tab says in words whether its output is complete.
import { el } from "./elements.js";

export class OutputTabs {
  constructor({ labels, onchoose }) {
    this.element = el("div", { className: "output-tabs", attributes: { role: "tablist", "aria-label": "Outputs" } });
    this.tabs = new Map(labels.map((label, i) => {
      const state = el("span", { className: "tab-state", attributes: { "aria-hidden": "true" } });
      const title = `Output ${label} (Shift+${i + 1})`;
      const tab = el("button", { type: "button", id: `tab-${label}`, title }, label, state);
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", "grade");
      tab.addEventListener("click", () => onchoose(label));
      this.element.append(tab);
      return [label, { tab, state }];
    }));
  }

  /** @param complete label -> boolean */
  paint(current, complete) {
    for (const [label, { tab, state }] of this.tabs) {
      const done = complete.get(label);
      tab.setAttribute("aria-selected", String(label === current));
      tab.tabIndex = label === current ? 0 : -1;
      tab.setAttribute("aria-label", `Output ${label}, ${done ? "complete" : "open"}`);
      state.textContent = done ? "✓" : "○";
    }
  }
}
