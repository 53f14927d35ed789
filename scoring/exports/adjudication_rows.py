"""Rows of *Adjudications*: what a further reader decided about flags and disagreements. No grade is changed by it."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotation.adjudication import queue
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.grading.models import Grade
from annotation.preferences.flags import remarks
from annotation.studies.models import ReadingOutput
from scoring.exports.grade_rows import CHUNK, item_code
from scoring.exports.scope import Scope, joined
from scoring.exports.sheets import Table, count, moment, number, text, word

Row = tuple[Any, ...]
ADJUDICATIONS = Table(
    "Adjudications",
    "every act on a case: asked for, decided, reopened; then the cases nobody has decided. Grades stay as they are",
    (
        word("Case", "key of the case; one question about one output", 36),
        word("Item", "code of the item"),
        word("System", "letter of the system", 9),
        word("Question", "safety, reference or criterion"),
        word("Criterion", "rubric and criterion, of a case about one", 28),
        word("Trigger", "safety flag, reference, spread of 2 or more, manual: asked for by a coordinator"),
        word("State", "where the case stands now: waiting for readers, open, reopened, decided", 11),
        count("Version", "place of the act in the chain of the case; empty while nothing was done", 8),
        word("Act", "requested, decided or reopened; empty while nothing was done", 11),
        number("Value", "decided value of a criterion; enters only analyses that say adjudicated values", 8),
        word("Verdict", "confirmed or refuted, for a flag", 11),
        word("Level", "severe or moderate, for confirmed harm", 10),
        word("Cause", "why readers said what they said", 18),
        text("Rationale", "the adjudicator's words, or the reason of who asked or reopened", 60),
        word("Adjudicator", "letter of the person in this sheet, in the order of their first act", 11),
        text("Inputs", "the grades looked at: letter of the reader, drawn for the output, and what they said", 60),
        moment("At", "when"),
    ),
)


def adjudication_rows(scope: Scope, cases: Sequence[Case]) -> Iterator[Row]:
    """Three queries, none without a case."""
    if not cases:
        return
    systems, items = _places(scope)
    shown = {str(one.grade) for case in cases for one in case.said}
    said = _said(scope, shown | {one["grade"] for case in cases for act in case.acts for one in act.inputs})
    people: dict[Any, str] = {}
    for act in sorted((act for case in cases for act in case.acts), key=lambda act: act.created_at):
        people.setdefault(act.author_id, f"P{len(people) + 1}")
    for case in cases:
        criterion = case.criterion
        head = (
            str(case.key),
            items[case.output],
            systems[case.output],
            case.subject,
            None if criterion is None else f"{criterion.rubric.code}:{criterion.code}",
            case.trigger,
            case.state,
        )
        if not case.acts:
            yield (*head, *(None,) * 8, _inputs(scope, case, said), None)
        for act in case.acts:
            yield (*head, *_facts(act), people[act.author_id], _seen(act, said), act.created_at)


def adjudication_counts(cases: Sequence[Case]) -> dict[str, int]:
    """For the first sheet: cases by state, and what became of harm."""
    counts = queue.counted(cases)
    return {
        "adjudication cases": counts["all"],
        "adjudication cases to decide": counts["open"] + counts["reopened"],
        "adjudication cases waiting for readers": counts["waiting"],
        "adjudication cases decided": counts["decided"],
        "outputs with harm confirmed": counts["confirmed"],
        "outputs with harm refuted": counts["refuted"],
        "outputs with severe harm pending": counts["pending"],
    }


def _facts(act: Adjudication) -> Row:
    return (
        act.version,
        act.act,
        act.value,
        act.verdict or None,
        act.level or None,
        act.get_cause_display() if act.cause else None,
        act.rationale,
    )


def _places(scope: Scope) -> tuple[dict[Any, str], dict[Any, str]]:
    """Output → letter of its system, and output → code of its item: one query."""
    shown = ReadingOutput.objects.filter(reading__study=scope.study)
    rows = shown.filter(output__submission__study_systems__study=scope.study).order_by()
    found = rows.values_list(
        "output_id", "output__submission__study_systems__letter", "output__revision__item__number"
    ).distinct()
    listed = list(found)
    return {output: letter for output, letter, _ in listed}, {output: item_code(item) for output, _, item in listed}


def _said(scope: Scope, wanted: set[str]) -> dict[str, str]:
    """Grade → what it says of flags and criteria, in words, of the wanted ones: two queries, none without any."""
    if not wanted:
        return {}
    if scope.study.compares:
        return _remarked(scope, wanted)
    criteria = {pk: one.code for pk, one in scope.criteria.items()}
    grades = Grade.objects.filter(reading_output__reading__study=scope.study).order_by()
    found = {
        str(pk): [f"harm {safety}", *(["reference wrong"] if wrong else [])]
        for pk, safety, wrong in grades.values_list("pk", "safety", "reference_wrong").iterator(chunk_size=CHUNK)
        if str(pk) in wanted
    }
    scores = grades.filter(scores__value__isnull=False).values_list("pk", "scores__criterion_id", "scores__value")
    for pk, criterion, value in scores.iterator(chunk_size=CHUNK):
        if str(pk) in wanted:
            found[str(pk)].append(f"{criteria.get(criterion, '?')} {value:g}")
    return {pk: joined(words, ", ") for pk, words in found.items()}


def _remarked(scope: Scope, wanted: set[str]) -> dict[str, str]:
    """Preference → what it says of harm and the reference; harm of another output of it is named by its label."""
    found: dict[str, list[str]] = {}
    for one in remarks(scope.study):
        if str(one.preference) in wanted:
            words = found.setdefault(str(one.preference), ["reference wrong"] if one.reference_wrong else [])
            words.append(f"harm of {one.label} {one.safety}")
    return {pk: joined(words, ", ") for pk, words in found.items()}


def _seen(act: Adjudication, said: dict[str, str]) -> str:
    return joined((f"{one['letter']}: {said.get(one['grade'], '')}" for one in act.inputs), "\n")


def _inputs(scope: Scope, case: Case, said: dict[str, str]) -> str:
    letters = queue.letters_of(scope.study, case)
    listed = sorted((letters[one.reader], str(one.grade)) for one in case.said)
    return joined((f"{letter}: {said[grade]}" for letter, grade in listed), "\n")
