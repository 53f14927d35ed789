"""The quarantine of pictures: who waits, what a curator may decide, and what masking does.

A verdict is about the pixels of one asset, so it holds wherever the picture is used. Masking makes a new asset from
masked pixels; items whose present revision shows the old one get a new revision, and the old files are removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotation.assets import storage
from annotation.assets.models import Asset, PixelVerdict
from annotation.assets.quarantine import erase_masked, newest_verdict
from annotation.assets.services import deidentification_key, store_prepared
from annotation.audit.links import digest
from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.services import COPIED, MIN_REASON
from annotation.datasets.content import revision_hash
from annotation.datasets.models import Dataset, Item, ItemImage, ItemRevision
from annotation.datasets.selections import shows_quarantined
from annotation.datasets.services import may_curate, refuse_unless_member
from annotation.imaging.image import ImageError
from annotation.imaging.masking import Rectangle, rectangle_problems
from annotation.people.models import User

if TYPE_CHECKING:
    from annotation.imaging.sandbox import Decoder

JUDGED, MASKED, REMOVED = "picture judged", "picture masked", "unmasked pixels removed"
ITEM_MASKED = "item masked"
Kind = PixelVerdict.Kind


def waiting(dataset: Dataset) -> QuerySet[Asset]:
    """Pictures of present revisions that are in quarantine, oldest first."""
    shown = ItemImage.objects.filter(asset=OuterRef("pk"), revision__current_of__dataset=dataset)
    return Asset.objects.in_quarantine().filter(Exists(shown)).order_by("created_at", "pk")


def used_in(dataset: Dataset) -> QuerySet[Asset]:
    """Every picture of a present revision: a curator may look at each of them and judge it."""
    shown = ItemImage.objects.filter(asset=OuterRef("pk"), revision__current_of__dataset=dataset)
    return Asset.objects.with_verdict().filter(Exists(shown))


def items_in_quarantine(items: QuerySet[Item]) -> QuerySet[Item]:
    """Those whose present revision shows a picture in quarantine."""
    return items.filter(shows_quarantined())


@dataclass(frozen=True)
class Judgment:
    """What a curator decides about the picture they looked at. `seen`: number of the newest verdict, 0 for none."""

    asset: Asset
    dataset: Dataset
    actor: User
    reason: str
    seen: int


@transaction.atomic
def judge_image(judgment: Judgment, *, kind: str) -> PixelVerdict:
    """Say that a picture shows no identifying text (`clear`), or keep it in quarantine (`held`).

    Raises:
        ReviewError: no reason, another kind of verdict, or a picture that was masked.
        StaleRevisionError: somebody decided meanwhile.
    """
    refuse_unless_member(judgment.actor, judgment.dataset)
    problems = _reason_problems(judgment.reason)
    if kind not in {Kind.CLEAR, Kind.HELD}:
        problems.append(("verdict", "choose clear or held"))
    if problems:
        raise ReviewError(problems)
    asset = _held_still(judgment)
    verdict = _add(asset, kind=kind, actor=judgment.actor, reason=judgment.reason)
    _record(JUDGED, verdict, items=_items_showing(asset).count())
    return verdict


def mask_image(
    judgment: Judgment, *, rectangles: Sequence[Rectangle], decoder: "Decoder | None" = None
) -> PixelVerdict:
    """Cover rectangles in every frame of a picture and let the result take its place.

    Raises:
        ReviewError: no reason, a rectangle outside the picture, pixels that are covered already or cannot be read.
        StaleRevisionError: somebody decided meanwhile.
    """
    refuse_unless_member(judgment.actor, judgment.dataset)
    asset = judgment.asset
    problems = _reason_problems(judgment.reason)
    found = rectangle_problems(rectangles, rows=asset.height, columns=asset.width)
    problems += [("rectangles", problem) for problem in found]
    if problems:
        raise ReviewError(problems)
    _refuse_stale(asset, judgment.seen)
    replacement = _masked_copy(asset, rectangles, decoder)
    with transaction.atomic():
        asset = _held_still(judgment)
        replacement = standing(replacement)
        if newest_verdict(replacement) is None:
            _add(replacement, kind=Kind.CLEAR, actor=judgment.actor, reason=judgment.reason)
        verdict = _add(
            asset,
            kind=Kind.MASKED,
            actor=judgment.actor,
            reason=judgment.reason,
            rectangles=[list(one) for one in rectangles],
            replacement=replacement,
        )
        own = [item for item in _items_showing(asset) if may_curate(judgment.actor, item.dataset)]
        changed = [_repoint(item, asset, replacement, judgment) for item in own]
        _record(MASKED, verdict, items=len(changed), replacement=str(replacement.pk))
        transaction.on_commit(partial(erase_leftovers, judgment.actor), robust=True)
    return verdict


@transaction.atomic
def take_masked(judgment: Judgment) -> list[Item]:
    """Show the masked picture in items of a dataset whose own file was delivered again, or that others masked.

    Raises:
        ReviewError: the picture was not masked.
    """
    refuse_unless_member(judgment.actor, judgment.dataset)
    replacement = standing(judgment.asset)
    if replacement.pk == judgment.asset.pk:
        raise ReviewError([("verdict", "this image was not masked")])
    items = list(_items_showing(judgment.asset).filter(dataset=judgment.dataset))
    for item in items:
        _repoint(item, judgment.asset, replacement, judgment)
    return items


def standing(asset: Asset) -> Asset:
    """The picture that took the place of one, through every mask; the picture itself when it was not masked."""
    seen = {asset.pk}
    while (verdict := newest_verdict(asset)) is not None and verdict.kind == Kind.MASKED:
        assert verdict.replacement is not None
        if verdict.replacement.pk in seen:
            break
        asset = verdict.replacement
        seen.add(asset.pk)
    return asset


def erase_leftovers(actor: User | None) -> int:
    """Remove the files of masked pictures that the trail does not know as removed, and say so there."""
    removed = set(Event.objects.filter(verb=REMOVED).values_list("subject_id", flat=True))
    left = [asset for asset in Asset.objects.masked() if str(asset.pk) not in removed]
    for asset in left:
        erase_masked(asset)
        record(REMOVED, actor=actor, subject=asset)
    return len(left)


def _reason_problems(reason: str) -> list[tuple[str, str]]:
    short = len(reason.strip()) < MIN_REASON
    return [("reason", f"say why in at least {MIN_REASON} characters")] if short else []


def _refuse_stale(asset: Asset, seen: int) -> None:
    newest = newest_verdict(asset)
    if newest is not None and newest.kind == Kind.MASKED:
        raise ReviewError([("verdict", "this image was masked and its own pixels are removed; judge the masked one")])
    if (newest.number if newest else 0) != seen:
        raise StaleRevisionError("Somebody decided about this image a moment ago; look at it again.")


def _held_still(judgment: Judgment) -> Asset:
    asset = Asset.objects.select_for_update().get(pk=judgment.asset.pk)
    _refuse_stale(asset, judgment.seen)
    return asset


def _masked_copy(asset: Asset, rectangles: Sequence[Rectangle], decoder: "Decoder | None") -> Asset:
    """A stored picture made of the masked pixels, in the confined process."""
    from annotation.imaging.sandbox import Decoder

    damage = storage.stored_damage(asset)
    if damage is not None:
        raise ReviewError([("rectangles", f"the image {damage}")])
    own = None if decoder is not None else Decoder()
    try:
        prepared = (decoder or own or Decoder()).prepare(
            storage.stored_path(asset), key=deidentification_key(), masks=rectangles
        )
    except ImageError as problem:
        raise ReviewError([("rectangles", f"the image cannot be masked: {problem.message}")]) from problem
    finally:
        if own is not None:
            own.close()
    if prepared.pixel_digest == asset.pixel_digest:
        raise ReviewError([("rectangles", "nothing would change: these pixels are covered already")])
    return store_prepared(prepared)


def _add(
    asset: Asset,
    *,
    kind: str,
    actor: User,
    reason: str,
    rectangles: list[list[int]] | None = None,
    replacement: Asset | None = None,
) -> PixelVerdict:
    newest = newest_verdict(asset)
    return PixelVerdict.objects.create(
        asset=asset,
        number=(newest.number if newest else 0) + 1,
        kind=kind,
        text_risk=asset.text_risk,
        rectangles=rectangles or [],
        replacement=replacement,
        reason=reason.strip(),
        reviewer=actor,
    )


def facts_of(verdict: PixelVerdict) -> dict[str, object]:
    """Everything that a verdict says; its checksum stands in the event."""
    return {
        "format": 1,
        "id": str(verdict.pk),
        "asset": verdict.asset.sha256,
        "number": verdict.number,
        "kind": str(verdict.kind),
        "text_risk": str(verdict.text_risk),
        "rectangles": verdict.rectangles,
        "replacement": verdict.replacement.sha256 if verdict.replacement else None,
        "reason": verdict.reason,
        "reviewer": str(verdict.reviewer_id),
    }


def _record(verb: str, verdict: PixelVerdict, **details: Any) -> None:
    named = {"verdict": str(verdict.pk), "kind": str(verdict.kind), "seal": digest(facts_of(verdict))}
    record(verb, actor=verdict.reviewer, subject=verdict.asset, **named, **details)


def _items_showing(asset: Asset) -> QuerySet[Item]:
    shown = ItemImage.objects.filter(asset=asset, revision=OuterRef("current_revision"))
    return Item.objects.filter(Exists(shown)).select_related("dataset").order_by("dataset", "number")


def _repoint(item: Item, before: Asset, after: Asset, judgment: Judgment) -> ItemRevision:
    """A new revision that shows another picture in the same places; its review starts anew."""
    item = Item.objects.select_for_update(of=("self",)).select_related("current_revision").get(pk=item.pk)
    old = item.current_revision
    assert old is not None
    images = _exchanged(old.images.select_related("asset"), before, after)
    values = {field: getattr(old, field) for field in COPIED}
    new = ItemRevision(
        item=item, number=old.number + 1, author=judgment.actor, reason=judgment.reason.strip(), **values
    )
    new.content_hash = revision_hash(new, [(image.role, image.position, image.asset.sha256) for image in images])
    new.save(force_insert=True)
    for image in images:
        image.revision = new
    ItemImage.objects.bulk_create(images)
    item.current_revision = new
    if item.state not in {Item.State.IMPORTED, Item.State.WITHDRAWN}:
        item.state = Item.State.IN_REVIEW
    item.save(update_fields=["current_revision", "state"])
    record(ITEM_MASKED, actor=judgment.actor, subject=item, revision=str(new.pk), before=before.sha256)
    return new


def _exchanged(images: Iterable[ItemImage], before: Asset, after: Asset) -> list[ItemImage]:
    return [
        ItemImage(
            role=image.role, position=image.position, asset=after if image.asset_id == before.pk else image.asset
        )
        for image in images
    ]
