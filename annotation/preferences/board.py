"""What pages around reading ask of preferences: versions, time, and the flags on the coordinator's board."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Avg, Max, QuerySet

from annotation.grading.rules import GRAVE
from annotation.preferences.models import Preference, PreferenceFlag
from annotation.studies.models import Enrollment, Study


def newest_versions(readings: list[UUID]) -> dict[UUID, int]:
    """Reading → its newest version, of those that were submitted: one query."""
    rows = (
        Preference.objects.filter(reading__in=readings).order_by().values("reading").annotate(newest=Max("version"))
    )
    return {row["reading"]: row["newest"] for row in rows}


def timed(enrollment: int, after: datetime, until: datetime) -> QuerySet[Preference]:
    """What a reader submitted in a stretch of time, for the time that it took."""
    return Preference.objects.filter(
        reading__enrollment=enrollment, submitted_at__gt=after, submitted_at__lte=until
    ).order_by()


def newest(study: Study) -> QuerySet[Preference]:
    """The newest version of each reading's preference."""
    later = Preference.objects.filter(reading__study=study).order_by().values("reading").annotate(last=Max("version"))
    keys = {(row["reading"], row["last"]) for row in later}
    rows = Preference.objects.filter(reading__study=study).order_by().values_list("pk", "reading", "version")
    return Preference.objects.filter(pk__in=[pk for pk, reading, version in rows if (reading, version) in keys])


def board(study: Study) -> dict[str, Any]:
    """Flags of moderate and severe harm, references called wrong and time, by reader code; amendments count once."""
    codes = study.enrollments.filter(role=Enrollment.Role.READER).values_list("reader_code", flat=True)
    empty = {"moderate": 0, "severe": 0, "reference_wrong": 0, "mean_active_ms": None, "na_share": None}
    readers: dict[str, dict[str, Any]] = {str(code): {"code": code} | empty for code in codes}
    rows = list(newest(study).values_list("pk", "reading__enrollment__reader_code", "reference_wrong"))
    for _, code, wrong in rows:
        readers[str(code)]["reference_wrong"] += int(wrong)
    flags = PreferenceFlag.objects.filter(preference__in=[pk for pk, _, _ in rows], safety__in=GRAVE)
    for code, safety in flags.values_list("preference__reading__enrollment__reader_code", "safety"):
        readers[str(code)][safety] += 1
    first = Preference.objects.filter(reading__study=study, version=1).order_by()
    for row in first.values("reading__enrollment__reader_code").annotate(mean=Avg("active_ms")):
        readers[str(row["reading__enrollment__reader_code"])]["mean_active_ms"] = row["mean"] or None
    return {
        "readers": list(readers.values()),
        **{name: sum(row[name] for row in readers.values()) for name in ("severe", "moderate", "reference_wrong")},
        "graded": len(rows),
    }
