"""Training: what is said to a reader after each training case, and who passes.

The values that count as right are the coordinator's; a training grade is a grade like any other, and enters nothing.
"""

from dataclasses import dataclass
from typing import Any

from annotation.grading.models import CriterionScore
from annotation.people.models import User
from annotation.studies.models import Enrollment, Reading, ReadingOutput, StudySystem
from annotation.studies.seats import admit


@dataclass(frozen=True)
class Compared:
    """One value of a training grade beside what counts as right."""

    label: str
    criterion: str
    value: float | None
    low: float
    high: float

    @property
    def right(self) -> bool:
        return self.value is not None and self.low <= self.value <= self.high


def compared(readings: list[Reading]) -> dict[Any, list[Compared]]:
    """Reading → its first values against the expected ones; a criterion that is not expected is not compared."""
    letters = dict(
        StudySystem.objects.filter(study__readings__in=readings).values_list("submission_id", "letter").distinct()
    )
    places = (
        ReadingOutput.objects.filter(reading__in=readings)
        .select_related("reading__study_item", "output")
        .order_by("reading__position", "position")
    )
    given: dict[tuple[int, str], tuple[str, float | None]] = {}
    rows = CriterionScore.objects.filter(
        grade__reading_output__reading__in=readings, grade__version=1, grade__stage="with_reference"
    )
    for shown, code, label, value in rows.values_list(
        "grade__reading_output", "criterion__code", "criterion__label", "value"
    ):
        given[shown, code] = (label, value)
    found: dict[Any, list[Compared]] = {reading.pk: [] for reading in readings}
    for place in places:
        expected = place.reading.study_item.expected.get(letters.get(place.output.submission_id, ""), {})
        for code, (low, high) in sorted(expected.items()):
            if (place.pk, code) in given:
                label, value = given[place.pk, code]
                found[place.reading_id].append(Compared(place.label, label, value, low, high))
    return found


def feedback_of(reading: Reading) -> dict[str, Any] | None:
    """What a reader is told after a submitted training case; None for every other reading."""
    if reading.role != Reading.Role.TRAINING or reading.status != Reading.Status.SUBMITTED:
        return None
    rows = compared([reading])[reading.pk]
    return {
        "text": reading.study_item.feedback,
        "values": [
            {"label": row.label, "criterion": row.criterion, "value": row.value, "low": row.low, "high": row.high,
             "right": row.right}
            for row in rows
        ],
    }  # fmt: skip


def share_right(enrollment: Enrollment) -> tuple[int, int]:
    """How many training values of a reader are right, and how many are compared."""
    own = list(enrollment.readings.filter(role=Reading.Role.TRAINING, status=Reading.Status.SUBMITTED))
    rows = [row for found in compared(own).values() for row in found] if own else []
    return sum(row.right for row in rows), len(rows)


def settle(reading: Reading, actor: User) -> None:
    """After the last training case: admit whoever reached the study's share; others wait for the coordinator."""
    study = reading.study
    if reading.role != Reading.Role.TRAINING or study.admission is None:
        return
    enrollment = Enrollment.objects.get(pk=reading.enrollment_id)
    waiting = enrollment.readings.filter(role=Reading.Role.TRAINING, status__in=Reading.UNSUBMITTED)
    if enrollment.admitted_at is not None or waiting.exists():
        return
    right, n = share_right(enrollment)
    if n and right / n >= study.admission - 1e-9:
        admit(enrollment, actor, right=right, n=n)
