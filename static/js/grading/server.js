// Talking to the server: every answer is one of a few kinds, so that nobody guesses from a status.

const PATIENCE_MS = 30_000; // a wire that swallows everything counts as none

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
    return null; // a page, not JSON: it is not from MedGEN's own words
  }
}

async function answer(response) {
  const { status } = response;
  if (response.type === "opaqueredirect") return { kind: "signed-out", status };
  const data = await bodyOf(response);
  if (status === 401) return { kind: data?.other_person ? "other-person" : "signed-out", status, data };
  if (status === 403 && !data?.error) return { kind: "token", status };
  const after = Number(response.headers.get("Retry-After")) || 0;
  // a page in place of an answer comes from a proxy, a portal or a broken server: the next try may meet the server
  if (!data || status >= 500 || status === 429 || status === 408) return { kind: "trouble", status, after, data };
  if (response.ok) return { kind: "ok", status, data };
  if (status === 409 && data.closed === "paused") return { kind: "paused", status, data };
  return { kind: status === 409 ? "conflict" : "refused", status, data };
}

const patience = (ms = PATIENCE_MS) => (AbortSignal.timeout ? { signal: AbortSignal.timeout(ms) } : {});

/**
 * @param person whose page asks: the server refuses when somebody else is signed in meanwhile
 * @returns `{ kind, data, status, after }`; kind is ok, conflict (409), paused, refused (another 4xx), signed-out,
 * other-person, token (403 without words), trouble (5xx, 429, no JSON; `after` seconds) or offline
 */
export async function post(url, body, { person = "", keepalive = false } = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" };
  if (person) headers["X-MedGEN-Person"] = person;
  const options = { method: "POST", headers, body: JSON.stringify(body), redirect: "manual", keepalive };
  try {
    return await answer(await fetch(url, { credentials: "same-origin", ...(keepalive ? {} : patience()), ...options }));
  } catch {
    return { kind: "offline" };
  }
}

export async function getJson(url, { person = "", ms = PATIENCE_MS } = {}) {
  const headers = { Accept: "application/json", ...(person && { "X-MedGEN-Person": person }) };
  const options = { headers, redirect: "manual", credentials: "same-origin", ...patience(ms) };
  try {
    return await answer(await fetch(url, options));
  } catch {
    return { kind: "offline" };
  }
}
