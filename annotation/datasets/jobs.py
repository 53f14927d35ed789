"""The record of one import: its row, its problems, and the fence that lets only the newest one write.

An import that was left stays RUNNING until the next one of the same dataset takes over: that one marks it failed and
ends its work, so that of two imports only the newest writes.
"""

import hashlib
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.text import Truncator

from annotation.audit.record import hold, record
from annotation.datasets.errors import ImportInterruptedError
from annotation.datasets.models import Dataset, ImportJob, ImportProblem
from annotation.formats import Problem, detect_layout
from annotation.formats.reading import AUTO, MEDGEN_BENCH
from annotation.people.models import User
from annotation.work.models import Job
from annotation.work.services import take_over

SCRATCH_SECONDS = 24 * 3600
INTERRUPTED = "Interrupted before its end; what was committed stays. A later import took over."
OVERTAKEN = "another import into this dataset started; run this one again when it is done"


@dataclass
class ImportSummary:
    """What an import did, or would do when it was a dry run (then there is no job).

    quarantined: images of new and changed lines that wait for a curator's verdict; not counted in a dry run.
    """

    layout: str = ""
    job: ImportJob | None = None
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    quarantined: int = 0
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
def start_job(
    *, kind: str, dataset: Dataset, path: Path, layout: str, actor: User | None, job: Job | None = None
) -> ImportJob:
    """Open an import; one of the same kind and dataset that still runs is taken over."""
    left_over = ImportJob.objects.filter(kind=kind, dataset=dataset, state=ImportJob.State.RUNNING)
    taken = list(Job.objects.open().filter(imports__in=left_over))
    for other in taken:
        take_over(other)  # before the trail is held: who writes a chunk holds the chunk first, then the trail
    hold()
    ImportJob.objects.filter(Q(state=ImportJob.State.RUNNING) | Q(job__in=taken), kind=kind, dataset=dataset).update(
        state=ImportJob.State.FAILED, failure=INTERRUPTED, finished_at=timezone.now()
    )
    opened = ImportJob.objects.create(
        kind=kind,
        dataset=dataset,
        layout=layout,
        name_digest=_name_digest(path),
        file_sha256=_content_digest(path),
        requested_by=actor,
        job=job,
    )
    record("import started", actor=actor, subject=opened, kind=kind, layout=layout)
    return opened


def store_problem_rows(job: ImportJob, rows: list[dict[str, Any]]) -> None:
    """Keep problems that were put aside; what is too long is shortened."""
    ImportProblem.objects.bulk_create(
        ImportProblem(
            job=job,
            file=_shortened(row["file"], 300),
            line=row["line"],
            field=_shortened(row["field"], 100),
            value=_shortened(row["value"], 200),
            rule=_shortened(row["rule"], 500),
            fatal=row["fatal"],
        )
        for row in rows
    )


def _shortened(value: object, characters: int) -> str:
    text = "" if value is None else str(value)
    return Truncator(text.replace("\x00", "␀")).chars(characters)


@transaction.atomic
def finish_job(job: ImportJob, *, actor: User | None) -> None:
    """Close an import with the counts its chunks made.

    Raises:
        ImportInterruptedError: another import took over.
    """
    running = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.RUNNING)
    if not running.update(state=ImportJob.State.DONE, finished_at=timezone.now()):
        raise ImportInterruptedError(OVERTAKEN)
    job.refresh_from_db()
    counts = {name: getattr(job, name) for name in ImportSummary().counts()}
    record("import finished", actor=actor, subject=job, **counts, quarantined=job.quarantined)


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
