// Dialogs: skip with a reason, and two versions of one draft to choose from. Each opens, waits, and answers.
import { el } from "./elements.js";

function open(title, body, buttons, { size = "small-dialog" } = {}) {
  const head = el("div", { className: "dialog-head" }, el("h2", { id: "ask-title", textContent: title }));
  const acts = el("div", { className: "dialog-acts" }, ...buttons.map(({ text, value, primary }) => (
    // Enter takes the first button that submits: never the one that gives up
    el("button", { type: value ? "submit" : "button", className: primary ? "button primary" : "button", textContent: text,
      value }))));
  const form = el("form", { method: "dialog" }, head, el("div", { className: "dialog-body" }, ...body), acts);
  const dialog = el("dialog", { className: size, attributes: { "aria-labelledby": "ask-title" } }, form);
  acts.querySelector("[type=button]")?.addEventListener("click", () => dialog.close(""));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue);
      dialog.remove();
    });
  });
}

/** Ask why a reading is skipped: `{ reason, text }`, or null. */
export async function askSkip(reasons) {
  const options = reasons.map((reason, i) => {
    const input = el("input", { type: "radio", name: "reason", value: reason, checked: i === 0 });
    return [input, el("label", { className: "choice" }, input, reason)];
  });
  const legend = el("legend", { className: "sr", textContent: "Reason" });
  const group = el("fieldset", { className: "stacked" }, legend, ...options.map(([, label]) => label));
  const text = el("textarea", { id: "skip-text", rows: 3, maxLength: 1000, placeholder: "In your words (optional)" });
  text.setAttribute("aria-label", "In your words");
  const words = el("p", {
    className: "muted",
    textContent: "The reading leaves your queue. What you entered is kept, and you can come back to it.",
  });
  const answer = await open("Skip this reading", [words, group, text], [
    { text: "Cancel", value: "" }, { text: "Skip", value: "skip", primary: true },
  ]);
  if (answer !== "skip") return null;
  return { reason: options.find(([input]) => input.checked)[0].value, text: text.value.trim() };
}

const shown = (value) => {
  if (value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.map((error) => error.code || "no code").join(", ") || "–";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
};

/** Rows `[what, mine, theirs]` where two payloads differ. */
export function differences(mine, theirs, criteria) {
  const rows = [];
  const labels = [...new Set([...Object.keys(mine.outputs ?? {}), ...Object.keys(theirs.outputs ?? {})])];
  const add = (label, name, a, b) => {
    if (shown(a) !== shown(b)) rows.push([labels.length > 1 ? `${label}: ${name}` : name, shown(a), shown(b)]);
  };
  for (const label of labels) {
    const a = mine.outputs?.[label] ?? {};
    const b = theirs.outputs?.[label] ?? {};
    for (const { code, label: name } of criteria) add(label, name, a.scores?.[code], b.scores?.[code]);
    add(label, "Errors", a.errors ?? [], b.errors ?? []);
    add(label, "Rationale", a.rationale, b.rationale);
    add(label, "Harm", a.safety, b.safety);
    add(label, "Reference is wrong", a.reference_wrong, b.reference_wrong);
  }
  return rows;
}

/** Two versions of one draft: true keeps the one of this window. */
export async function askConflict({ position, mine, current, criteria }) {
  const time = new Date(current.saved_at).toLocaleTimeString("en-GB");
  const rows = differences(mine, current.payload ?? {}, criteria);
  const headed = (text, scope) => el("th", { textContent: text, scope });
  const said = (text) => el("td", { textContent: text });
  const head = el("tr", {}, said(""), headed("This window", "col"), headed(`Saved at ${time}`, "col"));
  const lines = rows.map(([name, a, b]) => el("tr", {}, headed(name, "row"), said(a), said(b)));
  const table = el("table", { className: "versions" }, el("thead", {}, head), el("tbody", {}, ...lines));
  const words = el("p", {
    textContent: `Another window or computer has saved reading ${position} since. `
      + "Both versions are kept until you choose.",
  });
  const answer = await open("Two versions of this reading", [words, rows.length ? table : "Both say the same."], [
    { text: "Take the saved one", value: "theirs" }, { text: "Keep this window’s", value: "mine", primary: true },
  ], { size: "" });
  return answer !== "theirs";
}
