"""Freezing a release, its manifest, and the check that nothing in it has changed."""

import hashlib
import re
from collections import Counter
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch, Q, QuerySet

from annotation.assets.storage import stored_path
from annotation.audit.record import record
from annotation.curation.workflow import ACCEPT, PEOPLE_NEEDED
from annotation.datasets.content import revision_hash
from annotation.datasets.models import Dataset, Item, ItemImage
from annotation.datasets.services import refuse_unless_member
from annotation.people.models import User
from annotation.releases.errors import FreezeError
from annotation.releases.models import Release, ReleaseItem

CHUNK = 500
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
RESERVED = "freeze"  # the address of the form
LEFT_OUT = [Item.State.QUARANTINED, Item.State.REJECTED, Item.State.WITHDRAWN, Item.State.NEEDS_FIX]


def releasable(dataset: Dataset, *, validated_elsewhere: str = "") -> QuerySet[Item]:
    """Items a release would hold: accepted here, or everything not put aside when validated elsewhere."""
    items = dataset.items.filter(current_revision__isnull=False, current_revision__is_fixture=False)
    if validated_elsewhere:
        return items.exclude(state__in=LEFT_OUT)
    return items.filter(state=Item.State.ACCEPTED)


def blockers(*, dataset: Dataset, version: str = "", validated_elsewhere: str = "") -> list[str]:
    """Why a release cannot be frozen, in words; an empty list when it can."""
    found = []
    if version and (not VERSION.fullmatch(version) or version == RESERVED):
        found.append(f"version: {version!r}: letters, digits, dot, dash and underscore, at most 40; not {RESERVED!r}")
    if version and dataset.releases.filter(version=version).exists():
        found.append(f"version: {version!r} is taken; a release never changes, choose another one")
    items = releasable(dataset, validated_elsewhere=validated_elsewhere)
    if not items.exists():
        hint = "" if validated_elsewhere else ", or state where the dataset was validated"
        found.append(f"no item can be released: accept items first{hint}")
    elif not validated_elsewhere:
        lacking = _without_two_people(items)
        if lacking:
            found.append(f"{len(lacking)} items lack a second accepting person: {', '.join(lacking[:5])}")
    return found


def _without_two_people(items: QuerySet[Item]) -> list[str]:
    accepting = Count(
        "current_revision__reviews__reviewer", Q(current_revision__reviews__verdict=ACCEPT), distinct=True
    )
    short = items.annotate(n_accepting=accepting).filter(n_accepting__lt=PEOPLE_NEEDED).order_by("number")
    return [item.code for item in short]


def content_hash(item_hashes: list[str]) -> str:
    """Checksum of a release: sha256 over the sorted content hashes of its items, a line each."""
    return hashlib.sha256("\n".join(sorted(item_hashes)).encode()).hexdigest()


@transaction.atomic
def freeze_release(*, dataset: Dataset, version: str, actor: User | None, validated_elsewhere: str = "") -> Release:
    """Copy the releasable revisions into a release that never changes.

    Raises:
        FreezeError: with every reason that stands in the way.
    """
    refuse_unless_member(actor, dataset)
    validated_elsewhere = validated_elsewhere.strip()
    found = blockers(dataset=dataset, version=version, validated_elsewhere=validated_elsewhere)
    if not version:
        found.insert(0, "version: say which version this is")
    if found:
        raise FreezeError(found)
    items = releasable(dataset, validated_elsewhere=validated_elsewhere).select_related("current_revision")
    revisions = [item.current_revision for item in items.order_by("number") if item.current_revision]
    elsewhere = bool(validated_elsewhere)
    try:
        with transaction.atomic():
            release = Release.objects.create(
                dataset=dataset,
                version=version,
                validation=Release.Validation.ELSEWHERE if elsewhere else Release.Validation.HERE,
                validation_source=validated_elsewhere,
                content_hash=content_hash([revision.content_hash for revision in revisions]),
                frozen_by=actor,
            )
    except IntegrityError as problem:
        raise FreezeError([f"version: {version!r} is taken; somebody froze it a moment ago"]) from problem
    ReleaseItem.objects.bulk_create(
        (
            ReleaseItem(release=release, revision=revision, content_hash=revision.content_hash)
            for revision in revisions
        ),
        batch_size=CHUNK,
    )
    record(
        "release frozen",
        actor=actor,
        subject=release,
        items=len(revisions),
        content_hash=release.content_hash,
        validation=release.validation,
    )
    return release


def _rows(release: Release) -> QuerySet[ReleaseItem]:
    images = ItemImage.objects.select_related("asset").order_by("role", "position")
    return release.release_items.select_related("revision__item").prefetch_related(
        Prefetch("revision__images", queryset=images)
    )


def manifest(release: Release) -> dict[str, Any]:
    """What the release holds, with the checksum of every picture, ready for JSON."""
    items = [
        {
            "item": row.revision.item.code,
            "revision": row.revision.number,
            "content_hash": row.content_hash,
            "format": row.revision.format,
            "task": row.revision.task,
            "modality": row.revision.modality or None,
            "license": row.revision.license or None,
            "redistributable": row.revision.redistributable,
            "images": [
                {"role": image.role, "position": image.position, "sha256": image.asset.sha256}
                for image in row.revision.images.all()
            ],
        }
        for row in _rows(release)
    ]
    return {
        "dataset": release.dataset.slug,
        "version": release.version,
        "content_hash": release.content_hash,
        "validation": release.validation,
        "validation_source": release.validation_source or None,
        "validation_words": release.validation_words,
        "frozen_at": release.frozen_at.isoformat(),
        "n_items": len(items),
        "items": items,
    }


def composition(release: Release) -> list[dict[str, Any]]:
    """Items by format, task and modality."""
    counted = Counter(release.release_items.values_list("revision__format", "revision__task", "revision__modality"))
    return [
        {"format": format_, "task": task, "modality": modality, "n": n}
        for (format_, task, modality), n in sorted(counted.items())
    ]


def verify_release(release: Release) -> list[str]:
    """Recompute every checksum from stored bytes and words; what differs is named, nothing is changed."""
    problems = []
    hashes = []
    seen: dict[str, str | None] = {}
    for row in _rows(release):
        code = row.revision.item.code
        images = list(row.revision.images.all())
        for image in images:
            if image.asset.sha256 not in seen:
                seen[image.asset.sha256] = _file_problem(image)
            problem = seen[image.asset.sha256]
            if problem:
                problems.append(f"{code}: {image.role} {image.position}: {problem}")
        now = revision_hash(row.revision, [(image.role, image.position, image.asset.sha256) for image in images])
        if now != row.content_hash:
            problems.append(f"{code}: the item no longer says what was released")
        hashes.append(row.content_hash)
    if content_hash(hashes) != release.content_hash:
        problems.append(f"{release}: items were added or removed")
    return problems


def _file_problem(image: ItemImage) -> str | None:
    path = stored_path(image.asset)
    if not path.exists():
        return "the stored file is missing"
    digest = hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
    return None if digest == image.asset.sha256 else "the stored file has changed"
