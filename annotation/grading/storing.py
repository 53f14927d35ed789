"""Writing the grades of one submission: grade, scores and marks of every output, sealed."""

from datetime import datetime
from typing import TYPE_CHECKING

from annotation.grading import seals
from annotation.grading.models import CriterionScore, ErrorMark, Grade
from annotation.grading.rules import Judgment
from annotation.grading.working_time import Work, share_of
from annotation.people.models import User
from annotation.studies.models import Criterion, Reading, ReadingOutput, StudySystem

if TYPE_CHECKING:
    from annotation.grading.services import Entry


def store_grades(
    *,
    reading: Reading,
    actor: User,
    entry: "Entry",
    judgments: list[Judgment],
    by_code: dict[str, Criterion],
    version: int,
    stage: str,
    counted: Work,
    now: datetime,
) -> list[Grade]:
    """Grades, scores and marks of one submission; the reading's time is shared out so that its sum stays true."""
    shown = ReadingOutput.objects.filter(reading=reading).annotate(**seals.shown_expressions("", StudySystem))
    places = {place.label: place for place in shown}
    grades, scores, marks = [], [], []
    for order, judgment in enumerate(judgments):
        grade = Grade(
            reading_output=places[judgment.label],
            version=version,
            stage=stage,
            author=actor,
            rationale=judgment.rationale,
            safety=judgment.safety,
            reference_wrong=judgment.reference_wrong,
            reason_for_change=(entry.reason or "").strip(),
            active_ms=share_of(counted.active_ms, order, len(judgments)),
            idle_ms=share_of(counted.idle_ms, order, len(judgments)),
            viewing=entry.viewing or {},
            client_time=entry.client_time,
            submit_key=entry.submit_key,
            submitted_at=now,
        )
        own_scores = [
            CriterionScore(grade=grade, criterion=by_code[s.criterion], value=s.value, na_reason=s.na_reason)
            for s in judgment.scores
        ]
        own_marks = [
            ErrorMark(grade=grade, error_code_id=error.code, nowhere=error.nowhere, position=place)
            for place, error in enumerate(judgment.errors)
        ]
        seals.seal(grade, own_scores, own_marks)
        grades.append(grade)
        scores += own_scores
        marks += own_marks
    Grade.objects.bulk_create(grades)
    CriterionScore.objects.bulk_create(scores)
    ErrorMark.objects.bulk_create(marks)
    return grades
