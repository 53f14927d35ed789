// Dialogs: skip with a reason, two versions of one reading to choose from, and what the server did not take. Each
// opens, waits, and answers.
import { el } from "./elements.js";
import { merged, rowsOf, textOf } from "./versions.js";

function open(title, body, buttons, { size = "small-dialog" } = {}) {
  const head = el("div", { className: "dialog-head" }, el("h2", { id: "ask-title", textContent: title }));
  // Enter takes the first button that submits; the others, "give up" among them, are only taken by themselves
  const acts = el("div", { className: "dialog-acts" }, ...buttons.map(({ text, value, primary, apart }) => (
    el("button", { type: value && !apart ? "submit" : "button", className: primary ? "button primary" : "button",
      textContent: text, value }))));
  const form = el("form", { method: "dialog" }, head, el("div", { className: "dialog-body" }, ...body), acts);
  const dialog = el("dialog", { className: size, attributes: { "aria-labelledby": "ask-title" } }, form);
  for (const button of acts.querySelectorAll("[type=button]")) {
    button.addEventListener("click", () => dialog.close(button.value));
  }
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

const headed = (text, scope) => el("th", { textContent: text, scope });

/** A row of two versions: a choice where they differ, plain words where they agree. */
function versionRow(row, picks, count) {
  if (!row.differs) {
    const cells = [row.mine, row.theirs].map((text) => el("td", { textContent: text }));
    return el("tr", { className: "agrees" }, headed(row.name, "row"), ...cells);
  }
  const choice = (side, text, takesMine) => {
    const input = el("input", { type: "radio", name: row.key, checked: takesMine });
    input.setAttribute("aria-label", `${row.name}: ${side}, ${text}`);
    input.addEventListener("change", () => {
      picks.set(row.key, takesMine);
      count();
    });
    return el("td", {}, el("label", { className: "choice" }, input, el("span", { textContent: text })));
  };
  const mark = el("span", { className: "differs", textContent: "≠", title: "differs" });
  const name = el("th", { scope: "row" }, row.name, "\u00a0", mark);
  return el("tr", { className: "differing" }, name, choice("this window", row.mine, true),
    choice("saved", row.theirs, false));
}

/**
 * Two versions of one reading, side by side.
 * @returns "later" (nothing is chosen), or a payload made of what was picked; `theirs` itself when all of it was
 */
export async function askVersions({ position, mine, theirs, saved, criteria, submitted = false }) {
  const rows = rowsOf(mine, theirs, criteria);
  const picks = new Map(rows.filter((row) => row.differs).map((row) => [row.key, true]));
  const chosen = el("p", { className: "muted", attributes: { role: "status" } });
  const count = () => {
    const own = [...picks.values()].filter(Boolean).length;
    chosen.textContent = `${picks.size} ${picks.size === 1 ? "line differs" : "lines differ"}: ${own} from this window, `
      + `${picks.size - own} from the saved version.`;
  };
  count();
  const head = el("tr", {}, el("td", {}), headed("This window", "col"), headed(saved, "col"));
  const body = el("tbody", {}, ...rows.map((row) => versionRow(row, picks, count)));
  const table = el("table", { className: "versions" }, el("thead", {}, head), body);
  const words = el("p", {
    textContent: submitted
      ? `Reading ${position} was submitted from another window or computer. What you entered here is kept until you `
        + "choose; taking lines of it begins an amendment."
      : `Another window or computer has saved reading ${position} since. Both versions are kept until you choose.`,
  });
  const scroller = el("div", { className: "versions-scroll", tabIndex: 0 }, table);
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", "Both versions by criterion");
  const answer = await open("Two versions of this reading", [words, scroller, chosen], [
    { text: "Decide later", value: "" }, { text: "Take the saved one", value: "theirs", apart: true },
    { text: "Keep this window’s", value: "mine", apart: true }, { text: "Use what is picked", value: "picked", primary: true },
  ], { size: "versions-dialog" });
  if (answer === "theirs") return theirs;
  if (answer === "mine") return mine;
  return answer === "picked" ? merged(mine, theirs, picks) : "later";
}

/**
 * Show what was not accepted, to be copied.
 * @returns "again", "discard" or ""
 */
export function showKept(entries, criteria) {
  const text = el("textarea", { readOnly: true, rows: 12, className: "kept-text" });
  text.value = entries.map((entry) => textOf(entry, criteria)).join("\n\n");
  text.setAttribute("aria-label", "What you entered");
  const words = el("p", {
    textContent: "The server did not take this. It stays on this computer until you discard it; copy it where it is needed.",
  });
  const done = el("span", { className: "muted", attributes: { role: "status" } });
  const copy = el("button", { type: "button", className: "button small", id: "copy-kept", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    text.select();
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text.value);
      else document.execCommand("copy"); // plain http has no clipboard of its own
      done.textContent = "Copied";
    } catch {
      done.textContent = "Selected: press Ctrl+C";
    }
  });
  const sure = el("input", { type: "checkbox", id: "discard-sure" });
  const discard = el("label", { className: "check" }, sure, el("span", { textContent: "I do not need it any more" }));
  const result = open("Kept on this computer", [words, text, el("p", { className: "cluster" }, copy, done), discard], [
    { text: "Close", value: "" }, { text: "Discard", value: "discard", apart: true }, { text: "Try again", value: "again", primary: true },
  ], { size: "kept-dialog" });
  const button = document.querySelector("dialog.kept-dialog button[value=discard]");
  button.disabled = true;
  sure.addEventListener("change", () => { button.disabled = !sure.checked; });
  return result;
}
