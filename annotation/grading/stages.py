"""Grading in two stages: without the reference, then with it, revealed by this reader's own first submission.

Nothing else reveals it: no state of the study, no other reader, no role. Both stages are kept as grades of their own.
"""

from datetime import datetime
from uuid import UUID

from django.db.models.functions import Coalesce
from django.http import Http404

from annotation.grading.errors import AlreadySubmittedError, InvalidGradeError
from annotation.grading.models import Grade
from annotation.grading.presentation import REFERENCE, Presentation
from annotation.grading.rules import Judgment, Problem
from annotation.studies.models import Reading, Study

GRADED_STATES = Study.GRADED_STATES
WITHOUT, WITH = Grade.Stage.WITHOUT.value, Grade.Stage.WITH.value


def shows_reference(reading: Reading) -> bool:
    """Whether this reader may see the reference of the reading."""
    return reading.study.stages == 1 or reading.revealed_at is not None


def stage_of(reading: Reading) -> str:
    """What a grade given now is: without the reference until it is revealed."""
    return WITH if shows_reference(reading) else WITHOUT


def refuse_reference(pk: UUID, shown: Presentation, number: int) -> None:
    """404 for a picture of the reference that this reading has not revealed; one query, for references only."""
    if number < len(shown.panes) and shown.panes[number].role == REFERENCE:
        reading = Reading.objects.select_related("study").only("revealed_at", "study__stages").filter(pk=pk).first()
        if reading is None or not shows_reference(reading):
            raise Http404("no such pane")


def refuse_other_stage(reading: Reading, said: str | None) -> None:
    """Refuse what was entered in another stage than the reading is in; who says nothing means the first.

    Raises:
        AlreadySubmittedError: the first stage is submitted, or the second has not begun.
    """
    if reading.study.stages == 1 or (said or WITHOUT) == stage_of(reading):
        return
    if shows_reference(reading):
        raise AlreadySubmittedError("The grade without the reference is submitted and stays; grade with it now.")
    raise AlreadySubmittedError("The reference is not shown yet; submit the grade without it first.")


def refuse_reference_flags(stage: str, judgments: list[Judgment]) -> None:
    """Nobody can call a reference wrong that was not shown.

    Raises:
        InvalidGradeError: an output says so.
    """
    words = "cannot be said before the reference is shown"
    problems = [Problem(one.label, "reference_wrong", words) for one in judgments if one.reference_wrong]
    if stage == WITHOUT and problems:
        raise InvalidGradeError(problems)


def reveal(reading: Reading, now: datetime) -> None:
    """The first stage is submitted: the reference opens, and the reading goes on.

    Raises:
        AlreadySubmittedError: another window was first.
    """
    won = Reading.objects.filter(
        pk=reading.pk,
        status__in=Reading.UNSUBMITTED,
        revealed_at=None,
        study__state__in=GRADED_STATES,
    ).update(
        revealed_at=now,
        status=Reading.Status.IN_PROGRESS,
        opened_at=Coalesce("opened_at", now),
        skip_reason="",
        skip_text="",
    )
    if not won:
        raise AlreadySubmittedError("This stage was submitted in another window at the same moment.")
