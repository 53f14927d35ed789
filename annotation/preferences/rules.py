"""What makes a preference: what may be chosen, and what a reader must say about it.

Pure rules, tested without a database. A payload is what the workstation sends:

    {"preference": {"choices": {"overall": "left", "anatomical_accuracy": "tie"}, "strength": "clear",
                    "rationale": "", "reference_wrong": false},
     "outputs": {"A": {"safety": "none", "errors": []},
                 "B": {"safety": "severe", "errors": [{"code": "omitted", "nowhere": true}]}}}

Of two outputs `left`, `right`, `tie` or `both_bad` is chosen; of more, the label of the best, `tie` or `all_bad`.
`prefer` turns a payload into what was said or into problems that name field, value and limit; it never repairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.grading.rules import (
    GRAVE,
    RATIONALE_AT_LEAST,
    CriterionRule,
    Entries,
    Judgment,
    NamedError,
    Problem,
    Question,
    ask_for_places,
    not_applicable,
    read_errors,
    read_safety,
    shown_value,
    text_problem,
)

PAIR, RANK = "pair", "rank"
OVERALL = "overall"
LEFT, RIGHT, TIE, BOTH_BAD, BEST, ALL_BAD = "left", "right", "tie", "both_bad", "best", "all_bad"
STRENGTHS = ("slight", "clear", "strong")
FIELDS = ("choices", "strength", "rationale", "reference_wrong")
OUTPUT_FIELDS = ("safety", "errors")


@dataclass(frozen=True)
class Comparison:
    """What one reading asks: two outputs (`pair`) or more (`rank`), overall and by these criteria."""

    mode: str
    question: Question
    criteria: tuple[CriterionRule, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(output.label for output in self.question.outputs)

    @property
    def offered(self) -> tuple[str, ...]:
        """What may be chosen, as a payload says it, in the order of the screen."""
        if self.mode == PAIR:
            return LEFT, TIE, RIGHT, BOTH_BAD
        return *self.labels, TIE, ALL_BAD

    @property
    def bad(self) -> str:
        return BOTH_BAD if self.mode == PAIR else ALL_BAD


@dataclass(frozen=True)
class Pick:
    """One choice and the label of the output that it picks; none for a tie or when all are bad."""

    choice: str
    label: str | None = None


@dataclass(frozen=True)
class Said:
    """A valid preference, ready to be stored. `outputs` holds harm and errors by label."""

    overall: Pick
    by_criterion: Mapping[str, Pick]
    strength: str
    rationale: str
    reference_wrong: bool
    outputs: Mapping[str, Judgment]


def compared(question: Question) -> tuple[CriterionRule, ...]:
    """The criteria by which outputs can be compared: those that apply to each of them; `overall` is always asked."""
    outside = {code for output in question.outputs for code in not_applicable(question, output)}
    return tuple(each for each in question.criteria if each.code != OVERALL and each.code not in outside)


def pick_of(word: str, labels: tuple[str, ...]) -> Pick:
    """What a word of a payload picks; the left output stands first."""
    if word in (LEFT, RIGHT):
        return Pick(word, labels[0] if word == LEFT else labels[1])
    return Pick(word) if word in (TIE, BOTH_BAD, ALL_BAD) else Pick(BEST, word)


def word_of(choice: str, label: str | None) -> str:
    """The word of a payload for a stored choice."""
    return str(label) if choice == BEST else choice


def prefer(payload: Any, comparison: Comparison) -> tuple[Said | None, list[Problem]]:
    """Read a payload against what the reading asks.

    Returns:
        What was said, and the problems. With any problem nothing is said.
    """
    if problems := _frame(payload, comparison):
        return None, problems
    entry = payload["preference"]
    picks, problems = _picks(entry.get("choices"), comparison)
    strength, rationale = _strength(entry.get("strength"), problems), _rationale(entry.get("rationale"), problems)
    wrong = entry.get("reference_wrong", False)
    if not isinstance(wrong, bool):
        problems.append(Problem("", "reference_wrong", f"{shown_value(wrong)} must be true or false"))
    outputs = {}
    for output in comparison.question.outputs:
        entries = Entries(output)
        outputs[output.label] = _judgment(payload.get("outputs", {}).get(output.label, {}), comparison, entries)
        problems += entries.problems
    overall = picks.pop(OVERALL, Pick(""))
    said = Said(overall, picks, strength, rationale, wrong, outputs)
    problems += _missing_reasons(said, comparison, {problem.field for problem in problems})
    return (None, problems) if problems else (said, [])


def _frame(payload: Any, comparison: Comparison) -> list[Problem]:
    if not isinstance(payload, dict) or not isinstance(payload.get("preference"), dict):
        return [Problem("", "preference", "must be an object with choices")]
    problems = [
        Problem("", str(key)[:60], "is not a field of a preference")
        for key in sorted([*(set(payload) - {"preference", "outputs"}), *(set(payload["preference"]) - set(FIELDS))])
    ]
    outputs = payload.get("outputs", {})
    if not isinstance(outputs, dict):
        return [*problems, Problem("", "outputs", "must be an object with what is said of single outputs")]
    for label, entry in sorted(outputs.items()):
        if label not in comparison.labels:
            shown = ", ".join(comparison.labels)
            problems.append(Problem(str(label)[:10], "outputs", f"is not shown in this reading; shown: {shown}"))
        elif not isinstance(entry, dict):
            problems.append(Problem(label, "outputs", "must be an object"))
        else:
            problems += [
                Problem(label, str(key)[:60], "is not said of single outputs")
                for key in sorted(set(entry) - set(OUTPUT_FIELDS))
            ]
    return problems


def _picks(given: Any, comparison: Comparison) -> tuple[dict[str, Pick], list[Problem]]:
    if not isinstance(given, dict):
        return {}, [Problem("", "choices", "must be an object of criterion and choice")]
    labels = {OVERALL: "Overall"} | {criterion.code: criterion.label for criterion in comparison.criteria}
    offered = ", ".join(comparison.offered)
    problems = [
        Problem("", str(code)[:60], "is not compared in this reading") for code in sorted(set(given) - set(labels))
    ]
    picks = {}
    for code, label in labels.items():
        word = given.get(code)
        if word is None:
            problems.append(Problem("", code, f"{label}: no choice yet; choose one of {offered}"))
        elif not isinstance(word, str) or word not in comparison.offered:
            problems.append(Problem("", code, f"{label}: {shown_value(word)}: choose one of {offered}"))
        else:
            picks[code] = pick_of(word, comparison.labels)
    return picks, problems


def _strength(value: Any, problems: list[Problem]) -> str:
    if value in (None, ""):
        return ""
    if value not in STRENGTHS:
        words = f"{shown_value(value)}: choose one of {', '.join(STRENGTHS)}, or leave it out"
        problems.append(Problem("", "strength", words))
        return ""
    return str(value)


def _rationale(value: Any, problems: list[Problem]) -> str:
    if value is None:
        return ""
    if problem := text_problem(value):
        problems.append(Problem("", "rationale", problem))
        return ""
    return str(value).strip()


def _judgment(entry: dict[str, Any], comparison: Comparison, entries: Entries) -> Judgment:
    errors: list[NamedError] = read_errors(entry.get("errors"), comparison.question, entries)
    safety = read_safety(entry.get("safety", "none"), entries)
    judgment = Judgment(entries.output.label, (), errors=tuple(errors), safety=safety)
    if safety in GRAVE and not errors and not entries.problems:
        entries.refuse("errors", f"none named; name at least one, because harm is {safety}")
    ask_for_places(judgment, comparison.question, entries)
    return judgment


def rationale_because(said: Said) -> str | None:
    """Why words are asked for; None when they are not."""
    for label, judgment in said.outputs.items():
        if judgment.safety in GRAVE:
            return f"harm of {label} is {judgment.safety}"
    if said.overall.choice in (BOTH_BAD, ALL_BAD):
        return "neither is usable" if said.overall.choice == BOTH_BAD else "none is usable"
    if said.strength == "strong":
        return "the preference is strong"
    if any(error.code == "other" for judgment in said.outputs.values() for error in judgment.errors):
        return "the error “other” needs words"
    return None


def _missing_reasons(said: Said, comparison: Comparison, refused: set[str]) -> list[Problem]:
    """What a choice asks for besides itself; fields that are refused already are passed over."""
    problems = []
    because = rationale_because(said)
    if said.strength and said.overall.choice in (TIE, comparison.bad):
        problems.append(Problem("", "strength", f"{said.strength}: only where one output is better; leave it out"))
    if because and len(said.rationale) < RATIONALE_AT_LEAST and "rationale" not in refused:
        words = f"{len(said.rationale)} characters; say why in {RATIONALE_AT_LEAST} or more, because {because}"
        problems.append(Problem("", "rationale", words))
    named = any(judgment.errors for judgment in said.outputs.values())
    if said.overall.choice == comparison.bad and not named and "errors" not in refused:
        problems.append(Problem("", "errors", f"none named; name at least one, because {because}"))
    return problems
