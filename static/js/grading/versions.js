// Two versions of one reading: where they differ, criterion by criterion, and one made of both. Pure.

const said = (value) => {
  if (value === undefined || value === null || value === "") return "–";
  if (Array.isArray(value)) return value.map((error) => error.code || "no code").join(", ") || "–";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
};
const scoreOf = (grade, code) => {
  const value = grade.scores?.[code];
  const reason = grade.na?.[code];
  return value === "na" ? `n/a${reason ? `, ${reason.replaceAll("_", " ")}` : ""}` : said(value);
};
const PREFERENCE = "preference"; // what is said of all outputs together stands beside them, under this name
/** The parts of a payload by label; choices between outputs are read like scores. */
function partsOf({ outputs = {}, preference }) {
  return preference ? { [PREFERENCE]: { ...preference, scores: preference.choices ?? {} }, ...outputs } : outputs;
}
const FIELDS = [
  ["strength", "How much"],
  ["errors", "Errors"], ["rationale", "Rationale"], ["safety", "Harm"], ["reference_wrong", "Reference is wrong"],
];

/** Rows `{ key, name, mine, theirs, differs }` of all that was asked, in the order of the sheet. */
export function rowsOf(mine, theirs, criteria) {
  const rows = [];
  const [own, other] = [partsOf(mine), partsOf(theirs)];
  const labels = [...new Set([...Object.keys(own), ...Object.keys(other)])];
  const add = (label, key, name, a, b, differs) => rows.push({
    key: `${label}/${key}`, name: labels.length > 1 ? `${label}: ${name}` : name, mine: a, theirs: b, differs,
  });
  for (const label of labels) {
    const a = own[label] ?? {};
    const b = other[label] ?? {};
    for (const { code, label: name } of criteria) {
      const [x, y] = [scoreOf(a, code), scoreOf(b, code)];
      if (x !== "–" || y !== "–") add(label, `scores/${code}`, name, x, y, x !== y);
    }
    for (const [field, name] of FIELDS) {
      const [x, y] = [said(a[field]), said(b[field])];
      const differs = x !== y || (field === "errors" && JSON.stringify(a.errors ?? []) !== JSON.stringify(b.errors ?? []));
      if (differs || (x !== "–" && x !== "no")) add(label, field, name, x, y, differs);
    }
  }
  return rows;
}

/** One payload: theirs, with what was picked of mine. @param picks row key -> true takes mine */
export function merged(mine, theirs, picks) {
  const payload = structuredClone(theirs);
  payload.outputs ??= {};
  for (const [key, takesMine] of picks) {
    if (!takesMine) continue;
    const [label, field, code] = key.split("/");
    const home = (version) => (label === PREFERENCE ? version : version.outputs ?? {});
    const from = home(mine)[label] ?? {};
    const to = (home(payload)[label] ??= structuredClone(from));
    if (field !== "scores") {
      to[field] = structuredClone(from[field]);
      continue;
    }
    for (const name of label === PREFERENCE ? ["choices"] : ["scores", "na"]) {
      to[name] ??= {};
      if (from[name]?.[code] === undefined) delete to[name][code];
      else to[name][code] = from[name][code];
    }
  }
  return payload;
}

/** What an entry says, as lines of text that can be pasted anywhere. */
export function textOf(entry, criteria = []) {
  const lines = [`Reading ${entry.position}${entry.study?.name ? `, ${entry.study.name}` : ""}`];
  if (entry.kept_at) lines.push(`Entered ${entry.kept_at} (clock of this computer)`);
  if (entry.refused) lines.push(`Not accepted: ${entry.refused.why}`);
  if (entry.kind === "skip") lines.push(`Skipped: ${entry.reason} ${entry.text ?? ""}`.trim());
  for (const [label, { guess, sure, why }] of Object.entries(entry.guesses ?? {})) {
    const words = guess ? `${guess}, sure ${sure} of 5` : "could not tell";
    lines.push(`Output ${label}: which system was it? ${words}${why ? `; ${why}` : ""}`);
  }
  const names = new Map(criteria.map(({ code, label }) => [code, label]));
  for (const [label, grade] of Object.entries(partsOf(entry.payload ?? {}))) {
    lines.push(label === PREFERENCE ? "Preference" : `Output ${label}`);
    for (const code of Object.keys(grade.scores ?? {})) lines.push(`  ${names.get(code) ?? code}: ${scoreOf(grade, code)}`);
    for (const [field, name] of FIELDS) if (said(grade[field]) !== "–") lines.push(`  ${name}: ${said(grade[field])}`);
  }
  if (entry.kind === "submit" && entry.reason) lines.push(`Reason for the change: ${entry.reason}`);
  return lines.join("\n");
}
