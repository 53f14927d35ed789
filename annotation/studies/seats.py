"""Whoever takes over what a reader has not submitted, and who is let in after training; both are acts with a reason.

Submitted readings stay with their author, for good. What moves is made anew for the new reader, in the same order,
with the same outputs under the same labels, so that every item keeps its readers and every label its systems.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.models import User
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.freezing import checked_reason
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study
from annotation.studies.services import next_code

REPLACED, ADMITTED = "reader replaced", "reader admitted"
OPEN = (Study.State.PILOT, Study.State.RUNNING, Study.State.PAUSED)
Shown = tuple[tuple[str, Any, int], ...]


@dataclass(frozen=True)
class Replacement:
    """What an act of replacing did; `dropped` are repeats whose first time was the former reader's."""

    new: Enrollment
    moved: int
    dropped: int
    kept: int


@transaction.atomic
def replace_reader(*, enrollment: Enrollment, user: User, actor: User | None, reason: str) -> Replacement:
    """Give everything that a reader has not submitted to another person, under a new code.

    Raises:
        StudyStateError: the study has no readings that could move, now or any more.
        StudyError: no reason, the reader has nothing left or is no reader, the person reads here or is deactivated.
    """
    study = Study.objects.select_for_update().get(pk=enrollment.study_id)
    said = checked_reason(reason, "why the reader is replaced")
    _check(study, enrollment, user)
    old = list(
        enrollment.readings.exclude(status=Reading.Status.VOID)
        .select_for_update()
        .prefetch_related("reading_outputs")
        .order_by("position")
    )
    left = [one for one in old if one.status in Reading.UNSUBMITTED]
    if not left:
        raise StudyError(f"{enrollment.reader_code} has submitted everything; nothing can move.")
    dropped = _repeats_without_first(old)
    moving = [one for one in left if one.pk not in dropped]
    new = Enrollment.objects.create(
        study=study, user=user, role=Enrollment.Role.READER, reader_code=next_code(study), cap=enrollment.cap
    )
    trained = [one for one in old if one.role == Reading.Role.TRAINING and one not in moving]
    _copy([*trained, *moving], new, moved={one.pk for one in moving})
    words = f"moved to {new.reader_code}"
    Reading.objects.filter(pk__in=[one.pk for one in moving]).update(status=Reading.Status.VOID, void_reason=words)
    words = "a repeat of what the former reader read"
    Reading.objects.filter(pk__in=dropped).update(status=Reading.Status.VOID, void_reason=words)
    Enrollment.objects.filter(pk=enrollment.pk).update(active=False, replaced_by=new)
    done = Replacement(new, len(moving), len(dropped), len(old) - len(left))
    record(
        REPLACED,
        actor=actor,
        subject=study,
        reader=enrollment.reader_code,
        by=new.reader_code,
        person=str(user.pk),
        reason=said,
        moved=done.moved,
        dropped=done.dropped,
        kept=done.kept,
        roles=dict(Counter(one.role for one in moving)),
    )
    return done


def _check(study: Study, enrollment: Enrollment, user: User) -> None:
    if study.state not in OPEN:
        words = (
            "nothing is drawn yet: enroll and end readers" if study.state == Study.State.DRAFT else "grading is over"
        )
        raise StudyStateError(f"This study is {study.state}; {words}.")
    if enrollment.role != Enrollment.Role.READER:
        raise StudyError("Only readers are replaced.")
    if enrollment.replaced_by_id is not None:
        raise StudyError(f"{enrollment.reader_code} was replaced before.")
    if not user.is_active:
        raise StudyError(f"{user} is deactivated.")
    if study.enrollments.filter(user=user, role=Enrollment.Role.READER).exists():
        raise StudyError(f"{user} reads or has read in this study; choose somebody who has not.")


def _repeats_without_first(readings: list[Reading]) -> list[Any]:
    """Unsubmitted repeats whose first time is submitted: only its reader could be compared with themselves."""
    firsts = {
        (one.study_item_id, _shown(one))
        for one in readings
        if one.role == Reading.Role.MAIN and one.status == Reading.Status.SUBMITTED
    }
    return [
        one.pk
        for one in readings
        if one.role == Reading.Role.REPEAT
        and one.status in Reading.UNSUBMITTED
        and (one.study_item_id, _shown(one)) in firsts
    ]


def _shown(reading: Reading) -> Shown:
    return tuple(sorted((one.label, one.output_id, one.position) for one in reading.reading_outputs.all()))


def _copy(readings: list[Reading], new: Enrollment, *, moved: set[Any]) -> None:
    copies, places = [], []
    for position, one in enumerate(readings, start=1):
        copy = Reading(
            study_id=one.study_id,
            enrollment=new,
            study_item_id=one.study_item_id,
            position=position,
            role=one.role,
            replicate=one.replicate,
            moved_from=one if one.pk in moved else None,
        )
        copies.append(copy)
        places += [
            ReadingOutput(reading=copy, output_id=shown.output_id, label=shown.label, position=shown.position)
            for shown in one.reading_outputs.all()
        ]
    Reading.objects.bulk_create(copies, batch_size=1000)
    ReadingOutput.objects.bulk_create(places, batch_size=1000)


def admit_reader(*, enrollment: Enrollment, actor: User | None, reason: str) -> None:
    """Let a reader go on who did not reach the study's share in training.

    Raises:
        StudyError: no reason, or the reader was admitted before.
    """
    said = checked_reason(reason, "why the reader is admitted")
    if enrollment.role != Enrollment.Role.READER:
        raise StudyError("Only readers are admitted.")
    if not admit(enrollment, actor, reason=said):
        raise StudyError(f"{enrollment.reader_code} was admitted before.")


@transaction.atomic
def admit(enrollment: Enrollment, actor: User | None, **facts: Any) -> bool:
    """Whether this act admitted the reader; somebody may have been first."""
    won = Enrollment.objects.filter(pk=enrollment.pk, admitted_at=None).update(admitted_at=timezone.now())
    if won:
        record(ADMITTED, actor=actor, subject=enrollment.study, reader=enrollment.reader_code, **facts)
    return bool(won)
