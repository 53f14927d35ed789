// Starts the workstation on the page of a reading, or on the page that opens without a network.
import { icon } from "../viewer/icons.js";
import { fillKeymap } from "./keymap.js";
import { lesserStore, openStore } from "./local_store.js";
import { Offline } from "./offline.js";
import { clearOffline, OfflineStore, owners } from "./offline_store.js";
import { Outbox } from "./outbox.js";
import { showFailed } from "./panels.js";
import { Workstation } from "./workstation.js";

const main = document.querySelector("[data-reading-url]");
const { user, userName, readingUrl, signInAgain: again, worker } = main.dataset;
const draw = new URLSearchParams(location.search).get("draw"); // "gl" or "table": for trying a renderer
const NOTHING = new Error("There is no network, and no reading is kept on this computer. What you have entered before is kept.");

const keymap = document.getElementById("keymap");
fillKeymap(keymap);
const help = document.getElementById("help");
help.append(icon("keys"));
help.addEventListener("click", () => keymap.showModal());
document.getElementById("keymap-close").addEventListener("click", () => keymap.close());

/** The address this page is about; without a network the page at this address is everybody's. */
async function addressOf(offline, isDone) {
  if (readingUrl) return readingUrl;
  const own = /^\/readings\/[0-9a-f-]{36}\/$/.test(location.pathname) ? `${location.pathname}reading.json` : null;
  if (own && (await offline.store.get(own))) return own;
  return offline.first(isDone);
}

async function start() {
  const kept = await owners();
  const person = user ? { id: user, name: userName } : kept.length && { id: kept[0], name: "" };
  if (!person) {
    showFailed(NOTHING, () => location.reload());
    return;
  }
  if (kept.some((id) => id !== person.id)) await clearOffline(); // another person's readings are nobody's business
  const store = await new OfflineStore(person).start().catch(() => new OfflineStore(person));
  person.name ||= (await store.all().catch(() => []))[0]?.person.name ?? "";
  const offline = new Offline({ store, person, worker });
  const outbox = new Outbox(await openStore(person.id), {
    lesser: (kind) => lesserStore(person.id, kind), makeRoom: () => store.clear(),
  });
  navigator.storage?.persist?.().catch(() => false); // asks the browser not to clear; a refusal changes nothing
  const station = new Workstation({ person, outbox, offline, again, draw });
  await station.queue.start();
  const url = await addressOf(offline, station.isDone);
  if (!url) {
    showFailed(NOTHING, () => location.reload());
    return;
  }
  history.replaceState({ reading: url }, "");
  await station.open(url, { push: false });
  if (store.any) offline.lookAfter(station.isDone).catch(() => {}); // tried again at the next load
}

await start();
document.documentElement.dataset.ready = "yes";
