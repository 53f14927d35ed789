"""Seals of reviews: what a curator said, in one checksum that the event of the review carries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.db.models import F, Model

from annotation.audit.backfill import Chains, batches, event_row
from annotation.audit.links import SITE, digest, moment

REVIEWED, SEALED_LATER = "item reviewed", "review sealed"
ANCHORS = (REVIEWED, SEALED_LATER)
"""Verbs of the events that carry seals, in `details["review"]` and `details["seal"]`."""
OWN = (
    "id", "revision_id", "reviewer_id", "round", "verdict", "synopsis", "why_selected", "comment", "created_at",
)  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """The models, as they are now or as a migration knows them."""

    review: type[Model]
    answer: type[Model]
    reason: type[Model]


def facts_of(
    own: Mapping[str, Any], checklist: Sequence[str], answers: Mapping[str, str], reasons: Sequence[str]
) -> dict[str, Any]:
    """Everything that a review says.

    Args:
        own: the columns `OWN`.
        checklist: its code and version.
        answers: question → value.
        reasons: codes.
    """
    facts: dict[str, Any] = {name: str(own[name]) if isinstance(own[name], UUID) else own[name] for name in OWN}
    facts["created_at"] = moment(own["created_at"])
    return facts | {
        "format": 1, "checklist": list(checklist), "answers": dict(answers), "reasons": sorted(reasons),
    }  # fmt: skip


def stored(tables: Tables, keys: Sequence[UUID]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Row and seal of these reviews as they are stored: three queries."""
    answers: dict[UUID, dict[str, str]] = defaultdict(dict)
    reasons: dict[UUID, list[str]] = defaultdict(list)
    given = tables.answer._base_manager.filter(review__in=keys)
    for review, question, value in given.values_list("review_id", "question__code", "value"):
        answers[review][question] = value
    for review, code in tables.reason._base_manager.filter(review__in=keys).values_list("review_id", "code"):
        reasons[review].append(code)
    rows = tables.review._base_manager.filter(pk__in=keys).annotate(
        item=F("revision__item_id"), code=F("checklist__code"), edition=F("checklist__version")
    )
    for row in rows.order_by("pk").values():
        pk = row["id"]
        yield row, digest(facts_of(row, (row["code"], row["edition"]), answers[pk], reasons[pk]))


def seal_reviews(apps: Apps, chains: Chains) -> None:
    """Seal reviews written before seals existed, for the upgrade of a used home."""
    tables = Tables(*(apps.get_model("annotation", name) for name in ("Review", "ReviewAnswer", "ReviewReason")))
    events = apps.get_model("annotation", "Event")._base_manager
    for keys in batches(list(tables.review._base_manager.order_by("pk").values_list("pk", flat=True))):
        found = list(stored(tables, keys))
        known = _known(events, {str(row["item"]) for row, _ in found})
        chains.append(
            event_row(SEALED_LATER, "item", row["item"], SITE, {"review": str(row["id"]), "seal": seal})
            for row, seal in found
            if str(row["id"]) not in known
        )


def _known(events: Any, items: set[str]) -> set[str]:
    carried = events.filter(subject_type="item", subject_id__in=items, verb__in=ANCHORS).values_list(
        "details", flat=True
    )
    return {details["review"] for details in carried if "seal" in details}
