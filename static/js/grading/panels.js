// Panels over the whole workstation: a reading that could not be opened, and the end of the queue.

const $ = (id) => document.getElementById(id);
const PANELS = ["failed", "all-done"];

/** Show one panel, or none; what lies under it cannot be reached meanwhile. */
export function showPanel(name) {
  for (const panel of PANELS) $(panel).hidden = panel !== name;
  for (const part of document.querySelectorAll(".stage, .rail")) part.inert = Boolean(name);
}

export function showFailed(error, retry) {
  showPanel("failed");
  $("failed-words").textContent = error.message;
  $("failed-retry").onclick = retry;
  $("failed-retry").focus();
}

/** @param left readings that are skipped or open */
export function showAllDone({ of, urls }, left) {
  for (const id of ["previous", "skip", "following"]) $(id).hidden = true;
  showPanel("all-done");
  $("all-done-words").textContent = left > 0
    ? `You have reached the end. ${left} of ${of} are skipped or open; you find them in your work.`
    : `All ${of} readings are submitted. Thank you.`;
  $("all-done-home").href = urls.home;
  $("all-done-home").focus();
}
