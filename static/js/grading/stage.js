// Above the rubric: which stage of two this is, that it is a training case, and what a training case says afterwards.
import { el } from "./elements.js";

const $ = (id) => document.getElementById(id);
const STAGES = {
  1: "Stage 1 of 2: grade without the reference. It is shown after you submit.",
  2: "Stage 2 of 2: the reference is shown. Your first grade is kept; change here what you now see otherwise.",
};

export function showStage(reading) {
  const { stage, training, feedback } = reading;
  const words = [training ? "Training case: it enters no result." : null, stage && !reading.grade ? STAGES[stage.number] : null];
  document.body.dataset.stage = stage?.number ?? "";
  const said = words.filter(Boolean).join(" ");
  $("stage").hidden = !said && !feedback;
  $("stage").replaceChildren(...[said && el("p", { textContent: said }), feedback && compared(feedback)].filter(Boolean));
}

function compared({ text, values }) {
  const parts = [];
  if (text) parts.push(el("p", { textContent: text }));
  if (values.length) {
    const right = values.filter((each) => each.right).length;
    parts.push(el("p", { textContent: `${right} of ${values.length} values as expected` }), table(values));
  }
  return el("div", { className: "feedback", role: "status" }, ...parts);
}

function table(values) {
  const head = ["Output", "Criterion", "Yours", "Expected", ""].map((textContent) => el("th", { scope: "col", textContent }));
  const rows = values.map(({ label, criterion, value, low, high, right }) => (
    el("tr", {}, ...[
      label, criterion, value === null ? "n/a" : String(value), low === high ? String(low) : `${low} to ${high}`, right ? "✓ right" : "✗ differs",
    ].map((textContent) => el("td", { textContent })))));
  return el("table", { className: "table compact" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
}
