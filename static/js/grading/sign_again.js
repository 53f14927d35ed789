// Signing in again without leaving the page: the reader goes on grading, and what waits is sent by the same person.
// Another person is refused by the server, and nothing of this reader's is sent in that name.
import { el } from "./elements.js";
import { csrfToken } from "./server.js";

export const SIGNED_IN = "medgen:signed-in"; // the window is told, so that the queue tries again
const ASK_MS = 3000; // while the dialog is open: the reader may sign in in another tab

const ask = async (url, options = {}) => {
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
    return { status: response.status, data: await response.json() };
  } catch {
    return { status: 0, data: { error: "The server cannot be reached. What you entered is kept here." } };
  }
};

export class SignAgain {
  /**
   * @param button shown while nobody is signed in, @param url of the endpoint, @param page of the sign-in page,
   * @param user `{ id, name }` of this page's person
   */
  constructor({ button, url, page, user }) {
    Object.assign(this, { button, url, page, user });
    button?.addEventListener("click", () => this.open());
  }
  show(signedOut) {
    if (this.button) this.button.hidden = !signedOut;
  }
  /** Somebody may have signed in in another tab: then there is nothing to ask. */
  async open() {
    if (await this.#isIn()) return;
    this.#dialog(this.other ? "Somebody else is signed in in this browser. Sign them out first." : "");
  }
  /** Whether this page's person is signed in; tells the window when so. */
  async #isIn() {
    const { data } = await ask(this.url);
    this.other = Boolean(data.signed_in) && data.user !== this.user.id;
    if (!data.signed_in || this.other) return false;
    window.dispatchEvent(new Event(SIGNED_IN));
    return true;
  }
  #dialog(words) {
    const error = el("p", { className: "error", textContent: words, attributes: { role: "alert" } });
    const password = el("input", { type: "password", id: "again-password", autocomplete: "current-password", required: true });
    // password stores look for the name they belong to
    const name = el("input", { type: "text", value: this.user.name, autocomplete: "username", readOnly: true, id: "again-name" });
    const field = (control, words_) => el("div", { className: "field" },
      el("label", { htmlFor: control.id, textContent: words_ }), control);
    const note = el("p", {
      className: "muted",
      textContent: "You were signed out. What you entered is kept on this computer and sent when you are signed in again.",
    });
    const elsewhere = el("a", { href: this.page, target: "_blank", rel: "noopener", textContent: "Sign in in another tab" });
    const other = el("p", { className: "muted" }, elsewhere, ": for a second factor or another way in; this page goes on by itself.");
    const cancel = el("button", { type: "button", className: "button", textContent: "Not now" });
    const enter = el("button", { type: "submit", className: "button primary", textContent: "Sign in again" });
    const form = el("form", { method: "dialog" },
      el("div", { className: "dialog-head" }, el("h2", { id: "again-title", textContent: "Sign in again" })),
      el("div", { className: "dialog-body" }, note, field(name, "User name"), field(password, "Your password"), error, other),
      el("div", { className: "dialog-acts" }, cancel, enter));
    const dialog = el("dialog", { className: "small-dialog", attributes: { "aria-labelledby": "again-title" } }, form);
    const timer = setInterval(async () => { if (await this.#isIn()) dialog.close(); }, ASK_MS);
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      clearInterval(timer);
      dialog.remove();
    });
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
    const send = () => ask(this.url, {
      method: "POST", body: JSON.stringify({ password, user_id: this.user.id }),
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" },
    });
    let { status, data } = await send();
    if (status === 403) {
      await ask(this.url); // brings a fresh token, should the old one be gone with the session
      ({ status, data } = await send());
    }
    if (status !== 200) return data.error ?? `The server answered ${status}. What you entered is kept here.`;
    window.dispatchEvent(new Event(SIGNED_IN));
    return "";
  }
}
