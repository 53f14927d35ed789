"""A reader's worklist, and what the coordinator's board shows of grades: flags, time, missing values."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum

from annotation.grading import kinds
from annotation.grading.checking import board_of_checks
from annotation.grading.gates import trains
from annotation.grading.models import CriterionScore, Grade
from annotation.grading.rules import GRAVE, NOT_APPLICABLE
from annotation.grading.services import closed_reason
from annotation.grading.stages import GRADED_STATES
from annotation.grading.training import share_right
from annotation.people.models import User
from annotation.studies.models import Enrollment, Reading, Study

PAGE_SIZE = 50


def worklist(study: Study, user: User, *, status: str = "", page: str | int = 1) -> dict[str, Any]:
    """The reader's readings of one study in order, with counts by state: constant queries."""
    own = Reading.objects.visible_to(user).filter(study=study).exclude(status=Reading.Status.VOID)
    counts: dict[str, int] = {status.value: 0 for status in Reading.Status if status != Reading.Status.VOID}
    for counted in own.order_by().values("status").annotate(n=Count("pk")):
        counts[counted["status"]] = counted["n"]
    shown = own.filter(status=status) if status in counts else own
    shown = shown.select_related("study_item__revision").order_by("position")
    pages = Paginator(shown, PAGE_SIZE)
    listed = pages.get_page(page)
    kind = kinds.kind_of(study)
    versions = (kind.versions if kind else _versions)([reading.pk for reading in listed])
    return {
        "page_obj": listed,
        "rows": [(reading, versions.get(reading.pk, 0)) for reading in listed],
        "counts": [(value, Reading.Status(value).label, n) for value, n in counts.items()],
        "total": sum(counts.values()),
        "submitted": counts[Reading.Status.SUBMITTED],
        "pending": counts[Reading.Status.QUEUED] + counts[Reading.Status.IN_PROGRESS],
        "status": status if status in counts else "",
        "closed_reason": closed_reason(study),
        "may_amend": study.state in GRADED_STATES,
    }


def _versions(readings: list[Any]) -> dict[Any, int]:
    rows = Grade.objects.filter(reading_output__reading__in=readings).order_by()
    found: dict[Any, int] = {}
    for reading, version in rows.values_list("reading_output__reading", "version"):
        found[reading] = max(found.get(reading, 0), version)
    return found


def board(study: Study) -> dict[str, Any]:
    """Facts of the grades so far, by reader code: flags of moderate and severe harm, time, n/a.

    Amendments count once: flags are those of the newest version of each output's grade.
    """
    if kind := kinds.kind_of(study):
        return kind.board(study)
    latest = newest_grades(study)
    readers: dict[Any, dict[str, Any]] = {
        code: {
            "code": code,
            "moderate": 0,
            "severe": 0,
            "reference_wrong": 0,
            "mean_active_ms": None,
            "na_share": None,
            "left_ms": None,
        }
        for code in study.enrollments.filter(role=Enrollment.Role.READER).values_list("reader_code", flat=True)
    }
    for code, safety, wrong in latest:
        row = readers[code]
        if safety in GRAVE:
            row[safety] += 1
        row["reference_wrong"] += int(wrong)
    _add_time(study, readers)
    _add_missing(study, readers)
    _add_left(study, readers)
    return {
        "readers": list(readers.values()),
        "severe": sum(row["severe"] for row in readers.values()),
        "moderate": sum(row["moderate"] for row in readers.values()),
        "reference_wrong": sum(row["reference_wrong"] for row in readers.values()),
        "graded": len(latest),
        **board_of_checks(study),
        "training": _training(study),
    }


def _training(study: Study) -> list[dict[str, Any]]:
    """By reader how many training values were right; no query where nobody is trained."""
    if not trains(study):
        return []
    rows = study.enrollments.filter(role=Enrollment.Role.READER).order_by("reader_code")
    found = []
    for row in rows:
        right, n = share_right(row)
        found.append({"code": row.reader_code, "right": right, "n": n, "admitted": row.admitted_at is not None})
    return found


def newest_grades(study: Study) -> list[tuple[str, str, bool]]:
    """Reader code, safety level and reference flag of the newest version of each grade: one query."""
    rows = (
        Grade.objects.filter(
            reading_output__reading__study=study,
            reading_output__reading__role=Reading.Role.MAIN,
            stage=Grade.Stage.WITH,
        )
        .order_by("reading_output", "version")
        .values_list(
            "reading_output",
            "reading_output__reading__enrollment__reader_code",
            "safety",
            "reference_wrong",
        )
    )
    newest = {place: (str(code), safety, wrong) for place, code, safety, wrong in rows}
    return list(newest.values())


def _add_time(study: Study, readers: dict[Any, dict[str, Any]]) -> None:
    """Active time per reading of first submissions, as a mean; idle time is not counted."""
    rows = (
        Grade.objects.filter(
            reading_output__reading__study=study, reading_output__reading__role=Reading.Role.MAIN, version=1
        )
        .order_by()
        .values("reading_output__reading__enrollment__reader_code")
        .annotate(active=Sum("active_ms"), readings=Count("reading_output__reading", distinct=True))
    )
    for row in rows:
        reader = readers[row["reading_output__reading__enrollment__reader_code"]]
        reader["mean_active_ms"] = row["active"] / row["readings"] if row["active"] else None


def _add_left(study: Study, readers: dict[Any, dict[str, Any]]) -> None:
    """What is left to read at a reader's own time per reading; None without any."""
    rows = study.readings.pending().order_by().values_list("enrollment__reader_code").annotate(n=Count("pk"))
    for code, n in rows:
        if readers[code]["mean_active_ms"] is not None:
            readers[code]["left_ms"] = n * readers[code]["mean_active_ms"]


def _add_missing(study: Study, readers: dict[Any, dict[str, Any]]) -> None:
    """Share of asked criteria that a reader left as n/a."""
    asked = CriterionScore.objects.filter(
        grade__reading_output__reading__study=study,
        grade__reading_output__reading__role=Reading.Role.MAIN,
        grade__stage=Grade.Stage.WITH,
        grade__version=1,
    )
    rows = (
        asked.exclude(na_reason=NOT_APPLICABLE)
        .order_by()
        .values("grade__reading_output__reading__enrollment__reader_code")
        .annotate(n=Count("pk"), n_na=Count("pk", filter=Q(value=None)))
    )
    for row in rows:
        reader = readers[row["grade__reading_output__reading__enrollment__reader_code"]]
        reader["na_share"] = row["n_na"] / row["n"]
