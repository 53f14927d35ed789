"""What an entry was based on: a version that the reader has not seen is never overwritten by one that they have."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from annotation.grading.errors import AmendedMeanwhileError, StaleDraftError
from annotation.grading.models import Draft, Grade
from annotation.studies.models import Reading


@dataclass(frozen=True)
class Base:
    """The draft and the version a client started from; a program that has no drafts names none."""

    client_id: str | None = None
    revision: int | None = None
    version: int | None = None


NO_BASE = Base()


def draft_json(draft: Draft) -> dict[str, Any]:
    return {
        "payload": draft.payload,
        "revision": draft.revision,
        "client_id": draft.client_id,
        "saved_at": draft.saved_at.isoformat(),
    }


def refuse_other_draft(reading: Reading, base: Base) -> None:
    """Raises StaleDraftError: another client saved a draft that the submission was not based on."""
    if base.client_id is None or base.revision is None:
        return
    draft = Draft.objects.filter(reading=reading).first()
    if draft is not None and draft.client_id != base.client_id and draft.revision != base.revision:
        raise StaleDraftError(draft_json(draft))


def refuse_other_grade(reading: Reading, base: Base) -> None:
    """Raises AmendedMeanwhileError: the grade has a newer version than the one that is amended."""
    if base.version is None:
        return
    final = Grade.objects.filter(reading_output__reading=reading, stage=Grade.Stage.WITH)
    newest = final.aggregate(newest=Max("version"))["newest"]
    if newest is not None and newest != base.version:
        raise AmendedMeanwhileError(f"Version {newest} was submitted meanwhile; both versions are kept.")
