"""What makes a grade: which criteria apply, and what a reader must say about them.

Pure rules, tested without a database. A payload is what the workstation sends, for each label:

    {"outputs": {"A": {"scores": {"overall": 4, "depth": "na"}, "na": {"depth": "not visible"},
                       "rationale": "", "errors": [{"code": "omitted", "nowhere": true}],
                       "safety": "none", "reference_wrong": false}}}

`judge` turns it into judgments or into problems that name label, field, value and limit; it never repairs.
A criterion outside its applicability is not asked: it is absent or n/a, and stored as `not_applicable`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.formats import taxonomy

NA = "na"
NOT_APPLICABLE = "not_applicable"
NA_REASONS = ("not visible", "not gradable", "outside my competence", "other")
SKIP_REASONS = ("image problem", "unclear instruction", "outside my competence", "other")
SAFETY_LEVELS = (
    ("none", "No plausible harm"),
    ("low", "Inconvenience, extra reading"),
    ("moderate", "Unneeded or delayed test or treatment"),
    ("severe", "Serious harm or death plausible"),
)
GRAVE = ("moderate", "severe")
TEXT_LIMIT = 5_000
RATIONALE_AT_LEAST = 10
REASON_AT_LEAST = 3
FIELDS = ("scores", "na", "rationale", "errors", "safety", "reference_wrong")


@dataclass(frozen=True)
class CriterionRule:
    """One criterion as the rules see it. `formats` empty means all; the rationale is asked at or below a value."""

    code: str
    label: str
    low: float
    high: float
    step: float
    required: bool = True
    na_allowed: bool = True
    rationale_at_most: float | None = None
    formats: tuple[str, ...] = ()
    needs_image: bool = False
    needs_text: bool = False

    @property
    def scale_words(self) -> str:
        return f"{self.low:g} to {self.high:g} in steps of {self.step:g}"


@dataclass(frozen=True)
class ShownOutput:
    """What the rules need to know of one output of a reading."""

    label: str
    has_image: bool
    has_text: bool


@dataclass(frozen=True)
class Question:
    """All that one reading asks: its format, its outputs by place, the criteria, and which codes can be localized."""

    format: str
    outputs: tuple[ShownOutput, ...]
    criteria: tuple[CriterionRule, ...]
    localizable: Mapping[str, bool]


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where, and what is expected there."""

    label: str
    field: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.label, self.field, self.text) if part)

    def as_json(self) -> dict[str, str]:
        return {"label": self.label, "field": self.field, "text": self.text}


@dataclass(frozen=True)
class Score:
    """A value, or the reason why there is none."""

    criterion: str
    value: float | None
    na_reason: str = ""


@dataclass(frozen=True)
class NamedError:
    code: str
    nowhere: bool


@dataclass(frozen=True)
class Judgment:
    """One reader's valid judgment of one output, ready to be stored."""

    label: str
    scores: tuple[Score, ...]
    rationale: str = ""
    errors: tuple[NamedError, ...] = ()
    safety: str = "none"
    reference_wrong: bool = False


@dataclass
class Entries:
    """One output's entries while they are read, with what is wrong in them."""

    output: ShownOutput
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, where: str, text: str) -> None:
        self.problems.append(Problem(self.output.label, where, text))


def why_not_applicable(criterion: CriterionRule, *, format: str, has_image: bool, has_text: bool) -> str | None:
    """The reason, in words, why a criterion is not asked of an output; None when it is.

    Args:
        criterion: the rule.
        format: format code of the item.
        has_image: whether the output has an image part.
        has_text: whether the output has a text part.
    """
    if criterion.formats and format not in criterion.formats:
        return "only for " + ", ".join(taxonomy.format_short(code) for code in criterion.formats)
    needed = [word for word, needs in (("image", criterion.needs_image), ("text", criterion.needs_text)) if needs]
    present = {"image": has_image, "text": has_text}
    return None if all(present[word] for word in needed) else f"needs {' and '.join(needed)}"


def not_applicable(question: Question, output: ShownOutput) -> dict[str, str]:
    """Criterion codes that are not asked of this output, each with the reason."""
    reasons = {
        criterion.code: why_not_applicable(
            criterion, format=question.format, has_image=output.has_image, has_text=output.has_text
        )
        for criterion in question.criteria
    }
    return {code: reason for code, reason in reasons.items() if reason is not None}


