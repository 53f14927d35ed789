// htmx: an answer that is not swapped in (4xx, 5xx, no network) is said in the message line.

function say(words) {
  const line = document.getElementById("messages");
  if (!line) return;
  const message = document.createElement("p");
  message.className = "message error";
  const word = Object.assign(document.createElement("b"), { textContent: "Error" });
  message.append(word, words);
  line.replaceChildren(message);
}

const REASONS = {
  401: "You are signed out. Sign in again, then repeat it.",
  403: "You may not do this, or you are signed out.",
  404: "It is not there, or not yours to see.",
  409: "Someone was first. Reload the page to see the present state.",
  413: "The file is too large.",
};

export function bindFragments() {
  document.addEventListener("htmx:responseError", ({ detail }) => {
    say(REASONS[detail.xhr.status] ?? `The server could not do this (${detail.xhr.status}). Nothing was changed.`);
  });
  document.addEventListener("htmx:sendError", () => say("No connection to the server. Nothing was sent."));
}
