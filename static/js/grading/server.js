// Talking to the server: every answer is one of a few kinds, so that nobody guesses from a status.

export function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie?.slice("csrftoken=".length) ?? document.querySelector("meta[name=csrf-token]")?.content ?? "";
}

/** An id without `crypto.randomUUID`, which plain http does not offer. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function bodyOf(response) {
  try {
    return await response.json();
  } catch {
    return {}; // an error page, not JSON: the status says enough
  }
}

async function answer(response) {
  const { status } = response;
  if (response.type === "opaqueredirect" || status === 401) return { kind: "signed-out" };
  if (status >= 500 || status === 429) return { kind: "trouble", status, after: Number(response.headers.get("Retry-After")) };
  const data = await bodyOf(response);
  if (status === 403 && !data.error) return { kind: "signed-out" }; // the token of the form is no longer ours
  if (response.ok) return { kind: "ok", data };
  return { kind: status === 409 ? "conflict" : "refused", status, data };
}

/**
 * @returns `{ kind, data, status }`; kind is ok, conflict (409), refused (another 4xx), signed-out, trouble (5xx) or
 * offline
 */
export async function post(url, body, { keepalive = false } = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(body), redirect: "manual", keepalive };
  try {
    return await answer(await fetch(url, { credentials: "same-origin", ...options }));
  } catch {
    return { kind: "offline" };
  }
}

export async function getJson(url) {
  const options = { headers: { Accept: "application/json" }, redirect: "manual", credentials: "same-origin" };
  try {
    return await answer(await fetch(url, options));
  } catch {
    return { kind: "offline" };
  }
}
