// The instruction: what was asked, the options of a question, and the facts around it.
import { el } from "./elements.js";

const $ = (id) => document.getElementById(id);

export function showInstruction(item) {
  $("ask").textContent = item.instruction;
  const choices = item.choices ?? [];
  $("choices").hidden = !choices.length;
  $("choices").replaceChildren(...choices.map((choice) => el("li", { textContent: choice })));
  const kinds = [item.modality?.label, item.task?.label ?? item.format?.label].filter(Boolean).join(" · ");
  const facts = (item.context ?? []).map(([name, value]) => (
    el("span", { className: "fact" }, name ? `${name}: ` : "", el("span", { textContent: value }))));
  $("about").replaceChildren(el("b", { textContent: kinds }), el("span", { className: "facts-line" }, ...facts));
}