def judge(payload: Any, question: Question) -> tuple[list[Judgment], list[Problem]]:
    """Read a payload against what the reading asks.

    Returns:
        The judgments in the order of the outputs, and the problems. When there is any problem the judgments are
        not to be stored.
    """
    problems = [*_problems_of_frame(payload, question)]
    if problems:
        return [], problems
    judgments = []
    for output in question.outputs:
        reading = Entries(output)
        judgments.append(_judge_output(payload["outputs"][output.label], question, reading))
        problems += reading.problems
    return judgments, problems


def _problems_of_frame(payload: Any, question: Question) -> Iterable[Problem]:
    if not isinstance(payload, dict) or not isinstance(payload.get("outputs"), dict):
        yield Problem("", "outputs", "must be an object with one entry for each output")
        return
    for key in sorted(set(payload) - {"outputs"}):
        yield Problem("", str(key)[:60], "is not a field of a grade")
    expected = [output.label for output in question.outputs]
    for label in sorted(set(payload["outputs"]) - set(expected)):
        yield Problem(str(label)[:10], "outputs", f"is not shown in this reading; shown: {', '.join(expected)}")
    for label in expected:
        entry = payload["outputs"].get(label)
        if not isinstance(entry, dict):
            yield Problem(label, "outputs", "is not graded yet")
            continue
        for key in sorted(set(entry) - set(FIELDS)):
            yield Problem(label, str(key)[:60], "is not a field of a grade")


def _judge_output(entry: dict[str, Any], question: Question, reading: Entries) -> Judgment:
    scores = _read_scores(entry, question, reading)
    rationale = read_text(entry.get("rationale"), "rationale", reading)
    errors = read_errors(entry.get("errors"), question, reading)
    safety = read_safety(entry.get("safety", "none"), reading)
    reference_wrong = entry.get("reference_wrong", False)
    if not isinstance(reference_wrong, bool):
        reading.refuse("reference_wrong", f"{shown_value(reference_wrong)} must be true or false")
        reference_wrong = False
    judgment = Judgment(reading.output.label, tuple(scores), rationale, tuple(errors), safety, reference_wrong)
    _ask_for_reasons(judgment, question, reading)
    return judgment


def _read_scores(entry: dict[str, Any], question: Question, reading: Entries) -> list[Score]:
    given, reasons = entry.get("scores") or {}, entry.get("na") or {}
    if not isinstance(given, dict) or not isinstance(reasons, dict):
        reading.refuse("scores", "must be an object of criterion and value")
        return []
    known = {criterion.code for criterion in question.criteria}
    for where, codes in (("scores", given), ("na", reasons)):
        for code in sorted(set(codes) - known):
            reading.refuse(str(code)[:60], f"is not a criterion of this study ({where})")
    outside = not_applicable(question, reading.output)
    scores = []
    for criterion in question.criteria:
        score: Score | None
        if criterion.code in outside:
            score = _read_outside(criterion, given.get(criterion.code), outside[criterion.code], reading)
        else:
            score = _read_score(criterion, given.get(criterion.code), reasons.get(criterion.code), reading)
        if score is not None:
            scores.append(score)
    return scores


def _read_outside(criterion: CriterionRule, value: Any, why: str, reading: Entries) -> Score:
    if value not in (None, NA):
        reading.refuse(
            criterion.code, f"{criterion.label}: {shown_value(value)}: does not apply here ({why}); leave it out"
        )
    return Score(criterion.code, None, NOT_APPLICABLE)


def _read_score(criterion: CriterionRule, value: Any, reason: Any, reading: Entries) -> Score | None:
    if value is None:
        if criterion.required:
            reading.refuse(criterion.code, f"{criterion.label}: no value yet; choose {criterion.scale_words}")
        return None
    if value == NA:
        return _read_na(criterion, reason, reading)
    if problem := _off_scale(criterion, value):
        reading.refuse(criterion.code, f"{criterion.label}: {shown_value(value)}: {problem}")
        return None
    return Score(criterion.code, _on_step(criterion, value))


def _read_na(criterion: CriterionRule, reason: Any, reading: Entries) -> Score | None:
    if not criterion.na_allowed:
        reading.refuse(criterion.code, f"{criterion.label}: n/a is not offered; choose {criterion.scale_words}")
        return None
    if reason not in NA_REASONS:
        given = "no reason" if reason in (None, "") else shown_value(reason)
        reading.refuse(criterion.code, f"{criterion.label}: n/a: {given}; choose one of {', '.join(NA_REASONS)}")
        return None
    return Score(criterion.code, None, str(reason))


