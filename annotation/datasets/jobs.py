"""The record of one import: its row, its problems, and the fence that lets only the newest one write.

A job that was killed stays RUNNING until the next import of the same dataset marks it failed; every chunk of
an import first confirms that its own job is still the running one, in the transaction that writes the chunk.
"""

import hashlib
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.text import Truncator

from annotation.audit.record import record
from annotation.datasets.errors import ImportInterruptedError
from annotation.datasets.models import Dataset, ImportJob, ImportProblem
from annotation.formats import Problem, detect_layout
from annotation.formats.reading import AUTO, MEDGEN_BENCH
from annotation.people.models import User

CHUNK_ROWS = 500
SCRATCH_SECONDS = 24 * 3600
INTERRUPTED = "Interrupted before its end; what was committed stays. A later import took over."


@dataclass
class ImportSummary:
    """What an import did, or would do when it was a dry run (then there is no job)."""

    layout: str = ""
    job: ImportJob | None = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    first: list[Any] = field(default_factory=list)
    submission: Any = None

    @property
    def lines(self) -> int:
        return self.new + self.changed + self.unchanged + self.refused

    def count(self, verdict: str) -> None:
        setattr(self, verdict, getattr(self, verdict) + 1)

    def counts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("new", "changed", "unchanged", "refused")}


@transaction.atomic
def start_job(*, kind: str, dataset: Dataset, path: Path, layout: str, actor: User | None) -> ImportJob:
    """Open a job; one of the same kind and dataset that still runs is taken over."""
    left_over = ImportJob.objects.filter(kind=kind, dataset=dataset, state=ImportJob.State.RUNNING)
    left_over.update(state=ImportJob.State.FAILED, failure=INTERRUPTED, finished_at=timezone.now())
    job = ImportJob.objects.create(
        kind=kind,
        dataset=dataset,
        layout=layout,
        name_digest=_name_digest(path),
        file_sha256=_content_digest(path),
        requested_by=actor,
    )
    record("import started", actor=actor, subject=job, kind=kind, layout=layout)
    return job


def keep_running(job: ImportJob, summary: ImportSummary) -> None:
    """Confirm inside a chunk's transaction that this job still owns the dataset, and store its counts.

    Raises:
        ImportInterruptedError: another import took over.
    """
    running = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.RUNNING)
    if not running.update(**summary.counts()):
        raise ImportInterruptedError("another import into this dataset started; run this one again when it is done")


def store_problems(job: ImportJob, problems: list[Problem]) -> None:
    ImportProblem.objects.bulk_create([_problem_row(job, problem) for problem in problems])


def _problem_row(job: ImportJob, problem: Problem) -> ImportProblem:
    return ImportProblem(
        job=job,
        file=_shortened(problem.file, 300),
        line=problem.line,
        field=_shortened(problem.field, 100),
        value=_shortened(problem.value, 200),
        rule=_shortened(problem.rule, 500),
        fatal=problem.fatal,
    )


def _shortened(value: object, characters: int) -> str:
    text = "" if value is None else str(value)
    return Truncator(text.replace("\x00", "␀")).chars(characters)


@transaction.atomic
def finish_job(job: ImportJob, summary: ImportSummary, *, actor: User | None) -> None:
    keep_running(job, summary)
    job.refresh_from_db()
    job.state = ImportJob.State.DONE
    job.finished_at = timezone.now()
    job.save(update_fields=["state", "finished_at"])
    record("import finished", actor=actor, subject=job, **summary.counts())


@transaction.atomic
def fail_job(job: ImportJob, failure: str, *, actor: User | None) -> None:
    """Say why a job ended early; a job that was taken over keeps that reason."""
    running = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.RUNNING)
    if running.update(state=ImportJob.State.FAILED, failure=failure, finished_at=timezone.now()):
        record("import failed", actor=actor, subject=job)


def _name_digest(path: Path) -> str:
    """The file's name as a keyed hash with its extension: it may name a patient."""
    digest = salted_hmac("annotation.datasets.import", path.name, algorithm="sha256").hexdigest()[:40]
    return f"{digest}{path.suffix.casefold()[:20]}"


def _content_digest(path: Path) -> str:
    """SHA-256 of the file, or of the record files of a folder in the order of their names."""
    if path.is_file():
        return _file_digest(path).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.suffix.casefold() in {".jsonl", ".json", ".parquet"} and file.is_file() and not file.is_symlink():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0" + _file_digest(file).digest())
    return digest.hexdigest()


def _file_digest(path: Path) -> "hashlib._Hash":
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def scratch_folder() -> Path:
    """Where pictures that lie inside records are written while an import runs; what a killed one left is removed."""
    folder = Path(settings.MEDGEN_HOME) / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        if time.time() - left.stat().st_mtime > SCRATCH_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return folder


def layout_said(path: Path, layout: str) -> str:
    """The layout an import reports: the one asked for, or the one the content shows.

    Raises:
        FormatError: there is no such file, or one of another kind.
    """
    found = detect_layout(path)
    return found if layout in {AUTO, MEDGEN_BENCH} else layout
