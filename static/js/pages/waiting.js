// What a reader entered and this computer still holds is sent from every page, not only from the workstation. Nothing
// is loaded or asked for a person who has nothing here.
import { amountOf } from "../grading/queue_words.js";
import { databaseName, databaseNames, lesserStore, openStore } from "../grading/local_store.js";
import { clearOffline, owners } from "../grading/offline_store.js";
import { Outbox, sendable, told } from "../grading/outbox.js";
import { FIELDS, Sender } from "../grading/sender.js";

const LEAVING_MS = 3000; // how long signing out waits for the server
const WHY = {
  offline: "There is no connection to the server.", trouble: "The server does not answer as it should.",
  "signed-out": "You are signed out: sign in again.", "other-person": "Another person is signed in.",
  paused: "The study is paused.",
};

const isSendable = (entry) => entry.kind in FIELDS;

/** The notice stands among the page's messages, a live region. Windows of the workstation hear what was sent from here. */
class Waiting {
  constructor(user) { this.user = user; }

  async start() {
    const lesser = (kind) => lesserStore(this.user, kind);
    this.outbox = new Outbox(await openStore(this.user), { lesser });
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(`medgen.queue.${this.user}`) : null;
    const tell = (type, entry, data) => {
      channel?.postMessage({ type, entry, data });
      this.paint();
    };
    this.sender = new Sender({
      outbox: this.outbox, user: this.user, again: null,
      on: {
        change: () => this.paint(),
        acknowledged: (entry, data) => tell("acknowledged", told(entry), data),
        conflict: (entry, data) => tell("conflict", entry, data), refused: (entry, data) => tell("refused", entry, data),
      },
    });
    await this.paint();
    await this.sender.flush();
    return this;
  }
  async paint() {
    const entries = (await this.outbox.entries()).filter(isSendable);
    const open = sendable(entries);
    const asked = entries.filter((entry) => entry.refused);
    const notice = this.notice ?? (open.length || asked.length ? this.#make() : null);
    if (!notice) return;
    const [word, ...links] = [notice.firstChild, ...notice.querySelectorAll("a")];
    for (const link of links) link.remove();
    notice.classList.toggle("good", !open.length && !asked.length);
    notice.classList.toggle("warn", Boolean(open.length || asked.length));
    word.textContent = wordsOf(open, asked, this.sender.failed);
    if (asked.length && asked[0].urls?.page) notice.append(this.#link(asked[0]));
  }
  #make() {
    this.notice = document.createElement("div");
    this.notice.className = "notice";
    this.notice.id = "waiting";
    this.notice.append(document.createTextNode(""));
    (document.getElementById("messages") ?? document.getElementById("content"))?.prepend(this.notice);
    return this.notice;
  }
  #link({ urls, position }) {
    const link = document.createElement("a");
    link.href = urls.page;
    link.textContent = `Open reading ${position}`;
    return link;
  }
}

function wordsOf(open, asked, failed) {
  const parts = [];
  if (open.length) {
    const one = open.length === 1 && (open[0].changes ?? 1) === 1;
    parts.push(`${amountOf(open)} of this computer ${one ? "is" : "are"} not sent yet.`);
    parts.push(failed ? `${WHY[failed] ?? WHY.trouble} It is tried again.` : "Sending …");
  }
  if (asked.length) parts.push(`${amountOf(asked)} of this computer ${asked.length === 1 ? "waits" : "wait"} for your word.`);
  return parts.join(" ") || "Everything that was kept on this computer is saved.";
}

/** Before signing out: send what waits, ask if something stays, remove what was kept for hours without a network. */
function bindSignOut(waiting) {
  for (const form of document.querySelectorAll("form[action$='/sign-out/']")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const late = new Promise((resolve) => { setTimeout(resolve, LEAVING_MS); });
      await Promise.race([waiting?.sender.flushNow(), late]);
      const left = waiting ? (await waiting.outbox.entries()).filter(isSendable) : [];
      const words = `${amountOf(left)} could not be sent yet. It stays on this computer and is sent when you sign in here `
        + "again. Sign out?";
      if (left.length && !window.confirm(words)) return;
      await Promise.race([clearOffline().catch(() => {}), late]);
      form.submit();
    });
  }
}

export async function bindWaiting() {
  const user = document.querySelector("meta[name=medgen-user]")?.content;
  if (!user || document.body.classList.contains("workstation")) return;
  const kept = await owners();
  if (kept.some((id) => id !== user)) await clearOffline(); // another person's readings are nobody's business
  const has = (await databaseNames()).includes(databaseName(user));
  const waiting = has ? await new Waiting(user).start() : null;
  if (waiting || kept.length) bindSignOut(waiting);
}
