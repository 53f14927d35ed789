"""Who falls behind, and a text that reminds them: copied into a mail, since no mail is sent from here."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from annotation.studies.models import Study
from annotation.studies.progress import PACE_DAYS, Progress, by_reader

SILENT_DAYS = 7


@dataclass(frozen=True)
class Reminder:
    """A reader who is behind: why, and words for them."""

    code: str
    name: str
    left: int
    why: str
    words: str


def behind(study: Study, *, address: str = "", rows: list[Progress] | None = None) -> list[Reminder]:
    """Active readers with something left who are silent, or who will miss the due day at their pace of the last week.

    Args:
        study: one that is open.
        address: where their readings are, for the text.
        rows: progress by reader, where it is known already.
    """
    if study.state not in (Study.State.PILOT, Study.State.RUNNING):
        return []
    recent = _recent(study)
    found = []
    for row in by_reader(study) if rows is None else rows:
        held, left = row.detail["enrollment"], row.queued + row.in_progress
        why = _why(study, row.detail["last"], recent.get(held.pk, 0), left) if held.active and left else ""
        if why:
            words = _words(study, str(held.user), left, row.total, address)
            found.append(Reminder(row.name, str(held.user), left, why, words))
    return found


def _recent(study: Study) -> dict[int, int]:
    start = timezone.now() - timedelta(days=PACE_DAYS)
    counts: dict[int, int] = {}
    for enrollment in study.readings.filter(submitted_at__gte=start).values_list("enrollment_id", flat=True):
        counts[enrollment] = counts.get(enrollment, 0) + 1
    return counts


def _why(study: Study, last: datetime | None, recent: int, left: int) -> str:
    now = timezone.now()
    began = last or study.opened_at or study.piloted_at
    if began is not None and now - began >= timedelta(days=SILENT_DAYS):
        return f"nothing submitted for {(now - began).days} days" if last else "has not begun"
    if study.due_on is None:
        return ""
    today = now.date()
    if today > study.due_on:
        return f"due {(today - study.due_on).days} days ago"
    if not recent:
        return ""
    days = math.ceil(left / (recent / PACE_DAYS))
    return _late(study.due_on, today + timedelta(days=days))


def _late(due: date, done: date) -> str:
    return "" if done <= due else f"done about {done:%-d %B %Y} at this pace, {(done - due).days} days late"


def _words(study: Study, name: str, left: int, total: int, address: str) -> str:
    due = f" They are due on {study.due_on:%-d %B %Y}." if study.due_on else ""
    where = f" {address}" if address else ""
    return f"Dear {name}, {left} of your {total} readings in “{study.name}” wait for you.{due}{where} Thank you."
