"""Import of outputs: one submission per system version and release, every line an output or refused by name.

An output whose file changed is a new version and supersedes the old one. Items without an output get a row of
status missing, so coverage is a query. Chunks are one transaction each; a killed import goes on, or is run again.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from annotation.audit.record import hold
from annotation.audit.record import record as leave_event
from annotation.datasets.chunked import problem_row, summary_counts, write_here
from annotation.datasets.errors import DatasetError, ImportRefusedError
from annotation.datasets.importing import Progress, failing, read_all, refuse
from annotation.datasets.jobs import ImportSummary, layout_said, scratch_folder, start_job
from annotation.datasets.matching import pair
from annotation.datasets.models import Dataset, ImportJob
from annotation.datasets.pictures import Pictures
from annotation.datasets.services import check_slug
from annotation.datasets.spool import Row, plan_chunks
from annotation.formats import FormatError, OutputRecord, Problem
from annotation.imaging.sandbox import Decoder
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.systems.drafting import OutputDraft, draft_output
from annotation.systems.models import Output, Submission, System, SystemVersion, datasets_read_by
from annotation.systems.targets import Target, Targets, load_targets
from annotation.systems.telling import known_names, remarks_on_names
from annotation.systems.writing import PlannedOutput, planned_row
from annotation.work.executor import checkpoint
from annotation.work.kinds import ChunkPlan

KIND = "import-outputs"  # as the work on it is called


@dataclass(frozen=True, slots=True)
class Destination:
    """Where outputs go: dataset and release, system and its version."""

    dataset: Dataset
    release: Release | None
    system_slug: str
    system_name: str
    system_version: str
    system_kind: str


def import_outputs(
    *,
    path: Path,
    dataset_slug: str,
    release_version: str | None,
    system_slug: str,
    system_kind: str,
    actor: User | None,
    system_name: str = "",
    system_version: str = "",
    layout: str = "auto",
    images: Path | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    prepared: Path | None = None,
) -> ImportSummary:
    """Import what a system generated into its one submission for a release.

    Args:
        path: JSONL file of inference or evaluated results, or a folder of them.
        dataset_slug: the dataset, which is there already.
        release_version: the release, or None to bind to the current revisions.
        system_slug: short name of the system, made when it is new.
        system_kind: one of `System.Kind`; an existing system keeps its kind, another one is refused.
        actor: who imports; None for a command without a person.
        system_name: name of a new system, by default its slug.
        system_version: version of the system, may be blank.
        layout: one of `annotation.formats.LAYOUTS`.
        images: folder to look for images in, instead of beside the records.
        dry_run: read, decode and match, but write nothing.
        progress: called with a stage in words, lines done and lines in all.
        prepared: folder that carries decoded pictures from a dry run to the run that follows it.

    Raises:
        ImportRefusedError: nothing could be read, or dataset, release or system are not what they should be.
        ImportInterruptedError: another import of outputs took over; what was committed stays.
    """
    to = destination(
        dataset_slug, release_version, system_slug, system_kind, name=system_name, version=system_version
    )
    refuse_whom_it_hides_from(to.dataset, actor)
    try:
        summary = ImportSummary(layout=layout_said(path, layout))
    except FormatError as problem:
        raise ImportRefusedError(str(problem)) from problem
    report = progress or _silent
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch, Decoder() as decoder:
        outcomes = read_all(path, kind="outputs", layout=layout, images=images, scratch=Path(scratch), report=report)
        pictures = Pictures(decoder, keep=not dry_run, prepared=prepared)
        if dry_run:
            targets = load_targets(to.dataset, to.release)
            planned = _plan(_drafts(outcomes, pictures, summary, report), targets, _current_outputs(to), summary)
            _warn_of_names(planned, to, summary)
            return summary
        summary.job = start_job(
            kind=ImportJob.Kind.OUTPUTS, dataset=to.dataset, path=path, layout=summary.layout, actor=actor
        )
        with failing(summary.job, actor):
            plans = plan_outputs(outcomes, summary.job, pictures, to=to, summary=summary, actor=actor, report=report)
            write_here(summary.job, plans, kind=KIND, actor=actor, report=report)
            summary_counts(summary, summary.job)
    return summary


def plan_outputs(
    outcomes: list[object],
    job: ImportJob,
    pictures: Pictures,
    *,
    to: Destination,
    summary: ImportSummary,
    actor: User | None,
    report: Progress | None = None,
) -> list[ChunkPlan]:
    """Take the pictures, decide what each line does, open the submission, and put aside what is to be written."""
    drafts = _drafts(outcomes, pictures, summary, report or _silent)
    targets, current = load_targets(to.dataset, to.release), _current_outputs(to)
    planned = _plan(drafts, targets, current, summary)
    _warn_of_names(planned, to, summary)
    missed: list[Row] = []
    if planned:
        summary.submission = _open_submission(to, job, planned, actor)
        there = {plan.target.revision_id for plan in planned} | set(current)
        missed = [
            {"revision": target.revision_id}
            for target in targets.all
            if target.expected and target.revision_id not in there
        ]
    return plan_chunks(
        job,
        rows=map(planned_row, planned),
        missing=missed,
        problems=map(problem_row, summary.problems),
    )


def _silent(stage: str, done: int, total: int) -> None:
    """No progress asked for."""


def refuse_whom_it_hides_from(dataset: Dataset, actor: User | None) -> None:
    if actor is None:
        return
    if not Dataset.objects.visible_to(actor).filter(pk=dataset.pk).exists():
        raise ImportRefusedError(f"dataset: {dataset.slug!r}: there is no such dataset; import its items first")
    if datasets_read_by(actor).filter(pk=dataset.pk).exists():
        raise ImportRefusedError(
            f"dataset: {dataset.slug!r}: you read outputs of it blind in a study that is not locked; "
            "somebody else has to import"
        )


def destination(
    dataset_slug: str, release_version: str | None, system_slug: str, kind: str, *, name: str = "", version: str = ""
) -> Destination:
    """Check where outputs should go, before anything is read.

    Raises:
        ImportRefusedError: with the name of what is not there or does not fit.
    """
    dataset = Dataset.objects.filter(slug=dataset_slug).first()
    if dataset is None:
        raise ImportRefusedError(f"dataset: {dataset_slug!r}: there is no such dataset; import its items first")
    release = None
    if release_version is not None:
        release = dataset.releases.filter(version=release_version).first()
        if release is None:
            raise ImportRefusedError(f"release: {release_version!r}: {dataset_slug} has no such release")
    try:
        check_slug(system_slug, of="system")
    except DatasetError as problem:
        raise ImportRefusedError(str(problem)) from problem
    if kind not in System.Kind.values:
        raise ImportRefusedError(f"system kind: {kind!r}: must be one of {', '.join(System.Kind.values)}")
    if len(version) > 60:
        raise ImportRefusedError(f"system version: {version!r}: must be at most 60 characters")
    system = System.objects.filter(slug=system_slug).first()
    if system is not None and system.kind != kind:
        raise ImportRefusedError(f"system kind: {kind!r}: {system_slug} is known as {system.kind}")
    return Destination(dataset, release, system_slug, name.strip()[:120] or system_slug, version.strip(), kind)


def _drafts(
    outcomes: list[object], pictures: Pictures, summary: ImportSummary, report: Progress
) -> list[OutputDraft]:
    drafts = []
    for done, outcome in enumerate(outcomes, start=1):
        checkpoint()
        if isinstance(outcome, OutputRecord):
            drafts.append(draft_output(outcome, pictures))
        elif isinstance(outcome, Problem):
            refuse(summary, outcome)
        report("pictures", done, len(outcomes))
    return drafts


def _current_outputs(to: Destination) -> dict[UUID, Output]:
    """The current output of each revision in the submission these outputs belong to."""
    outputs = Output.objects.current().filter(
        submission__system_version__system__slug=to.system_slug,
        submission__system_version__version=to.system_version,
        submission__dataset=to.dataset,
        submission__release=to.release,
    )
    return {output.revision_id: output for output in outputs}


def _plan(
    drafts: list[OutputDraft], targets: Targets, current: dict[UUID, Output], summary: ImportSummary
) -> list[PlannedOutput]:
    """Decide what each line does; refusals go to the summary, nothing is written."""
    pairing = pair(drafts, targets.index, place_first=True)
    planned: list[PlannedOutput] = []
    for number, draft in enumerate(drafts):
        target = pairing.items.get(number)
        broken = pairing.refused.get(number)
        if broken is not None:
            problem: Problem | None = draft.problem(*broken.alias, broken.rule)
        elif target is None:
            problem = _unknown(draft, targets)
        else:
            problem = draft.disagreement(target)
        if problem is not None or target is None:
            refuse(summary, problem or _unknown(draft, targets))
            continue
        plan = _planned(draft, target, current.get(target.revision_id))
        summary.count(plan.verdict)
        planned.append(plan)
        if len(summary.first) < 5:
            summary.first.append(plan)
    return planned


def _warn_of_names(planned: list[PlannedOutput], to: Destination, summary: ImportSummary) -> None:
    names = known_names(name=to.system_name, slug=to.system_slug, version=to.system_version)
    for remark in remarks_on_names(planned, names):
        refuse(summary, remark)


def _planned(draft: OutputDraft, target: Target, replaced: Output | None) -> PlannedOutput:
    if replaced is None or (replaced.status == Output.Status.MISSING and not replaced.content_hash):
        verdict = "new"
    else:
        verdict = "unchanged" if replaced.content_hash == draft.content_hash else "changed"
    return PlannedOutput(draft, target, verdict, replaced)


def _unknown(draft: OutputDraft, targets: Targets) -> Problem:
    """Why a line found no item: its id is unknown, of an item outside the release, or it has none that decides."""
    for alias in draft.aliases:
        if alias in targets.outside:
            return draft.problem(*alias, f"names {targets.outside[alias]}, which is not in the release")
    if draft.aliases:
        scheme, value = draft.aliases[0]
        return draft.problem(scheme, value, "names no item of the dataset, and neither does the content")
    text = draft.record.match.instruction
    return draft.problem("instruction", text, "no id, and no single item says this and shows these pictures")


@transaction.atomic
def _open_submission(to: Destination, job: ImportJob, planned: list[PlannedOutput], actor: User | None) -> Submission:
    """The submission of this system version for this release; made, with its system, when new."""
    hold()
    system, _ = System.objects.get_or_create(
        slug=to.system_slug, defaults={"name": to.system_name, "kind": to.system_kind}
    )
    version, _ = SystemVersion.objects.get_or_create(system=system, version=to.system_version)
    fixtures = any(plan.draft.record.is_fixture for plan in planned)
    submission = Submission.objects.filter(system_version=version, dataset=to.dataset, release=to.release).first()
    if submission is None:
        last = Submission.objects.aggregate(last=Max("number"))["last"] or 0
        submission = Submission.objects.create(
            number=last + 1,
            system_version=version,
            dataset=to.dataset,
            release=to.release,
            is_fixture=fixtures,
            created_by=actor,
        )
        leave_event("submission created", actor=actor, subject=submission)
    submission.import_job = job
    submission.is_fixture = submission.is_fixture or fixtures
    submission.save(update_fields=["import_job", "is_fixture"])
    return submission
