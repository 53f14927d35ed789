// The decision of a case by keyboard: the first letter or digit of a choice takes it, Ctrl+Enter decides, Alt+→ goes on.
const form = document.querySelector("#decision");
const next = document.querySelector("#next-case");

function choose(key) {
  const choices = [...form.querySelectorAll("input[type=radio]")];
  const taken = choices.find((radio) => radio.value.charAt(0).toUpperCase() === key.toUpperCase());
  if (!taken) return false;
  taken.checked = true;
  taken.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey && event.key === "ArrowRight" && next) {
    event.preventDefault();
    next.click();
    return;
  }
  if (!form) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("textarea, select, input:not([type=radio]), [data-viewer]")) return;
  if (choose(event.key)) event.preventDefault();
});