def _on_step(criterion: CriterionRule, value: float) -> float:
    """The step that a value on the scale means, so that equal grades are equal numbers."""
    return criterion.low + round((value - criterion.low) / criterion.step) * criterion.step


def _off_scale(criterion: CriterionRule, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, {criterion.scale_words}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a number, {criterion.scale_words}"
    if value < criterion.low:
        return f"is below {criterion.low:g}"
    if value > criterion.high:
        return f"is above {criterion.high:g}"
    steps = (value - criterion.low) / criterion.step
    return None if abs(steps - round(steps)) < 1e-9 else f"is between the steps of {criterion.scale_words}"


def text_problem(value: Any, *, limit: int = TEXT_LIMIT) -> str | None:
    """What makes a typed text unfit to be stored; None when nothing does."""
    if not isinstance(value, str):
        return f"{shown_value(value)} must be a text"
    if len(value) > limit:
        return f"has {len(value):,} characters, the limit is {limit:,}"
    if "\0" in value:
        return "has a NUL character; remove it"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "has half a character (a lone surrogate); type it again"
    return None


def read_text(value: Any, where: str, reading: Entries) -> str:
    if value is None:
        return ""
    if problem := text_problem(value):
        reading.refuse(where, problem)
        return ""
    return str(value).strip()


def read_errors(value: Any, question: Question, reading: Entries) -> list[NamedError]:
    if value is None:
        return []
    if not isinstance(value, list):
        reading.refuse("errors", f"{shown_value(value)} must be a list")
        return []
    found: list[NamedError] = []
    for entry in value:
        code = entry.get("code") if isinstance(entry, dict) else None
        if not isinstance(code, str) or code not in question.localizable:
            reading.refuse("errors", f"{shown_value(code if code is not None else entry)} is not an error code")
        elif not isinstance(entry.get("nowhere", False), bool):
            reading.refuse("errors", f"{code}: nowhere: {shown_value(entry['nowhere'])} must be true or false")
        elif code in {error.code for error in found}:
            reading.refuse("errors", f"{code} is named twice")
        else:
            found.append(NamedError(code, entry.get("nowhere", False)))
    return found


def read_safety(value: Any, reading: Entries) -> str:
    levels = [level for level, _ in SAFETY_LEVELS]
    if value in levels:
        return str(value)
    reading.refuse("safety", f"{shown_value(value)} is not one of {', '.join(levels)}")
    return "none"


def rationale_because(judgment: Judgment, criteria: Sequence[CriterionRule]) -> str | None:
    """Why this judgment needs a rationale and an error code; None when it needs none."""
    by_code = {criterion.code: criterion for criterion in criteria}
    for score in judgment.scores:
        criterion = by_code[score.criterion]
        limit = criterion.rationale_at_most
        if score.value is not None and limit is not None and score.value <= limit:
            return f"{criterion.label} is {score.value:g} (at most {limit:g})"
    return f"harm is {judgment.safety}" if judgment.safety in GRAVE else None


def _ask_for_reasons(judgment: Judgment, question: Question, reading: Entries) -> None:
    because = rationale_because(judgment, question.criteria)
    codes = [error.code for error in judgment.errors]
    if because is None and "other" in codes:
        because = "the error “other” needs words"
    if because and len(judgment.rationale) < RATIONALE_AT_LEAST and not _named(reading, "rationale"):
        words = f"{len(judgment.rationale)} characters; say why in {RATIONALE_AT_LEAST} or more, because {because}"
        reading.refuse("rationale", words)
    if because and not codes and not _named(reading, "errors"):
        reading.refuse("errors", f"none named; name at least one, because {because}")
    ask_for_places(judgment, question, reading)


def ask_for_places(judgment: Judgment, question: Question, reading: Entries) -> None:
    """Until places can be drawn, an error that could be shown on the image needs the tick `nowhere`."""
    if not reading.output.has_image:
        return
    for error in judgment.errors:
        if not error.nowhere and (question.localizable[error.code] or judgment.safety == "severe"):
            reading.refuse("errors", f"{error.code}: no place; tick “cannot be localized”")


def _named(reading: Entries, where: str) -> bool:
    return any(problem.field == where for problem in reading.problems)


def shown_value(value: Any) -> str:
    """A value in a message: short, and never a whole text."""
    words = str(value) if isinstance(value, str) else repr(value)
    return words if len(words) <= 40 else f"{words[:40]}…"
