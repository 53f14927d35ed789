"""What imports of items and of outputs share as long work: chunks that count, an end that is told, one at a time.

An import belongs to its dataset: the next one that writes at once takes over from one that was left or is still at
work, one that was asked for on a page waits its turn.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.urls import reverse

from annotation.datasets.errors import DatasetError, ImportInterruptedError
from annotation.datasets.jobs import OVERTAKEN, ImportSummary, fail_job, finish_job, store_problem_rows
from annotation.datasets.models import Dataset, ImportJob
from annotation.datasets.spool import Row, planned_rows, remove_spool
from annotation.formats import Problem
from annotation.people.models import User
from annotation.work.errors import WorkError
from annotation.work.executor import work_off
from annotation.work.kinds import ChunkPlan, Commit, Payload
from annotation.work.leases import PLAN
from annotation.work.models import Chunk, Job
from annotation.work.services import STORED, enqueue

Write = Callable[[ImportJob, list[Row]], dict[str, int]]
Report = Callable[[str, int, int], None]


def problem_row(problem: Problem) -> Row:
    """A problem as it is put aside."""
    return {
        "file": problem.file, "line": problem.line, "field": problem.field, "value": problem.value,
        "rule": problem.rule, "fatal": problem.fatal,
    }  # fmt: skip


def job_title(kind: str, dataset: Dataset) -> str:
    return f"Import of {kind} into {dataset.name}"


def write_here(imported: ImportJob, plans: list[ChunkPlan], *, kind: str, actor: User | None, report: Report) -> None:
    """Write what was planned, chunk by chunk, and wait for it.

    Raises:
        ImportInterruptedError: another import took over; what was committed stays.
        DatasetError: a chunk could not be written, or there is too much for one import.
    """
    if len(plans) > STORED:
        raise DatasetError(f"more than {STORED * 500:,} lines at once: import the file in parts")
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=imported.pk, state=ImportJob.State.RUNNING).exists():
            raise ImportInterruptedError(OVERTAKEN)
        job = enqueue(
            kind=kind,
            title=job_title(imported.kind, imported.dataset),
            parameters={"import": str(imported.pk)},
            requested_by=actor,
            subject=imported.dataset,
            chunks=plans,
        )
        ImportJob.objects.filter(pk=imported.pk).update(job=job)
    total = sum(plan.units for plan in plans if plan.payload["step"] != "problems")

    def after() -> None:
        done = job.chunks.filter(state=Chunk.State.DONE).exclude(payload__step="problems")
        report("writing", done.aggregate(n=Sum("units"))["n"] or 0, total)

    if plans:
        job = work_off(job, after=after)
    else:
        job.refresh_from_db()
    if job.state == Job.State.CANCELED:
        raise ImportInterruptedError(OVERTAKEN)
    if job.state == Job.State.FAILED:
        raise DatasetError(job.failure)


def import_of(job: Job) -> ImportJob | None:
    """The import a job writes; None before its plan was begun."""
    return ImportJob.objects.select_related("dataset", "requested_by").filter(job=job).first()


def run_chunk(job: Job, payload: Payload, writers: dict[str, Write]) -> Commit:
    """Write one file of planned rows; the counts of the import grow in the same transaction."""
    found = ImportJob.objects.select_related("dataset").filter(job=job).first()
    assert found is not None
    imported, rows = found, planned_rows(payload)

    def commit() -> Payload | None:
        running = ImportJob.objects.filter(pk=imported.pk, state=ImportJob.State.RUNNING)
        if payload["step"] == "problems":
            store_problem_rows(imported, rows)
            refused = sum(row["fatal"] for row in rows)
            counts: dict[str, int] = {"refused": refused} if refused else {}
        else:
            counts = writers[payload["step"]](imported, rows)
        changes: dict[str, Any] = {name: F(name) + n for name, n in counts.items()}
        if not running.update(**changes or {"state": ImportJob.State.RUNNING}):
            raise ImportInterruptedError(OVERTAKEN)
        return counts

    return commit


def end_import(job: Job) -> None:
    """Close the import as its job ended, and forget what was planned."""
    imported = import_of(job)
    if imported is None:
        return
    if job.state == Job.State.DONE:
        finish_job(imported, actor=imported.requested_by)
    else:
        own = job.failure and not job.failure.split(":")[0].endswith("Error")
        stopped = f"Stopped by {job.failure.split(':')[0]}." if job.failure else "Stopped by a person."
        fail_job(imported, job.failure if own else stopped, actor=imported.requested_by)
    url = reverse("annotation:import-detail", args=[imported.pk])
    Job.objects.filter(pk=job.pk).update(result={"url": url, "label": "Show what was imported"})
    transaction.on_commit(lambda: remove_spool(imported))


def begin_again(job: Job) -> None:
    """Before a job goes on: plan anew, as the dataset may have changed since; what was written is found unchanged.

    Raises:
        WorkError: the import was made by a command, which is run again instead.
    """
    plan = next((chunk for chunk in job.chunks.all() if PLAN in chunk.payload), None)
    if plan is None:
        raise WorkError("This import was made by a command; run the command again")
    job.chunks.exclude(pk=plan.pk).delete()
    Chunk.objects.filter(pk=plan.pk).update(state=Chunk.State.CANCELED)
    imported = import_of(job)
    if imported is not None:
        imported.problems.all().delete()
        ImportJob.objects.filter(pk=imported.pk).update(
            state=ImportJob.State.RUNNING, failure="", finished_at=None,
            new=0, changed=0, unchanged=0, refused=0, quarantined=0,
        )  # fmt: skip


def summary_counts(summary: ImportSummary, imported: ImportJob) -> None:
    """Take over the counts that were written."""
    imported.refresh_from_db()
    for name in [*summary.counts(), "quarantined"]:
        setattr(summary, name, getattr(imported, name))
