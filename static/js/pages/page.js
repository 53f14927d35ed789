// Behaviors every page has, each bound by a data attribute.
import { bindThemeToggle } from "./theme_toggle.js";
import { bindConfirm } from "./confirm.js";
import { bindCopy } from "./copy.js";
import { bindAutoSubmit } from "./auto_submit.js";
import { bindRows } from "./rows.js";
import { bindDrop } from "./drop.js";
import { bindFragments } from "./fragments.js";
import { bindWaiting } from "./waiting.js";

bindThemeToggle();
bindConfirm();
bindCopy();
bindAutoSubmit();
bindRows();
bindDrop();
bindFragments();
bindWaiting();
