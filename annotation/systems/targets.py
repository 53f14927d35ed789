"""What outputs may be for: the revisions of a release, or the current ones, findable by id, place and content."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotation.datasets.known import INPUT_NAMES, input_names_digest
from annotation.datasets.matching import Index
from annotation.datasets.models import Dataset, Item, ItemAlias, ItemImage, ItemRevision
from annotation.formats.records import MatchKeys, text_key
from annotation.releases.models import Release

OUT_OF_PLAY = (Item.State.REJECTED, Item.State.WITHDRAWN, Item.State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Target:
    """One revision an output can be for."""

    revision_id: UUID
    item_id: UUID
    code: str
    format: str
    expected: bool  # an output is missed when there is none


@dataclass
class Targets:
    """All targets of one submission, and the ids of items of the dataset that are not among them."""

    index: Index[Target]
    all: list[Target]
    outside: dict[tuple[str, str], str]  # alias → item code


def load_targets(dataset: Dataset, release: Release | None) -> Targets:
    """The revisions of a release, or without one the current revisions of the dataset (four queries)."""
    rows = _revisions(dataset, release)
    pictures = _inputs([row["pk"] for row in rows], dataset)
    index: Index[Target] = Index()
    by_item: dict[UUID, Target] = {}
    alike: dict[Hashable, set[tuple[UUID, ...]]] = defaultdict(set)
    for row in rows:
        expected = release is not None or row["item__state"] not in OUT_OF_PLAY
        code = Item(number=row["item__number"]).code
        target = Target(row["pk"], row["item"], code, row["format"], expected)
        by_item[target.item_id] = target
        keys = _target_keys(row)
        index.place_hints[code] = frozenset(keys)
        for key in keys:
            index.add_content(key, target)
            alike[key].add(pictures.get(row["pk"], ()))
    _keep_unambiguous(index, alike)
    outside = {}
    for item_id, scheme, value, number in _aliases(dataset):
        if item_id in by_item:
            index.by_alias[scheme, value] = by_item[item_id]
        else:
            outside[scheme, value] = Item(number=number).code
    return Targets(index, list(by_item.values()), outside)


def line_keys(match: MatchKeys) -> list[Hashable]:
    """What an output without ids looks for; named input files must agree wherever both sides name them."""
    if match.input_names:
        full = ("full", match.instruction, match.answer, input_names_digest(match.input_names))
        return [full, ("unnamed", match.instruction, match.answer)]
    return [("text", match.instruction, match.answer)]


def _target_keys(row: dict[str, Any]) -> list[Hashable]:
    said = text_key(row["instruction"]), text_key(row["reference_text"])
    names = row["raw_terms"].get(INPUT_NAMES, "")
    return [("full", *said, names) if names else ("unnamed", *said), ("text", *said)]


def _keep_unambiguous(index: Index[Target], alike: dict[Hashable, set[tuple[UUID, ...]]]) -> None:
    """Texts alone name an item only when all items that say so show the same pictures; then order decides."""
    for key, shown in alike.items():
        if len(shown) > 1:
            del index.by_content[key]


def _revisions(dataset: Dataset, release: Release | None) -> Sequence[dict[str, Any]]:
    revisions = ItemRevision.objects.filter(item__dataset=dataset)
    if release is None:
        revisions = revisions.filter(current_of__isnull=False)
    else:
        revisions = revisions.filter(release_items__release=release)
    names = ("pk", "item", "item__number", "item__state", "format", "instruction", "reference_text", "raw_terms")
    return list(revisions.order_by("item__number").values(*names))


def _inputs(revision_ids: Sequence[UUID], dataset: Dataset) -> dict[UUID, tuple[UUID, ...]]:
    wanted = set(revision_ids)
    images = ItemImage.objects.filter(revision__item__dataset=dataset, role=ItemImage.Role.INPUT)
    found: dict[UUID, tuple[UUID, ...]] = {}
    for revision_id, asset_id in images.order_by("position").values_list("revision", "asset"):
        if revision_id in wanted:
            found[revision_id] = (*found.get(revision_id, ()), asset_id)
    return found


def _aliases(dataset: Dataset) -> Any:
    return ItemAlias.objects.filter(dataset=dataset).values_list("item", "scheme", "value", "item__number")
