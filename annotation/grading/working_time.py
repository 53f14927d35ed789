"""Time at work: the server's clock decides, and time is counted once.

What a client says it worked is capped by the wall time since the last save, so that the sum never exceeds it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from annotation.grading.models import Draft
from annotation.studies.models import Reading

FIRST_SAVE_LIMIT_MS = 10 * 60 * 1000


@dataclass(frozen=True)
class Work:
    """Time a client counted since its last save, in milliseconds."""

    active_ms: int = 0
    idle_ms: int = 0


NO_WORK = Work()


def counted_work(reading: Reading, draft: Draft | None, work: Work, now: datetime) -> Work:
    """The part of the client's time that fits between the last save and now."""
    if draft is not None:
        wall_ms = _milliseconds(draft.saved_at, now)
    else:
        wall_ms = min(_milliseconds(_last_moment(reading), now), FIRST_SAVE_LIMIT_MS)
    active_ms = min(max(work.active_ms, 0), wall_ms)
    return Work(active_ms, min(max(work.idle_ms, 0), wall_ms - active_ms))


def _milliseconds(start: datetime | None, end: datetime) -> int:
    return 0 if start is None else max(0, int((end - start).total_seconds() * 1000))


def _last_moment(reading: Reading) -> datetime | None:
    """When this reader last saved or submitted anything in the study; when it opened if never."""
    own = Reading.objects.filter(enrollment=reading.enrollment_id)
    seen = own.aggregate(submitted=Max("submitted_at"), saved=Max("draft__saved_at"))
    moments = [moment for moment in (*seen.values(), reading.study.opened_at) if moment is not None]
    return max(moments, default=None)


def total_work(reading: Reading, work: Work, now: datetime) -> Work:
    """What the draft counted and what came since."""
    draft = Draft.objects.filter(reading=reading).first()
    counted = counted_work(reading, draft, work, now)
    if draft is None:
        return counted
    return Work(draft.active_ms + counted.active_ms, draft.idle_ms + counted.idle_ms)


def share_of(total_ms: int, order: int, n: int) -> int:
    return total_ms // n + (total_ms % n if order == 0 else 0)
