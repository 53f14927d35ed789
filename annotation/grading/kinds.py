"""What a later room adds to reading: another question than the rubric's, and the answers to it.

A reading of such a study has the same addresses, drafts, skips and pictures; only what is asked and what is stored
differ. The room registers its kind for the modes it serves when the program starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet

from annotation.studies.models import Reading, Study

if TYPE_CHECKING:
    from annotation.grading.presentation import Presentation, Sheet
    from annotation.grading.services import Receipt


@dataclass(frozen=True)
class Kind:
    """How one room asks and answers.

    Attributes:
        submit: (reading, actor, entry) → receipt, by the rules of `services.submit_reading`.
        asked: what the JSON of a reading asks, under `preference`.
        answered: what the reader submitted last: payload, version, submitted_at.
        versions: newest version of each reading of a list.
        timed: (enrollment, after, until) → rows with `active_ms` and `idle_ms` that were submitted then.
        board: what `progress.board` tells of the study.
    """

    submit: Callable[..., "Receipt"]
    asked: Callable[[Study, "Presentation", "Sheet"], dict[str, Any]]
    answered: Callable[[Reading], dict[str, Any] | None]
    versions: Callable[[list[UUID]], dict[UUID, int]]
    timed: Callable[[int, datetime, datetime], QuerySet[Any]]
    board: Callable[[Study], dict[str, Any]]


_kinds: dict[str, Kind] = {}


def register(modes: Iterable[str], kind: Kind) -> None:
    """Let a room ask in studies of these modes; registering again replaces it."""
    for mode in modes:
        _kinds[str(mode)] = kind


def kind_of(study: Study) -> Kind | None:
    """Who asks in this study; None when its rubrics do."""
    return _kinds.get(study.outputs_per_reading)


def known() -> list[Kind]:
    """Every kind once."""
    return list({id(kind): kind for kind in _kinds.values()}.values())
