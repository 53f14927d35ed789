"""Progress, from the status of readings only; no counter is stored."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from annotation.people.models import User
from annotation.studies.models import Enrollment, Reading, Study
from annotation.studies.planning import stratum_words

PACE_DAYS = 7


@dataclass(frozen=True)
class Progress:
    """Readings of one reader, one stratum or all, by status."""

    name: str
    queued: int = 0
    in_progress: int = 0
    submitted: int = 0
    skipped: int = 0
    detail: Any = None

    @property
    def total(self) -> int:
        return self.queued + self.in_progress + self.submitted + self.skipped

    @property
    def words(self) -> str:
        return (
            f"{self.submitted} of {self.total} submitted, {self.in_progress} begun, "
            f"{self.skipped} skipped, {self.queued} not begun"
        )

    @property
    def bars(self) -> list[tuple[str, float, float]]:
        """Parts of a meter: class, start and width in percent."""
        if not self.total:
            return []
        made, start = [], 0.0
        for name, count in (("done", self.submitted), ("part", self.in_progress), ("warn", self.skipped)):
            width = 100 * count / self.total
            made.append((name, round(start, 2), round(width, 2)))
            start += width
        return made


_COUNTS = {
    status: Count("pk", filter=Q(status=status))
    for status in (
        Reading.Status.QUEUED.value,
        Reading.Status.IN_PROGRESS.value,
        Reading.Status.SUBMITTED.value,
        Reading.Status.SKIPPED.value,
    )
}


def _readings(study: Study) -> QuerySet[Reading]:
    return Reading.objects.filter(study=study).exclude(status=Reading.Status.VOID).order_by()


def overall(study: Study) -> Progress:
    return Progress("all", **_readings(study).aggregate(**_COUNTS))


def by_reader(study: Study) -> list[Progress]:
    """One row per reader, also for those without readings and those who left: two queries."""
    rows = _readings(study).values("enrollment").annotate(**_COUNTS, last=Max("submitted_at"))
    counted = {row["enrollment"]: dict(row) for row in rows}
    found = []
    enrolled = study.enrollments.filter(role=Enrollment.Role.READER).select_related("user").order_by("reader_code")
    for enrollment in enrolled:
        row = counted.get(enrollment.pk, {})
        detail = {"enrollment": enrollment, "last": row.get("last")}
        found.append(Progress(str(enrollment.reader_code), **_by_status(row), detail=detail))
    return found


def by_stratum(study: Study) -> list[Progress]:
    rows = _readings(study).values("study_item__stratum").annotate(**_COUNTS).order_by("study_item__stratum")
    return [Progress(stratum_words(row["study_item__stratum"]), **_by_status(dict(row))) for row in rows]


def _by_status(row: dict[str, Any]) -> dict[str, int]:
    return {status: row.get(status, 0) for status in _COUNTS}


def pace(study: Study) -> dict[str, Any]:
    """Submissions of the last week, and the days that the rest takes at that pace; None without any."""
    start = timezone.now() - timedelta(days=PACE_DAYS)
    recent = _readings(study).filter(submitted_at__gte=start).count()
    left = _readings(study).filter(status__in=[Reading.Status.QUEUED, Reading.Status.IN_PROGRESS]).count()
    per_day = recent / PACE_DAYS
    return {"recent": recent, "left": left, "days": None if not per_day else left / per_day}


def next_act(study: Study, done: Progress) -> str:
    """What the coordinator does next, in a sentence."""
    if study.state == Study.State.DRAFT:
        return "Look at the balance report and read a case as your readers will; then open the study."
    if study.state == Study.State.PILOT:
        return "Readers pilot: nothing of it enters results. Look at what they say, then open the study."
    if study.state == Study.State.PAUSED:
        return "Readers wait: resume the study, or lock it if grading is over."
    if study.names_are_open:
        return "Grading is over and the systems are named. Agreement, leaderboard and workbook are final."
    if study.is_final:
        return "Grading is over; the numbers are final and carry letters. Two people unblind the study, below."
    if not done.submitted:
        return "Tell your readers that their readings wait; nobody has submitted yet."
    if done.queued or done.in_progress:
        return "Readers are at work. Come back to see who falls behind."
    if done.skipped:
        return "Everything is read or skipped. Look at the skipped readings, then lock the study."
    return "Everything is read. Lock the study to make its numbers final."


def my_studies(user: User) -> list[dict[str, Any]]:
    """The person's studies with roles and what waits in each: four queries, whatever their number."""
    studies = list(Study.objects.visible_to(user).select_related("release__dataset"))
    roles: dict[Any, list[str]] = {}
    held = Enrollment.objects.filter(user=user, active=True, study__in=studies)
    for study, role in held.values_list("study", "role"):
        roles.setdefault(study, []).append(role)
    own = Q(enrollment__user=user, enrollment__role=Enrollment.Role.READER, enrollment__active=True)
    open_ = Q(status__in=[Reading.Status.QUEUED, Reading.Status.IN_PROGRESS])
    rows = (
        Reading.objects.filter(study__in=studies)
        .exclude(status=Reading.Status.VOID)
        .order_by()
        .values("study")
        .annotate(
            mine=Count("pk", filter=own),
            mine_submitted=Count("pk", filter=own & Q(status=Reading.Status.SUBMITTED)),
            mine_open=Count("pk", filter=own & open_),
            total=Count("pk"),
            submitted=Count("pk", filter=Q(status=Reading.Status.SUBMITTED)),
        )
    )
    counted = {row["study"]: dict(row) for row in rows}
    analyzable = set(Study.objects.analyzable_by(user).values_list("pk", flat=True))
    empty = {"mine": 0, "mine_submitted": 0, "mine_open": 0, "total": 0, "submitted": 0}
    return [
        empty
        | counted.get(study.pk, {})
        | {"study": study, "roles": sorted(roles.get(study.pk, [])), "may_analyze": study.pk in analyzable}
        for study in studies
    ]
