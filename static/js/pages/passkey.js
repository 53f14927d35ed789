// Passkeys and security keys: the server's options go to the browser, what the key answers goes into the form.
// Bytes travel as base64url without padding, in both directions.

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));

const forCreating = (options, passwordless) => ({
  ...options,
  challenge: toBytes(options.challenge),
  user: { ...options.user, id: toBytes(options.user.id) },
  excludeCredentials: known(options.excludeCredentials),
  authenticatorSelection: {
    ...options.authenticatorSelection,
    ...(passwordless === undefined
      ? {}
      : {
          residentKey: passwordless ? "required" : "discouraged",
          requireResidentKey: passwordless,
          ...(passwordless ? { userVerification: "required" } : {}),
        }),
  },
});

const forGetting = (options) => ({
  ...options,
  challenge: toBytes(options.challenge),
  allowCredentials: known(options.allowCredentials),
});

const asJson = (credential) => {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const answer = Object.fromEntries(parts.filter((part) => response[part]).map((part) => [part, toText(response[part])]));
  if (response.getTransports) answer.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: answer,
  };
};

const optionsOf = async (form) => {
  if (form.dataset.options) return JSON.parse(form.dataset.options).publicKey;
  const answer = await fetch(form.action, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return (await answer.json()).request_options.publicKey;
};

const ask = async (form) => {
  const options = await optionsOf(form);
  if (form.dataset.passkey === "create") {
    const publicKey = forCreating(options, form.elements.passwordless?.checked);
    return navigator.credentials.create({ publicKey });
  }
  return navigator.credentials.get({ publicKey: forGetting(options) });
};

const WORDS = {
  NotAllowedError: "Nothing was confirmed. Try again.",
  InvalidStateError: "This key is added already.",
  SecurityError: "Keys work on https:// addresses only.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const error = form.querySelector("[data-passkey-error]");
  const start = form.querySelector("[data-passkey-start]");
  if (!window.PublicKeyCredential) start.disabled = true;
  start.addEventListener("click", async () => {
    error.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(asJson(await ask(form)));
      form.submit();
    } catch (problem) {
      error.textContent = WORDS[problem.name] ?? `The key could not be used: ${problem.message}`;
      error.hidden = false;
    }
  });
}
