// The checklist by keyboard: Y, N, U answer the row in hand and go on, Shift+Y answers every open row
// with yes, Ctrl+Enter stores. Nothing fires while typing.

const ANSWERS = { y: "yes", n: "no", u: "unsure" };

for (const form of document.querySelectorAll("[data-checklist]")) {
  const rows = [...form.querySelectorAll("[data-row]")];
  const answered = (row) => row.querySelector("input:checked");
  const focus = (row) => (answered(row) ?? row.querySelector("input"))?.focus();
  const inHand = () => document.activeElement?.closest?.("[data-row]");
  const verdict = () => form.querySelector('input[name="verdict"]');

  const answer = (row, value) => {
    const input = row.querySelector(`input[value="${value}"]`);
    if (input) input.checked = true;
  };
  const goOn = (row) => {
    const next = rows.slice(rows.indexOf(row) + 1).find((r) => !answered(r));
    if (next) focus(next);
    else verdict()?.focus();
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const typing = document.activeElement?.matches?.("textarea, input[type=text], input[type=search], select");
    const value = ANSWERS[event.key.toLowerCase()];
    if (typing || !value || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey && value === "yes") {
      for (const row of rows) if (!answered(row)) answer(row, value);
      verdict()?.focus();
      return;
    }
    const row = inHand() ?? rows.find((r) => !answered(r)) ?? rows[0];
    answer(row, value);
    goOn(row);
  });

  const first = rows.find((row) => !answered(row));
  if (first) focus(first);
}
