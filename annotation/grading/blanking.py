"""Emptying the words of a grade that must not be kept, such as the name of a patient.

The scores stay, the seal stays valid, and an event says who emptied them and why. It is the one change of a grade
that the database lets through.
"""

from uuid import UUID

from django.db import transaction

from annotation.audit.models import Event
from annotation.audit.record import chain_of_study, record
from annotation.audit.triggers import BLANKED, BLANKED_VERB
from annotation.grading.errors import GradingError
from annotation.grading.models import Grade
from annotation.grading.rules import REASON_AT_LEAST, text_problem
from annotation.people.models import User
from annotation.studies.models import Enrollment, Study

REASON_LIMIT = 300


class BlankingError(GradingError):
    """The words of a grade cannot be emptied; the message says why."""


def may_blank(user: User, study: Study) -> bool:
    """An operator, or who coordinates the study."""
    if not user.is_active or user.is_operator:
        return user.is_active
    return study.enrollments.filter(user=user, role=Enrollment.Role.COORDINATOR, active=True).exists()


@transaction.atomic
def blank_texts(*, grade: Grade, actor: User, reason: str) -> Grade:
    """Empty rationale and reason for change of one version of a grade, for good; nothing else changes.

    Earlier exports, backups and trails keep the words: replace them where the words must be gone everywhere.

    Args:
        grade: one version.
        actor: an operator or a coordinator of its study.
        reason: why, without repeating what must go; it is kept in the trail.

    Raises:
        BlankingError: not permitted, no reason, nothing to empty, or emptied before.
    """
    reading = Grade.objects.select_related("reading_output__reading__study").get(pk=grade.pk).reading_output.reading
    if not may_blank(actor, reading.study):
        raise BlankingError("Only an operator or a coordinator of the study empties the words of a grade.")
    _refuse_reason(reason)
    held = Grade.objects.select_for_update(of=("self",)).get(pk=grade.pk)
    if held.blanked_by_id is not None:
        raise BlankingError("The words of this grade were emptied before.")
    if not held.rationale and not held.reason_for_change:
        raise BlankingError("This grade has no words to empty.")
    event = record(
        BLANKED_VERB,
        actor=actor,
        subject=held,
        chain=chain_of_study(reading.study_id),
        reason=reason.strip(),
        version=held.version,
        seal=held.payload_hash,
    )
    changes = {
        "rationale": "",
        "reason_for_change": BLANKED if held.reason_for_change else "",
        "text_salt": "",
        "blanked_by": event,
    }
    Grade._base_manager.filter(pk=held.pk).update(**changes)
    return Grade.objects.get(pk=held.pk)


def _refuse_reason(reason: str) -> None:
    if problem := text_problem(reason):
        raise BlankingError(f"reason: {problem}")
    length = len(reason.strip())
    if not REASON_AT_LEAST <= length <= REASON_LIMIT:
        raise BlankingError(f"reason: {length} characters; say why in {REASON_AT_LEAST} to {REASON_LIMIT}")


def blanked_note(event: Event | None) -> str:
    """What is said where words were: `blanked on 2026-11-25 because it names a patient`."""
    if event is None:
        return ""
    return f"blanked on {event.at:%Y-%m-%d} because {event.details['reason']}"


def blanked_words(event: Event | None) -> str:
    """The note in brackets, in the place of a text."""
    return f"[{blanked_note(event)}]"


def notes_of_reading(reading: UUID) -> dict[str, str]:
    """Label of an output → note, where the words of the newest grade were emptied."""
    newest: dict[str, Event | None] = {}
    grades = Grade.objects.filter(reading_output__reading=reading).select_related("blanked_by", "reading_output")
    for grade in grades.order_by("reading_output__position", "version"):
        newest[grade.reading_output.label] = grade.blanked_by
    return {label: blanked_note(event) for label, event in newest.items() if event is not None}
