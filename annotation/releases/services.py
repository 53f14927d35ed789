"""Freezing a release, its manifest, and the check that nothing in it has changed."""

import hashlib
import re
from collections import Counter
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from annotation.assets.models import Asset
from annotation.assets.storage import LOST, kept_problem
from annotation.audit.record import hold, record
from annotation.curation.quarantine import items_in_quarantine
from annotation.curation.workflow import ACCEPT, PEOPLE_NEEDED
from annotation.datasets.content import revision_hash
from annotation.datasets.models import Dataset, Item, ItemImage
from annotation.datasets.services import refuse_unless_member
from annotation.people.models import User
from annotation.releases.errors import FreezeError
from annotation.releases.models import Release, ReleaseItem
from annotation.work.executor import work_off
from annotation.work.models import Job
from annotation.work.services import enqueue

KIND = "freeze"  # as the work on it is called
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
        return found
    found += _quarantined(dataset, items)
    if not validated_elsewhere:
        lacking = _without_two_people(items)
        if lacking:
            found.append(f"{len(lacking)} items lack a second accepting person: {', '.join(lacking[:5])}")
    return found


def _quarantined(dataset: Dataset, items: QuerySet[Item]) -> list[str]:
    """Pictures that may show identifying text and that no curator has judged go into no release."""
    codes = [item.code for item in items_in_quarantine(items).order_by("number")]
    if not codes:
        return []
    where = reverse("annotation:quarantine-list", args=[dataset.slug])
    named = ", ".join(codes[:5]) + (" …" if len(codes) > 5 else "")
    return [f"{len(codes)} items show images in quarantine: {named}; a curator decides at {where}"]


def _without_two_people(items: QuerySet[Item]) -> list[str]:
    accepting = Count(
        "current_revision__reviews__reviewer", Q(current_revision__reviews__verdict=ACCEPT), distinct=True
    )
    short = items.annotate(n_accepting=accepting).filter(n_accepting__lt=PEOPLE_NEEDED).order_by("number")
    return [item.code for item in short]


def content_hash(item_hashes: list[str]) -> str:
    """Checksum of a release: sha256 over the sorted content hashes of its items, a line each."""
    return hashlib.sha256("\n".join(sorted(item_hashes)).encode()).hexdigest()


def ask_for_release(*, dataset: Dataset, version: str, actor: User | None, validated_elsewhere: str = "") -> Job:
    """Have the releasable revisions copied into a release that never changes; a command run again goes on.

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
    elsewhere = bool(validated_elsewhere)
    with transaction.atomic():
        hold()
        begun = Release.with_unfinished.filter(dataset=dataset, version=version).first()
        if begun is not None:
            return _job_that_freezes(begun, actor, validated_elsewhere)
        release = Release.objects.create(
            dataset=dataset,
            version=version,
            state=Release.State.FREEZING,
            validation=Release.Validation.ELSEWHERE if elsewhere else Release.Validation.HERE,
            validation_source=validated_elsewhere,
            frozen_by=actor,
        )
        return enqueue(
            kind=KIND,
            title=f"Freezing {release}",
            parameters={"release": str(release.pk)},
            requested_by=actor,
            subject=dataset,
        )


def _job_that_freezes(begun: Release, actor: User | None, validated_elsewhere: str) -> Job:
    """The job of a release that was begun, for the person who began it."""
    job = Job.objects.open().filter(kind=KIND, parameters__release=str(begun.pk)).first()
    same = job is not None and job.requested_by == actor and begun.validation_source == validated_elsewhere
    if job is None or not same:
        raise FreezeError([f"version: {begun.version!r} is taken; somebody froze it a moment ago"])
    return job


def freeze_release(*, dataset: Dataset, version: str, actor: User | None, validated_elsewhere: str = "") -> Release:
    """Freeze a release and wait for it.

    Raises:
        FreezeError: with every reason that stands in the way.
    """
    job = ask_for_release(dataset=dataset, version=version, actor=actor, validated_elsewhere=validated_elsewhere)
    job = work_off(job)
    if job.state != Job.State.DONE:
        raise FreezeError([job.failure or "the work was stopped; nothing is frozen"])
    return Release.objects.select_related("dataset").get(pk=job.parameters["release"])


def revisions_to_freeze(release: Release) -> list[tuple[UUID, str]]:
    """What is releasable now, with its checksum, in the order of the items.

    Raises:
        FreezeError: it is not releasable any more.
    """
    elsewhere = release.validation_source
    found = blockers(dataset=release.dataset, validated_elsewhere=elsewhere)
    if found:
        raise FreezeError(found)
    items = releasable(release.dataset, validated_elsewhere=elsewhere).order_by("number")
    return list(items.values_list("current_revision", "current_revision__content_hash"))


def add_to_release(release: Release, rows: list[tuple[str, str]]) -> None:
    """Put revisions into a release that is being frozen."""
    ReleaseItem.objects.bulk_create(
        ReleaseItem(release=release, revision_id=revision, content_hash=digest) for revision, digest in rows
    )


def close_release(release: Release, *, actor: User | None) -> None:
    """From now on the release is there, and never changes."""
    hashes = list(release.release_items.values_list("content_hash", flat=True))
    release.state, release.content_hash = Release.State.FROZEN, content_hash(hashes)
    release.frozen_at = timezone.now()
    release.save(update_fields=["state", "content_hash", "frozen_at"])
    record(
        "release frozen",
        actor=actor,
        subject=release,
        items=len(hashes),
        content_hash=release.content_hash,
        validation=release.validation,
    )


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
    # Masked after they were released: their removal stands in the trail, their checksums in the manifest.
    seen: dict[str, str | None] = dict.fromkeys(Asset.objects.masked().values_list("sha256", flat=True))
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
    problem = kept_problem(image.asset)
    if problem is None:
        return None
    return "the stored file is missing" if problem == LOST else "the stored file has changed"
