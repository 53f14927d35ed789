"""A key that comes again: the same entry is a repeat, another one is refused."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from annotation.grading.errors import InvalidGradeError
from annotation.grading.models import Draft, Grade
from annotation.grading.rules import Judgment, Problem
from annotation.studies.models import Reading

Said = tuple[object, ...]


def refuse_other_entry(reading: Reading, key: UUID, judgments: Sequence[Judgment], reason: str | None) -> None:
    """Compare what came with what the key brought before: three queries.

    Times, the client's clock and what was looked at may differ: a browser that sends again counts on. Words that were
    blanked since cannot be compared and are passed over.

    Raises:
        InvalidGradeError: the key was used for another entry.
    """
    grades = Grade.objects.filter(reading_output__reading=reading, submit_key=key).select_related("reading_output")
    stored = {
        grade.reading_output.label: grade for grade in grades.prefetch_related("scores__criterion", "error_marks")
    }
    same = {judgment.label for judgment in judgments} == set(stored) and all(
        _judged(judgment) == _graded(stored[judgment.label])
        and _same_words(stored[judgment.label], judgment.rationale, reason)
        for judgment in judgments
    )
    if not same:
        words = "this submit key brought another entry before; take a new key for each submission"
        raise InvalidGradeError([Problem("", "submit_key", words)])


def refuse_other_draft(draft: Draft, revision: int, payload: dict[str, Any]) -> None:
    """Raises InvalidGradeError: this client saved something else under the same revision."""
    if revision == draft.revision and payload != draft.payload:
        words = f"{revision} brought another draft before; take the next number for each change"
        raise InvalidGradeError([Problem("", "revision", words)])


def _judged(judgment: Judgment) -> Said:
    scores = {(score.criterion, score.value, score.na_reason) for score in judgment.scores}
    errors = [(error.code, error.nowhere) for error in judgment.errors]
    return scores, errors, judgment.safety, judgment.reference_wrong


def _graded(grade: Grade) -> Said:
    scores = {(score.criterion.code, score.value, score.na_reason) for score in grade.scores.all()}
    marks = sorted(grade.error_marks.all(), key=lambda mark: mark.position)
    return scores, [(mark.error_code_id, mark.nowhere) for mark in marks], grade.safety, grade.reference_wrong


def _same_words(grade: Grade, rationale: str, reason: str | None) -> bool:
    if grade.blanked_by_id is not None:
        return True
    return (grade.rationale, grade.reason_for_change) == (rationale, (reason or "").strip())
