"""Import of items: read every line, take its pictures, find the item it means, write in chunks.

Every line ends as new, changed, unchanged or refused by name. Chunks of at most 500 lines are one transaction
each, so an import that is killed can be run again: what it wrote is found unchanged. A dry run does the same
reading and matching and writes nothing.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.datasets.bulk import field_names, insert_rows
from annotation.datasets.drafting import ItemDraft, draft_item, draft_revision
from annotation.datasets.errors import DatasetError, ImportInterruptedError, ImportRefusedError
from annotation.datasets.jobs import (
    CHUNK_ROWS,
    ImportSummary,
    fail_job,
    finish_job,
    keep_running,
    layout_said,
    scratch_folder,
    start_job,
    store_problems,
)
from annotation.datasets.known import KnownItem, load_index
from annotation.datasets.matching import Index, Pairing, pair
from annotation.datasets.models import Dataset, ImportJob, Item, ItemAlias, ItemImage, ItemRevision
from annotation.datasets.pictures import Pictures
from annotation.datasets.services import check_slug, get_or_create_dataset, may_curate
from annotation.formats import FormatError, ItemRecord, Problem, read_records
from annotation.imaging.sandbox import Decoder
from annotation.people.models import User

Progress = Callable[[str, int, int], None]  # stage, lines done, lines in all
T = TypeVar("T")

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


def import_items(
    *,
    path: Path,
    dataset_slug: str,
    actor: User | None,
    layout: str = "auto",
    images: Path | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    prepared: Path | None = None,
) -> ImportSummary:
    """Import benchmark items from a file or folder into a dataset, which is made when it is new.

    Args:
        path: JSONL or parquet file, or a folder of them.
        dataset_slug: short name of the dataset.
        actor: who imports; None for a command without a person.
        layout: one of `annotation.formats.LAYOUTS`.
        images: folder to look for images in, instead of beside the records.
        dry_run: read, decode and match, but write nothing.
        progress: called with a stage in words, lines done and lines in all.
        prepared: folder that carries decoded pictures from a dry run to the run that follows it.

    Raises:
        ImportRefusedError: nothing could be read at all; nothing is written.
        ImportInterruptedError: another import into the dataset took over; what was committed stays.
    """
    try:
        check_slug(dataset_slug)
        found = layout_said(path, layout)
    except (DatasetError, FormatError) as problem:
        raise ImportRefusedError(str(problem)) from problem
    there = Dataset.objects.filter(slug=dataset_slug).first()
    if there is not None and actor is not None:
        _refuse_whom_it_hides_from(there, actor)
    summary = ImportSummary(layout=found)
    report = progress or _silent
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch, Decoder() as decoder:
        outcomes = read_all(path, kind="items", layout=layout, images=images, scratch=Path(scratch), report=report)
        if dry_run:
            drafts = _drafts(outcomes, Pictures(decoder, keep=False, prepared=prepared), summary, report)
            _plan(drafts, load_index(there) if there else Index(), summary, actor)
            return summary
        dataset = get_or_create_dataset(slug=dataset_slug, actor=actor)
        job = start_job(kind=ImportJob.Kind.ITEMS, dataset=dataset, path=path, layout=found, actor=actor)
        summary.job = job
        with failing(job, actor):
            drafts = _drafts(outcomes, Pictures(decoder, keep=True, prepared=prepared), summary, report)
            planned = _plan(drafts, load_index(dataset), summary, actor)
            _write(planned, job, summary=summary, actor=actor, report=report)
    return summary


def _refuse_whom_it_hides_from(dataset: Dataset, actor: User) -> None:
    if dataset.members_only and not may_curate(actor, dataset):
        raise ImportRefusedError(f"dataset: {dataset.slug!r}: is taken, and you are not one of its curators")


def _silent(stage: str, done: int, total: int) -> None:
    """No progress asked for."""


@contextmanager
def failing(job: ImportJob, actor: User | None) -> Iterator[None]:
    """Mark a job failed when its block ends with an exception, unless another import took it over."""
    try:
        yield
    except ImportInterruptedError:
        raise
    except BaseException as problem:
        said = str(problem) if isinstance(problem, DatasetError) else f"Stopped by {type(problem).__name__}."
        fail_job(job, said, actor=actor)
        raise


def read_all(
    path: Path,
    *,
    kind: Literal["items", "outputs"],
    layout: str,
    images: Path | None,
    scratch: Path,
    report: Progress,
) -> list[object]:
    """Every record and problem of a file or folder.

    Raises:
        ImportRefusedError: the file as a whole cannot be read.
    """
    outcomes: list[object] = []
    try:
        for outcome in read_records(path, layout=layout, kind=kind, images=images, scratch=scratch):
            outcomes.append(outcome)
            if len(outcomes) % CHUNK_ROWS == 0:
                report("reading", len(outcomes), 0)
    except FormatError as problem:
        raise ImportRefusedError(str(problem)) from problem
    if not outcomes:
        raise ImportRefusedError(f"{path.name}: holds no records")
    return outcomes


def refuse(summary: ImportSummary, problem: Problem) -> None:
    """Count a problem; a remark beside a line is kept but refuses nothing."""
    summary.problems.append(problem)
    if problem.fatal:
        summary.refused += 1


def _drafts(outcomes: list[object], pictures: Pictures, summary: ImportSummary, report: Progress) -> list[ItemDraft]:
    drafts: list[ItemDraft] = []
    for done, outcome in enumerate(outcomes, start=1):
        made = draft_item(outcome, pictures) if isinstance(outcome, ItemRecord) else outcome
        if isinstance(made, Problem):
            refuse(summary, made)
        elif isinstance(made, ItemDraft):
            drafts.append(made)
        report("pictures", done, len(outcomes))
    return drafts


def _plan(
    drafts: list[ItemDraft], index: Index[KnownItem], summary: ImportSummary, actor: User | None
) -> list[PlannedItem]:
    """Decide what each line does; refusals and notices go to the summary, nothing is written."""
    pairing = pair(drafts, index)
    planned: list[PlannedItem] = []
    seen: dict[object, str] = {}
    for number, draft in enumerate(drafts):
        if number in pairing.refused:
            broken = pairing.refused[number]
            scheme, value = broken.alias
            refuse(summary, Problem(draft.record.file, draft.record.line, scheme, value, broken.rule))
            continue
        plan = _planned(draft, number, pairing, index, actor)
        if plan.verdict == "new":
            _notice_twin(draft, index, seen, summary)
        summary.count(plan.verdict)
        planned.append(plan)
        if len(summary.first) < 5:
            summary.first.append(plan)
    return planned


def _planned(
    draft: ItemDraft, number: int, pairing: Pairing[KnownItem], index: Index[KnownItem], actor: User | None
) -> PlannedItem:
    known = pairing.items.get(number)
    revision = draft_revision(draft, known, author=actor)
    if known is None:
        verdict = "new"
    else:
        verdict = "unchanged" if revision.content_hash == known.stated.content_hash else "changed"
    # A place that already names another item stays with it; ids that do so were refused before.
    gained = [alias for alias in draft.aliases if alias not in index.by_alias]
    return PlannedItem(draft, verdict, revision if verdict != "unchanged" else None, known, gained)


def _notice_twin(draft: ItemDraft, index: Index[KnownItem], seen: dict[object, str], summary: ImportSummary) -> None:
    """Equal content is never merged; it is said, also where only the labels differ."""
    twins = index.by_content.get(draft.contents[0])
    twin = twins[0].code if twins else seen.get(draft.twin_key)
    seen.setdefault(draft.twin_key, draft.where)
    if twin:
        rule = f"says and shows the same as {twin}; kept as an item of its own"
        summary.problems.append(Problem(draft.record.file, draft.record.line, "content", "", rule, fatal=False))


def _write(
    planned: list[PlannedItem], job: ImportJob, *, summary: ImportSummary, actor: User | None, report: Progress
) -> None:
    dataset = job.dataset
    written = ImportSummary(refused=summary.refused)
    number = dataset.items.aggregate(last=Max("number"))["last"] or 0
    taken: set[tuple[str, str]] = set()
    done = 0
    for chunk in chunks(planned):
        with transaction.atomic():
            for plan in chunk:
                written.count(plan.verdict)
                plan.new_aliases = [alias for alias in plan.new_aliases if alias not in taken]
                taken.update(plan.new_aliases)
            keep_running(job, written)
            number = _write_chunk(chunk, dataset, number)
        done += len(chunk)
        report("writing", done, len(planned))
    with transaction.atomic():
        store_problems(job, summary.problems)
        finish_job(job, summary, actor=actor)


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in groups small enough for one transaction."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _write_chunk(chunk: list[PlannedItem], dataset: Dataset, number: int) -> int:
    """Write one chunk; returns the last item number used."""
    now = timezone.now()
    items, changed, revisions, images, aliases = [], [], [], [], []
    for plan in chunk:
        item_id = plan.known.item.pk if plan.known else uuid4()
        revision = plan.revision
        if revision is not None:
            revision.item_id, revision.created_at = item_id, now
            if plan.known is None:
                number += 1
                key = plan.draft.case_key()
                items.append((item_id, dataset.pk, number, key, Item.State.IMPORTED.value, revision.pk, now))
            else:
                changed.append(_moved(plan.known.item, revision, plan.draft))
            revisions.append([getattr(revision, name) for name in _REVISION_FIELDS])
            images += [(revision.pk, role, place, taken.asset_id) for role, place, taken in plan.draft.pictures]
        aliases += [(dataset.pk, item_id, scheme, value) for scheme, value in plan.new_aliases]
    insert_rows(Item, _ITEM_FIELDS, items)
    insert_rows(ItemRevision, _REVISION_FIELDS, revisions)
    Item.objects.bulk_update(changed, ["current_revision", "state", "case_key"])
    insert_rows(ItemImage, _IMAGE_FIELDS, images)
    insert_rows(ItemAlias, _ALIAS_FIELDS, aliases)
    return number


def _moved(item: Item, revision: ItemRevision, draft: ItemDraft) -> Item:
    """A known item on its new revision: back to where curation starts, unless it was withdrawn."""
    item.current_revision = revision
    item.case_key = draft.case_key() or item.case_key
    if item.state != Item.State.WITHDRAWN:
        item.state = Item.State.IMPORTED
    return item
