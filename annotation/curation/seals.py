"""Seals of reviews: what a curator said, in one checksum that the event of the review carries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.db.models import F, Model

from annotation.audit.backfill import Chains, event_row
from annotation.audit.chain import AT_ONCE, Finding, batched
from annotation.audit.links import SITE, digest, moment
from annotation.audit.models import Event
from annotation.curation.models import Review, ReviewAnswer, ReviewReason

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


LIVE = Tables(Review, ReviewAnswer, ReviewReason)


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


def verify_reviews() -> Iterator[Finding]:
    """Reviews that were altered, added or removed; constant memory."""
    keys = Review._base_manager.order_by("pk").values_list("pk", flat=True)
    for batch in batched(keys.iterator(chunk_size=AT_ONCE)):
        found = list(stored(LIVE, batch))
        sealed = _seals(Event._base_manager, {str(row["item"]) for row, _ in found})
        for row, seal in found:
            stated = sealed.get(str(row["id"]))
            if stated is None:
                yield Finding(f"review {row['id']}", "was added past the program: no event speaks of it")
            elif stated != seal:
                yield Finding(f"review {row['id']}", "was altered: its seal does not fit")
    anchors = Event._base_manager.filter(subject_type="item", verb__in=ANCHORS).order_by("pk")
    for events in batched(anchors.values_list("sequence", "details").iterator(chunk_size=AT_ONCE)):
        spoken = {details["review"]: number for number, details in events if "seal" in details}
        there = Review._base_manager.filter(pk__in=spoken).values_list("pk", flat=True)
        for gone in sorted(set(spoken) - {str(pk) for pk in there}):
            yield Finding(f"review {gone}", f"was removed; link {spoken[gone]} of chain {SITE} speaks of it")


def seal_reviews(apps: Apps, chains: Chains) -> None:
    """Seal reviews written before seals existed, for the upgrade of a used home."""
    tables = Tables(*(apps.get_model("annotation", name) for name in ("Review", "ReviewAnswer", "ReviewReason")))
    events = apps.get_model("annotation", "Event")._base_manager
    for keys in batched(list(tables.review._base_manager.order_by("pk").values_list("pk", flat=True))):
        found = list(stored(tables, keys))
        known = _seals(events, {str(row["item"]) for row, _ in found})
        chains.append(
            event_row(SEALED_LATER, "item", row["item"], SITE, {"review": str(row["id"]), "seal": seal})
            for row, seal in found
            if str(row["id"]) not in known
        )


def _seals(events: Any, items: set[str]) -> dict[str, str]:
    """Review → seal, from the events about these items: one query."""
    carried = events.filter(subject_type="item", subject_id__in=items, verb__in=ANCHORS)
    found = carried.values_list("details", flat=True)
    return {details["review"]: details["seal"] for details in found if "seal" in details}
