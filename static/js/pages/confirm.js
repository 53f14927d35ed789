// form[data-confirm]: asks in a dialog before the form is sent. data-confirm-label is the word on the button.

function ask(words, act) {
  const dialog = document.createElement("dialog");
  dialog.className = "small-dialog";
  dialog.setAttribute("aria-labelledby", "confirm-words");
  const form = Object.assign(document.createElement("form"), { method: "dialog" });
  const text = Object.assign(document.createElement("p"), { id: "confirm-words", textContent: words });
  const body = Object.assign(document.createElement("div"), { className: "dialog-body" });
  const acts = Object.assign(document.createElement("div"), { className: "dialog-acts" });
  const button = (properties) => Object.assign(document.createElement("button"), properties);
  const cancel = button({ className: "button", textContent: "Cancel", value: "" });
  const go = button({ className: "button primary", textContent: act, value: "go" });
  body.append(text);
  acts.append(cancel, go);
  form.append(body, acts);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "go");
      dialog.remove();
    });
  });
}

export function bindConfirm() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.confirm || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopPropagation();
    const { submitter } = event;
    if (!(await ask(form.dataset.confirm, form.dataset.confirmLabel ?? "Go on"))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
    delete form.dataset.confirmed;
  }, { capture: true });
}
