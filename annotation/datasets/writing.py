"""From what a line will do to rows of the database, at most 500 at a time."""

from dataclasses import dataclass
from uuid import uuid4

from django.db.models import Max
from django.utils import timezone

from annotation.datasets.bulk import field_names, insert_rows
from annotation.datasets.drafting import ItemDraft
from annotation.datasets.known import KnownItem
from annotation.datasets.models import ImportJob, Item, ItemAlias, ItemImage, ItemRevision
from annotation.datasets.spool import Row

_ITEM_FIELDS = ("id", "dataset_id", "number", "case_key", "state", "current_revision_id", "created_at")
_REVISION_FIELDS = field_names(ItemRevision)
_IMAGE_FIELDS = ("revision_id", "role", "position", "asset_id")
_ALIAS_FIELDS = ("dataset_id", "item_id", "scheme", "value")


@dataclass(slots=True)
class PlannedItem:
    """What one line will do: its revision, the item it is for, and the ids that item gains."""

    draft: ItemDraft
    verdict: str
    revision: ItemRevision | None
    known: KnownItem | None
    new_aliases: list[tuple[str, str]]


def planned_row(plan: PlannedItem) -> Row:
    """What one line will do, as it is put aside; an unchanged one only gains ids."""
    row: Row = {
        "verdict": plan.verdict,
        "item": plan.known.item.pk if plan.known else None,
        "aliases": [list(alias) for alias in plan.new_aliases],
    }
    if plan.revision is not None:
        row["case_key"] = plan.draft.case_key()
        row["revision"] = {name: getattr(plan.revision, name) for name in _REVISION_FIELDS}
        row["images"] = [(role, place, taken.asset_id) for role, place, taken in plan.draft.pictures]
        row["quarantined"] = sum(taken.in_quarantine for _, _, taken in plan.draft.pictures)
    return row


def write_items(job: ImportJob, rows: list[Row]) -> dict[str, int]:
    """Write some lines, inside a transaction: how many were new, changed and unchanged, and images in quarantine."""
    now = timezone.now()
    number = job.dataset.items.aggregate(last=Max("number"))["last"] or 0
    counts: dict[str, int] = {}
    items, moved, revisions, images, aliases = [], [], [], [], []
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        item_id = row["item"] or str(uuid4())
        if row.get("quarantined"):
            counts["quarantined"] = counts.get("quarantined", 0) + row["quarantined"]
        if "revision" in row:
            revision = row["revision"] | {"item_id": item_id, "created_at": now}
            if row["item"] is None:
                number += 1
                state = Item.State.IMPORTED.value
                items.append((item_id, job.dataset_id, number, row["case_key"], state, revision["id"], now))
            else:
                moved.append(row)
            revisions.append([revision[name] for name in _REVISION_FIELDS])
            images += [(revision["id"], *image) for image in row["images"]]
        aliases += [(job.dataset_id, item_id, scheme, value) for scheme, value in row["aliases"]]
    insert_rows(Item, _ITEM_FIELDS, items)
    insert_rows(ItemRevision, _REVISION_FIELDS, revisions)
    _move(moved)
    insert_rows(ItemImage, _IMAGE_FIELDS, images)
    insert_rows(ItemAlias, _ALIAS_FIELDS, aliases)
    return counts


def _move(rows: list[Row]) -> None:
    """Known items on their new revisions: back to where curation starts, unless they were withdrawn."""
    items = {str(item.pk): item for item in Item.objects.filter(pk__in=[row["item"] for row in rows])}
    for row in rows:
        item = items[row["item"]]
        item.current_revision_id = row["revision"]["id"]
        item.case_key = row["case_key"] or item.case_key
        if item.state != Item.State.WITHDRAWN:
            item.state = Item.State.IMPORTED
    Item.objects.bulk_update(items.values(), ["current_revision", "state", "case_key"])
