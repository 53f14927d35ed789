// Starts the workstation on the page of a reading.
import { icon } from "../viewer/icons.js";
import { fillKeymap } from "./keymap.js";
import { Workstation } from "./workstation.js";

const main = document.querySelector("[data-reading-url]");
const draw = new URLSearchParams(location.search).get("draw"); // "gl" or "table": for trying a renderer
const station = new Workstation({ user: main.dataset.user, draw });

const keymap = document.getElementById("keymap");
fillKeymap(keymap);
const help = document.getElementById("help");
help.append(icon("keys"));
help.addEventListener("click", () => keymap.showModal());
document.getElementById("keymap-close").addEventListener("click", () => keymap.close());

history.replaceState({ reading: main.dataset.readingUrl }, "");
await station.queue.retry();
await station.open(main.dataset.readingUrl, { push: false });
document.documentElement.dataset.ready = "yes";
