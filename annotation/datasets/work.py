"""Import of items as long work: planned from an upload that a person confirmed, written chunk by chunk."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction

from annotation.datasets.chunked import begin_again, end_import, import_of, job_title, run_chunk
from annotation.datasets.errors import ImportRefusedError
from annotation.datasets.importing import KIND, plan_items, read_all, refuse_whom_it_hides_from
from annotation.datasets.jobs import ImportSummary, layout_said, scratch_folder, start_job
from annotation.datasets.models import Dataset, ImportJob
from annotation.datasets.pictures import Pictures
from annotation.datasets.services import check_slug, get_or_create_dataset
from annotation.datasets.uploads import Upload, discard_upload, find_upload
from annotation.datasets.writing import write_items
from annotation.imaging.sandbox import Decoder
from annotation.people.models import User
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Job
from annotation.work.services import enqueue

GONE = "the upload is no longer there: it was given up or is too old; choose the file again"
Plan = Callable[[list[object], ImportJob, Pictures, ImportSummary], list[ChunkPlan]]


def ask_for_items(*, upload: Upload, actor: User) -> Job:
    """Have an upload imported that was looked at.

    Raises:
        DatasetError: it cannot go where it should.
    """
    check_slug(upload.said["slug"])
    there = Dataset.objects.filter(slug=upload.said["slug"]).first()
    if there is not None:
        refuse_whom_it_hides_from(there, actor)
    with transaction.atomic():
        dataset = get_or_create_dataset(slug=upload.said["slug"], actor=actor)
        return ask(upload=upload, actor=actor, dataset=dataset, kind=KIND, of="items")


def ask(*, upload: Upload, actor: User, dataset: Dataset, kind: str, of: str) -> Job:
    """One job for an upload, however often it is confirmed."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    known = Job.objects.filter(kind=kind, parameters__upload=upload.id).first()
    if known is not None:
        return known
    return enqueue(
        kind=kind,
        title=job_title(of, dataset),
        parameters={"upload": upload.id},
        requested_by=actor,
        subject=dataset,
    )


def plan_upload(job: Job, *, of: str, plan: Plan) -> list[ChunkPlan]:
    """Read the upload behind a job, open its import, and put aside what is to be written.

    Raises:
        DatasetError: it is gone, or cannot be read.
    """
    actor = job.requested_by
    upload = find_upload(job.parameters["upload"], owner=actor, kind=of) if actor is not None else None
    if upload is None:
        raise ImportRefusedError(GONE)
    layout: Any = upload.said["layout"]
    summary = ImportSummary(layout=layout_said(upload.path, layout))
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as scratch, Decoder() as decoder:
        outcomes = read_all(
            upload.path, kind="items" if of == "items" else "outputs", layout=layout, images=None,
            scratch=Path(scratch), report=lambda stage, done, total: None,
        )  # fmt: skip
        dataset = Dataset.objects.get(pk=job.subject_id)
        imported = import_of(job) or start_job(
            kind=of, dataset=dataset, path=upload.path, layout=summary.layout, actor=actor, job=job
        )
        pictures = Pictures(decoder, keep=True, prepared=upload.folder / "prepared")
        return plan(outcomes, imported, pictures, summary)


def end_upload(job: Job) -> None:
    """Close the import; an upload whose lines are in is no longer needed."""
    end_import(job)
    actor = job.requested_by
    if job.state != Job.State.DONE or actor is None or "upload" not in job.parameters:
        return
    for of in ImportJob.Kind.values:
        upload = find_upload(job.parameters["upload"], owner=actor, kind=of)
        if upload is not None:
            transaction.on_commit(partial(discard_upload, upload))


def _plan(job: Job) -> list[ChunkPlan]:
    def plan(
        outcomes: list[object], imported: ImportJob, pictures: Pictures, summary: ImportSummary
    ) -> list[ChunkPlan]:
        return plan_items(outcomes, imported, pictures, summary=summary, actor=job.requested_by)

    return plan_upload(job, of="items", plan=plan)


def _run(job: Job, payload: Payload) -> Commit:
    return run_chunk(job, payload, {"rows": write_items})


register(
    KIND,
    plan=_plan,
    run=_run,
    finish=end_upload,
    resume=begin_again,
    label="Import of items",
    unit="lines",
    sequential=True,
    exclusive=True,
)
