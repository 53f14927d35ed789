"""Seals: what a submitted grade holds, in one checksum that an event of the study's chain carries.

The words of a grade enter by a checksum of their own with a random salt. When they must go (they name a patient),
words and salt are emptied and the checksum stays: the seal still fits, and nobody can guess the words from it.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Model, OuterRef, Subquery

from annotation.audit.links import digest, moment
from annotation.grading.models import CriterionScore, ErrorMark, Grade, SystemGuess
from annotation.studies.models import StudySystem

SUBMITTED, AMENDED, SEALED_LATER = "grade submitted", "grade amended", "grade sealed"
ANCHORS = (SUBMITTED, AMENDED, SEALED_LATER)
"""Verbs of the events that carry seals, in `details["grades"]`: key of the grade → seal."""
GUESS, GUESSED = "guess", "system guessed"
OWN = (
    "id", "version", "author_id", "safety", "reference_wrong", "active_ms", "idle_ms", "viewing", "client_time",
    "submit_key", "submitted_at", "text_digest",
)  # fmt: skip
SHOWN = ("study", "reading", "position", "reader", "item", "revision", "place", "label", "output", "system")


@dataclass(frozen=True)
class Tables:
    """The models, as they are now or as a migration knows them."""

    grade: type[Model]
    score: type[Model]
    mark: type[Model]
    system: type[Model]


LIVE = Tables(Grade, CriterionScore, ErrorMark, StudySystem)


@dataclass(frozen=True)
class Sealed:
    """A stored grade: its row and all facts that its seal covers."""

    row: Mapping[str, Any]
    facts: dict[str, Any]

    @property
    def seal(self) -> str:
        return digest(self.facts)


def text_digest(salt: str, rationale: str, reason_for_change: str) -> str:
    return digest({"salt": salt, "rationale": rationale, "reason_for_change": reason_for_change})


def facts_of(
    own: Mapping[str, Any], shown: Mapping[str, Any], scores: Sequence[Sequence[Any]], errors: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """Everything that was submitted and to what.

    Args:
        own: the columns `OWN` of a grade, and its stage: sealed where the reference was not shown, so that every
            change of it breaks the seal and older seals still fit.
        shown: what the reader had before them, by `SHOWN`.
        scores: rubric, its version, criterion, value, reason why there is none.
        errors: code, whether it has no place, position.
    """
    stage = own.get("stage", Grade.Stage.WITH.value)
    facts = {"format": 1} | {name: _plain(own[name]) for name in OWN} | {name: _plain(shown[name]) for name in SHOWN}
    if stage != Grade.Stage.WITH:
        facts["stage"] = str(stage)
    facts["scores"] = sorted([list(score) for score in scores], key=lambda score: [str(part) for part in score[:3]])
    facts["errors"] = sorted([list(error) for error in errors], key=lambda error: error[2])
    return facts


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return str(value) if isinstance(value, UUID) else value


def shown_expressions(prefix: str, system: type[Model]) -> dict[str, Any]:
    """`SHOWN` as query expressions; the prefix leads to a `ReadingOutput` (empty, or ending in `__`)."""
    letter = system._base_manager.filter(
        study=OuterRef(f"{prefix}reading__study"), submission=OuterRef(f"{prefix}output__submission")
    )
    return {
        "shown_reading": F(f"{prefix}reading_id"),
        "shown_position": F(f"{prefix}reading__position"),
        "shown_reader": F(f"{prefix}reading__enrollment__reader_code"),
        "shown_item": F(f"{prefix}reading__study_item__revision__item__number"),
        "shown_revision": F(f"{prefix}reading__study_item__revision_id"),
        "shown_place": F(f"{prefix}position"),
        "shown_label": F(f"{prefix}label"),
        "shown_output": F(f"{prefix}output_id"),
        "shown_study": F(f"{prefix}reading__study_id"),
        "shown_system": Subquery(letter.values("letter")[:1]),
    }


def shown_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[f"shown_{name}"] for name in SHOWN}


def seal(grade: Grade, scores: Sequence[CriterionScore], marks: Sequence[ErrorMark]) -> None:
    """Close a grade that is about to be stored; its `reading_output` carries `shown_expressions`."""
    grade.text_salt = secrets.token_hex(16)
    grade.text_digest = text_digest(grade.text_salt, grade.rationale, grade.reason_for_change)
    said = [
        (one.criterion.rubric.code, one.criterion.rubric.version, one.criterion.code, one.value, one.na_reason)
        for one in scores
    ]
    errors = [(one.error_code_id, one.nowhere, one.position) for one in marks]
    grade.payload_hash = digest(facts_of(vars(grade), shown_of(vars(grade.reading_output)), said, errors))


def stored(tables: Tables, keys: Sequence[UUID]) -> Iterator[Sealed]:
    """These grades as they are stored, in the order of their keys: three queries."""
    scores, errors = defaultdict(list), defaultdict(list)
    for grade, *score in tables.score._base_manager.filter(grade__in=keys).values_list(
        "grade_id", "criterion__rubric__code", "criterion__rubric__version", "criterion__code", "value", "na_reason"
    ):
        scores[grade].append(score)
    for grade, *error in tables.mark._base_manager.filter(grade__in=keys).values_list(
        "grade_id", "error_code_id", "nowhere", "position"
    ):
        errors[grade].append(error)
    rows = (
        tables.grade._base_manager.filter(pk__in=keys)
        .annotate(**shown_expressions("reading_output__", tables.system))
        .order_by("pk")
        .values()
    )
    for row in rows:
        yield Sealed(row, facts_of(row, shown_of(row), scores[row["id"]], errors[row["id"]]))


def guess_facts(guess: SystemGuess) -> dict[str, Any]:
    """What a reader believed made an output, and of which; its `reading_output` with reading is loaded."""
    place = guess.reading_output
    return {
        "format": 1,
        "id": str(guess.pk),
        "study": str(place.reading.study_id),
        "reading": str(place.reading_id),
        "label": place.label,
        "output": str(place.output_id),
        "author": str(guess.author_id),
        "guess": guess.guess,
        "sure": guess.sure,
        "why": guess.why,
        "created_at": moment(guess.created_at),
    }


def guess_seals(guesses: Iterable[SystemGuess]) -> dict[str, str]:
    """What the event of guesses carries in `details["seals"]`: key of the row → seal."""
    return {f"{GUESS} {guess.pk}": digest(guess_facts(guess)) for guess in guesses}
