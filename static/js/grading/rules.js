// What makes a grade complete: the same rules as the server's, so that nothing is refused after the reader has gone
// on. Pure: a grade and what the reading asks go in, problems come out.

export const RATIONALE_AT_LEAST = 10;
export const REASON_AT_LEAST = 3;
const GRAVE = ["moderate", "severe"];
const OPERATORS = {
  "<=": (a, b) => a <= b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, ">": (a, b) => a > b, "==": (a, b) => a === b,
};

export const blank = () => ({ scores: {}, na: {}, rationale: "", errors: [], safety: "none", reference_wrong: false });

/** All criteria of the reading, each with the scale of its rubric. */
export function criteriaOf(rubrics) {
  return rubrics.flatMap((rubric) => rubric.criteria.map((criterion) => ({ ...criterion, scale: rubric.scale })));
}

/** What a reading asks by name: the criteria that are compared, or those of the rubrics. */
export const askedOf = (reading) => reading.preference?.criteria ?? criteriaOf(reading.rubrics);

export function valuesOf({ min, max, step }) {
  const n = Math.round((max - min) / step);
  return Array.from({ length: n + 1 }, (_, i) => Number((min + i * step).toFixed(6)));
}

/** Whether a value asks for a rationale. */
export function isLow(criterion, value) {
  const rule = criterion.rationale_if;
  return Boolean(rule) && typeof value === "number" && OPERATORS[rule.op](value, rule.value);
}

export const isOpen = (grade, { code }) => (
  grade.scores[code] === undefined || (grade.scores[code] === "na" && !grade.na[code]));

/** Why a rationale and an error code are asked for, in words; null when they are not. */
export function because(grade, asked) {
  const low = asked.find((criterion) => isLow(criterion, grade.scores[criterion.code]));
  if (low) return `${low.label} ${grade.scores[low.code]}`;
  return GRAVE.includes(grade.safety) ? `harm ${grade.safety}` : null;
}

/** Whether an error row needs the tick "cannot be localized": until places can be drawn it is the only answer. */
export function needsPlace(error, grade, { output, localizable }) {
  return Boolean(error.code) && output.has_image && (localizable.get(error.code) || grade.safety === "severe");
}

/**
 * What still has to be said about one output.
 * @param question `{ asked, output, localizable }`: the criteria asked of it, the output, code -> localizable
 * @returns a list of `{ field, at, text, short }`; `at` is a criterion code or the number of an error row
 */
export function problemsOf(grade, question) {
  return [...openCriteria(grade, question), ...openReasons(grade, question), ...openErrors(grade, question)];
}

function openCriteria(grade, { asked }) {
  const open = asked.filter((criterion) => criterion.required !== false && isOpen(grade, criterion));
  if (!open.length) return [];
  const [{ code, label }] = open;
  const unsaid = grade.scores[code] === "na" ? `${label}: the reason for n/a` : `${label} is open`;
  const text = open.length > 1 ? `${open.length} criteria open` : unsaid;
  return [{ field: "criterion", at: code, text, short: text }];
}

function openReasons(grade, { asked }) {
  let why = because(grade, asked);
  const list = [];
  if (why && !grade.errors.some((error) => error.code)) {
    list.push({ field: "errors", at: null, text: `an error code, for ${why}`, short: "an error code" });
  }
  if (!why && grade.errors.some((error) => error.code === "other")) why = "the error “other”";
  const length = grade.rationale.trim().length;
  if (why && length < RATIONALE_AT_LEAST) {
    const text = `a rationale of ${RATIONALE_AT_LEAST} characters, for ${why}`;
    list.push({ field: "rationale", at: null, text, short: `rationale ${length}/${RATIONALE_AT_LEAST}` });
  }
  return list;
}

function openErrors(grade, question) {
  const list = [];
  const say = (field, at, text, short) => list.push({ field, at, text, short });
  const seen = new Set();
  grade.errors.forEach((error, i) => {
    if (!error.code) say("errors", i, `error ${i + 1}: choose a code or remove it`, `code of error ${i + 1}`);
    else if (seen.has(error.code)) say("errors", i, `error “${error.code}” is named twice`, `“${error.code}” twice`);
    else if (needsPlace(error, grade, question) && !error.nowhere) {
      say("place", i, `error “${error.code}”: tick “cannot be localized”`, `tick for “${error.code}”`);
    }
    seen.add(error.code);
  });
  return list;
}
