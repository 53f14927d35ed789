// Signing in again without leaving the page: the reader goes on grading, and what waits is sent by the same person.
// Another person is refused by the server, and nothing of this reader's is sent in that name.
import { el } from "./elements.js";
import { csrfToken } from "./server.js";

export const SIGNED_IN = "medgen:signed-in"; // the window is told, so that the queue tries again

const ask = async (url, options = {}) => {
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
    return { status: response.status, data: await response.json() };
  } catch {
    return { status: 0, data: { error: "The server cannot be reached. What you entered is kept here." } };
  }
};

export class SignAgain {
  /** @param button shown while nobody is signed in, @param url of the endpoint, @param user id of this page's person */
  constructor({ button, url, user }) {
    Object.assign(this, { button, url, user });
    button?.addEventListener("click", () => this.open());
  }
  show(signedOut) {
    if (this.button) this.button.hidden = !signedOut;
  }
  /** Somebody may have signed in in another tab: then there is nothing to ask. */
  async open() {
    const { data } = await ask(this.url);
    if (data.signed_in && data.user === this.user) {
      window.dispatchEvent(new Event(SIGNED_IN));
      return;
    }
    this.#dialog(data.signed_in ? "Somebody else is signed in in this browser. Sign them out first." : "");
  }
  #dialog(words) {
    const error = el("p", { className: "error", textContent: words });
    error.setAttribute("role", "alert");
    const password = el("input", { type: "password", id: "again-password", autocomplete: "current-password", required: true });
    const field = el("div", { className: "field" }, el("label", { htmlFor: "again-password", textContent: "Your password" }), password);
    const note = el("p", { className: "muted", textContent: "You were signed out. What you entered is kept on this computer and sent when you are signed in again." });
    const cancel = el("button", { type: "button", className: "button", textContent: "Not now" });
    const enter = el("button", { type: "submit", className: "button primary", textContent: "Sign in again" });
    const form = el("form", { method: "dialog" },
      el("div", { className: "dialog-head" }, el("h2", { id: "again-title", textContent: "Sign in again" })),
      el("div", { className: "dialog-body" }, note, field, error),
      el("div", { className: "dialog-acts" }, cancel, enter));
    const dialog = el("dialog", { className: "small-dialog", attributes: { "aria-labelledby": "again-title" } }, form);
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      enter.disabled = true;
      error.textContent = await this.#enter(password.value);
      enter.disabled = false;
      password.value = "";
      if (error.textContent) password.focus();
      else dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
    password.focus();
  }
  /** @returns what went wrong in words, or "" */
  async #enter(password) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" };
    const body = JSON.stringify({ password, user_id: this.user });
    const { status, data } = await ask(this.url, { method: "POST", headers, body });
    if (status !== 200) return data.error ?? `The server answered ${status}. What you entered is kept here.`;
    window.dispatchEvent(new Event(SIGNED_IN));
    return "";
  }
}
