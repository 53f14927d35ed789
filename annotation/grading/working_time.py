"""Time at work: the server's clock decides, and time is counted once.

What a client says it worked is capped by the wall time since the last save, so that the sum never exceeds it. What
was entered without a network arrives later, many readings at once: there the client also says how long it has
waited, and its time must fit between the last moment the server knows of before that and the moment it was done,
beside all that was counted since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, Sum

from annotation.grading import kinds
from annotation.grading.models import Draft, Grade
from annotation.studies.models import Reading

COUNTED_OFFLINE = "counted_offline"
FIRST_SAVE_LIMIT_MS = 10 * 60 * 1000
OFFLINE_FROM_MS = 30 * 1000
"""What has waited longer than this was counted offline; a submission is held for less, and retries come sooner."""


@dataclass(frozen=True)
class Work:
    """Time a client counted since its last save, and how long ago that was when it was sent, in milliseconds."""

    active_ms: int = 0
    idle_ms: int = 0
    waited_ms: int = 0

    @property
    def is_offline(self) -> bool:
        return self.waited_ms >= OFFLINE_FROM_MS


NO_WORK = Work()


def counted_work(reading: Reading, draft: Draft | None, work: Work, now: datetime) -> Work:
    """The part of the client's time that fits between the last save and now, or the moment it was done offline."""
    if work.is_offline:
        wall_ms = _offline_wall_ms(reading, work, now)
    elif draft is not None:
        wall_ms = _milliseconds(draft.saved_at, now)
    else:
        wall_ms = min(_milliseconds(_last_moment(reading), now), FIRST_SAVE_LIMIT_MS)
    active_ms = min(max(work.active_ms, 0), wall_ms)
    return Work(active_ms, min(max(work.idle_ms, 0), wall_ms - active_ms))


def _milliseconds(start: datetime | None, end: datetime) -> int:
    return 0 if start is None else max(0, int((end - start).total_seconds() * 1000))


def _last_moment(reading: Reading, end: datetime | None = None) -> datetime | None:
    """When this reader last saved or submitted anything in the study, until then; when it opened if never."""
    own = Reading.objects.filter(enrollment=reading.enrollment_id)
    by_then = {
        name: Q() if end is None else Q(**{f"{name}__lte": end}) for name in ("submitted_at", "draft__saved_at")
    }
    seen = own.aggregate(**{f"last_{name}": Max(name, filter=then) for name, then in by_then.items()})
    moments = [
        moment for moment in (*seen.values(), reading.study.piloted_at, reading.study.opened_at) if moment is not None
    ]
    return max((moment for moment in moments if end is None or moment <= end), default=None)


def _offline_wall_ms(reading: Reading, work: Work, now: datetime) -> int:
    """The time between the last moment known before the work was done and then, less what others took of it."""
    done = now - timedelta(milliseconds=work.waited_ms)
    start = _last_moment(reading, done)
    if start is None:
        return 0
    grades = Grade.objects.filter(
        reading_output__reading__enrollment=reading.enrollment_id, submitted_at__gt=start, submitted_at__lte=now
    )
    drafts = Draft.objects.filter(reading__enrollment=reading.enrollment_id, saved_at__gt=start)
    others = [kind.timed(reading.enrollment_id, start, now) for kind in kinds.known()]
    taken_ms = sum(
        value or 0
        for rows in (grades, drafts, *others)
        for value in rows.aggregate(Sum("active_ms"), Sum("idle_ms")).values()
    )
    return max(0, min(_milliseconds(start, done), _milliseconds(start, now) - taken_ms))


def total_work(reading: Reading, work: Work, now: datetime) -> Work:
    """What the draft counted and what came since."""
    draft = Draft.objects.filter(reading=reading).first()
    counted = counted_work(reading, draft, work, now)
    if draft is None:
        return counted
    return Work(draft.active_ms + counted.active_ms, draft.idle_ms + counted.idle_ms)


def marked(viewing: Mapping[str, Any], work: Work) -> dict[str, Any]:
    """How a reading was viewed, with our word on whether its time was counted offline; nobody else says so."""
    said = {name: value for name, value in viewing.items() if name != COUNTED_OFFLINE}
    return said | ({COUNTED_OFFLINE: True} if work.is_offline else {})


def share_of(total_ms: int, order: int, n: int) -> int:
    return total_ms // n + (total_ms % n if order == 0 else 0)
