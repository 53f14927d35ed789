// What makes a preference complete: the same rules as the server's. Pure.
import { needsPlace, RATIONALE_AT_LEAST } from "../grading/rules.js";

const GRAVE = ["moderate", "severe"];
const BAD = ["both_bad", "all_bad"];
export const OVERALL = "overall";

export const blankPreference = () => ({ choices: {}, strength: "", rationale: "", reference_wrong: false });
export const blankOutput = () => ({ safety: "none", errors: [] });

/** Whether a choice says that one output is better than another. */
export const isPick = (word) => Boolean(word) && word !== "tie" && !BAD.includes(word);

/** Why words are asked for; null when they are not. */
export function because({ preference, ...outputs }) {
  const harmed = Object.entries(outputs).find(([, { safety }]) => GRAVE.includes(safety));
  if (harmed) return `harm of ${harmed[0]} ${harmed[1].safety}`;
  if (BAD.includes(preference.choices[OVERALL])) return "none usable";
  if (preference.strength === "strong") return "a strong preference";
  const other = Object.values(outputs).some(({ errors }) => errors.some(({ code }) => code === "other"));
  return other ? "the error “other”" : null;
}

/**
 * What still has to be said.
 * @param said `{ preference, A: { safety, errors }, B … }`
 * @param asks `{ criteria, outputs, localizable }`
 * @returns a list of `{ label, field, at, text, short }`; a problem of no single output has no label
 */
export function problemsOf(said, asks) {
  const { preference, ...outputs } = said;
  const list = openChoices(preference, asks.criteria);
  const why = because(said);
  const length = preference.rationale.trim().length;
  if (why && length < RATIONALE_AT_LEAST) {
    const text = `a rationale of ${RATIONALE_AT_LEAST} characters, for ${why}`;
    list.push({ field: "rationale", at: null, text, short: `rationale ${length}/${RATIONALE_AT_LEAST}` });
  }
  const named = Object.values(outputs).some(({ errors }) => errors.some(({ code }) => code));
  if (BAD.includes(preference.choices[OVERALL]) && !named) {
    list.push({ field: "errors", at: null, text: "an error code, as none is usable", short: "an error code" });
  }
  for (const [label, output] of Object.entries(outputs)) list.push(...openErrors(label, output, asks));
  return list;
}

function openChoices({ choices }, criteria) {
  const open = criteria.filter(({ code }) => !choices[code]);
  if (!open.length) return [];
  const text = open.length > 1 ? `${open.length} choices open` : `${open[0].label} is open`;
  return [{ field: "criterion", at: open[0].code, text, short: text }];
}

function openErrors(label, output, { outputs, localizable }) {
  const list = [];
  const say = (field, at, words) => list.push({ label, field, at, text: `${label}: ${words}`, short: `${label}: ${words}` });
  const shown = outputs.find((each) => each.label === label);
  if (GRAVE.includes(output.safety) && !output.errors.some(({ code }) => code)) {
    say("errors", null, `an error code, for harm ${output.safety}`);
  }
  const seen = new Set();
  output.errors.forEach((error, i) => {
    if (!error.code) say("errors", i, `code of error ${i + 1}`);
    else if (seen.has(error.code)) say("errors", i, `“${error.code}” twice`);
    else if (needsPlace(error, output, { output: shown, localizable }) && !error.nowhere) {
      say("place", i, `tick for “${error.code}”`);
    }
    seen.add(error.code);
  });
  return list;
}
