"""Import of items: read every line, take its pictures, find the item it means, write in chunks.

Every line ends as new, changed, unchanged or refused by name. What is to be written is put aside and written in
chunks of at most 500 lines, one transaction each, so an import that is killed goes on, or is run again: what it wrote
is found unchanged. A dry run does the same reading and matching and writes nothing.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from annotation.datasets.chunked import problem_row, summary_counts, write_here
from annotation.datasets.drafting import ItemDraft, draft_item, draft_revision
from annotation.datasets.errors import DatasetError, ImportInterruptedError, ImportRefusedError
from annotation.datasets.jobs import ImportSummary, fail_job, layout_said, scratch_folder, start_job
from annotation.datasets.known import KnownItem, load_index
from annotation.datasets.matching import Index, Pairing, pair
from annotation.datasets.models import Dataset, ImportJob
from annotation.datasets.pictures import Pictures
from annotation.datasets.services import check_slug, get_or_create_dataset, may_curate
from annotation.datasets.spool import CHUNK_ROWS, plan_chunks
from annotation.datasets.writing import PlannedItem, planned_row
from annotation.formats import FormatError, ItemRecord, Problem, read_records
from annotation.imaging.sandbox import Decoder
from annotation.people.models import User
from annotation.work.errors import AwayError
from annotation.work.executor import checkpoint
from annotation.work.kinds import ChunkPlan

Progress = Callable[[str, int, int], None]  # stage, lines done, lines in all

KIND = "import-items"  # as the work on it is called


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
        refuse_whom_it_hides_from(there, actor)
    summary = ImportSummary(layout=found)
    report = progress or _silent
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch, Decoder() as decoder:
        outcomes = read_all(path, kind="items", layout=layout, images=images, scratch=Path(scratch), report=report)
        if dry_run:
            drafts = _drafts(outcomes, Pictures(decoder, keep=False, prepared=prepared), summary, report)
            _plan(drafts, load_index(there) if there else Index(), summary, actor)
            return summary
        dataset = get_or_create_dataset(slug=dataset_slug, actor=actor)
        summary.job = start_job(kind=ImportJob.Kind.ITEMS, dataset=dataset, path=path, layout=found, actor=actor)
        with failing(summary.job, actor):
            pictures = Pictures(decoder, keep=True, prepared=prepared)
            plans = plan_items(outcomes, summary.job, pictures, summary=summary, actor=actor, report=report)
            write_here(summary.job, plans, kind=KIND, actor=actor, report=report)
            summary_counts(summary, summary.job)
    return summary


def plan_items(
    outcomes: list[object],
    job: ImportJob,
    pictures: Pictures,
    *,
    summary: ImportSummary,
    actor: User | None,
    report: Progress | None = None,
) -> list[ChunkPlan]:
    """Take the pictures, decide what each line does, and put aside what is to be written."""
    drafts = _drafts(outcomes, pictures, summary, report or _silent)
    planned = _plan(drafts, load_index(job.dataset), summary, actor)
    taken: set[tuple[str, str]] = set()
    for plan in planned:
        plan.new_aliases = [alias for alias in plan.new_aliases if alias not in taken]
        taken.update(plan.new_aliases)
    return plan_chunks(job, rows=map(planned_row, planned), problems=map(problem_row, summary.problems))


def refuse_whom_it_hides_from(dataset: Dataset, actor: User) -> None:
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
        in_words = isinstance(problem, DatasetError | AwayError)
        said = str(problem) if in_words else f"Stopped by {type(problem).__name__}."
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
        checkpoint()
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
