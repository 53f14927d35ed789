// Place: the elements of one pane of a reading: an image, words, or both.
import { Overlay } from "./overlay.js";
import { Pane } from "./pane.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const nameOf = ({ role, label }) => (role === "output" ? `Output ${label}` : label);

/** Report sections: [["FINDINGS", [["Lungs", "Clear."]]]]; a part without a name is a plain paragraph. */
function sectionsOf(sections) {
  return sections.flatMap(([title, parts]) => [
    ...(title ? [element("h3", { textContent: title })] : []),
    ...parts.map(([name, text]) => {
      const line = element("p", {});
      if (name) line.append(element("b", { textContent: `${name}: ` }));
      line.append(text);
      return line;
    }),
  ]);
}

/** The words of a pane, as a region that can be scrolled by keys. */
function wordsOf(spec) {
  const words = element("div", { className: "words", tabIndex: 0 });
  words.setAttribute("role", "region");
  words.setAttribute("aria-label", `Text of ${nameOf(spec)}`);
  words.append(element("h2", { textContent: nameOf(spec) }));
  if (spec.sections?.length) words.append(...sectionsOf(spec.sections));
  else if (spec.text) words.append(element("p", { textContent: spec.text }));
  else words.append(element("p", { textContent: "Nothing was delivered.", className: "none" }));
  return words;
}

/** Build a place; its pane has an overlay when it shows an image. */
export function buildPlace(spec, { modality }) {
  const place = element("section", { className: "place" });
  place.dataset.role = spec.role;
  place.dataset.label = spec.label;
  const hasWords = Boolean(spec.text || spec.sections?.length);
  place.classList.toggle("text-only", !spec.frames);
  const pane = new Pane({ ...spec, name: nameOf(spec), element: null, place, modality });
  if (spec.frames) {
    pane.element = element("div", { className: "pane", tabIndex: 0 });
    pane.element.setAttribute("role", "group");
    pane.element.setAttribute("aria-roledescription", "image pane");
    pane.element.setAttribute("aria-label", nameOf(spec));
    place.append(pane.element);
    pane.overlay = new Overlay(pane);
    pane.overlay.say("Loading");
  }
  if (hasWords || !spec.frames) place.append(wordsOf(spec));
  pane.words = hasWords;
  return pane;
}
