// form[data-auto-submit]: filters apply when a choice changes; text fields apply on Enter as always.

export function bindAutoSubmit() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-auto-submit]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) {
      form.requestSubmit();
    }
  });
}
