"""What stands before a reading: training that is not done or not passed, and the days between a case and its repeat.

Only studies that ask for it pay a query. What is said to a reader never tells which readings are repeats or checks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from annotation.grading.errors import WaitingError
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study

TRAINING_FIRST = "Your training comes first: {n} of its cases wait. What it says is not part of the results."
NOT_ADMITTED = "Your training is done. The coordinator of the study decides whether you go on; what waits is kept."
LATER = "This case opens on {day}. Take another one."


@dataclass(frozen=True)
class Gate:
    """What one reader must have done before other readings open."""

    training_left: int = 0
    admitted: bool = True

    @property
    def reason(self) -> str | None:
        if self.training_left:
            return TRAINING_FIRST.format(n=self.training_left)
        return None if self.admitted else NOT_ADMITTED


def trains(study: Study) -> bool:
    return bool(study.design.get("training"))


def gate_of(study: Study, enrollment: int) -> Gate:
    """How far the training of a reader is: no query where the study has none."""
    if not trains(study):
        return Gate()
    own = Reading.objects.filter(enrollment=enrollment, role=Reading.Role.TRAINING)
    left = own.filter(status__in=Reading.UNSUBMITTED).count()
    if left or study.admission is None:
        return Gate(training_left=left)
    admitted = Enrollment.objects.filter(pk=enrollment, admitted_at__isnull=False).exists()
    return Gate(admitted=admitted or not own.exists())


def why_it_waits(reading: Reading) -> str | None:
    """Why a reading cannot be begun now, in words for its reader; None when it can, or is submitted."""
    if reading.status not in Reading.UNSUBMITTED or reading.role == Reading.Role.TRAINING:
        return None
    if reason := gate_of(reading.study, reading.enrollment_id).reason:
        return reason
    opens = _opens_at(reading)
    return None if opens is None or opens <= timezone.now() else LATER.format(day=f"{opens:%-d %B %Y}")


def _opens_at(reading: Reading) -> datetime | None:
    """When the days after the first time are over; None for what never waits."""
    if reading.role != Reading.Role.REPEAT or not reading.study.washout_days:
        return None
    first = first_time_of(reading)
    if first is None or first.submitted_at is None:
        return None
    return first.submitted_at + timedelta(days=reading.study.washout_days)


def first_time_of(repeat: Reading) -> Reading | None:
    """The reading that a repeat shows again, of the same reader."""
    outputs = ReadingOutput.objects.filter(reading=repeat).values("output")
    same = Reading.objects.filter(
        enrollment=repeat.enrollment_id, study_item=repeat.study_item_id, role=Reading.Role.MAIN
    )
    return same.filter(reading_outputs__output__in=outputs).exclude(status=Reading.Status.VOID).first()


def refuse_waiting(reading: Reading) -> None:
    """Raises WaitingError: the reading opens later."""
    if reason := why_it_waits(reading):
        raise WaitingError(reason)


def first_open(pending: QuerySet[Reading], study: Study) -> Reading | None:
    """The first of a reader's pending readings that can be begun now."""
    if not trains(study) and not study.washout_days:
        return pending.first()
    return next((one for one in pending.select_related("study") if why_it_waits(one) is None), None)
