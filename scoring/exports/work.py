"""Score sheets as queued work: one chunk that writes the file; the row appears when the chunk is closed."""

import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from annotation.people.models import User
from annotation.studies.models import Study
from annotation.systems.models import datasets_read_by
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Job
from annotation.work.services import enqueue
from scoring.exports.models import ExportJob
from scoring.exports.services import remember, write_sheet

KIND = "workbook"


def folder() -> Path:
    return Path(settings.MEDGEN_HOME) / "exports"


def stored_path(export: ExportJob) -> Path:
    """Where a sheet that was made as a job lies, by its checksum."""
    return folder() / f"{export.file_sha256}.xlsx"


def ask_for_workbook(*, study: Study, actor: User) -> Job:
    """Ask for the score sheet as of now; one that is being made for this person is given instead."""
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        mine = Job.objects.open().filter(kind=KIND, subject_id=str(study.pk), requested_by=actor)
        waiting = mine.filter(cancel_requested=False).first()
        if waiting is not None:
            return waiting
        return enqueue(
            kind=KIND,
            title=f"Score sheet of {study.name}",
            parameters={"study": str(study.pk)},
            requested_by=actor,
            subject=study,
            chunks=[ChunkPlan({}, 1)],
        )


def _run(job: Job, payload: Payload) -> Commit:
    """Write the file under its checksum; that it exists is remembered in the transaction that closes the chunk."""
    study = Study.objects.select_related("release__dataset").get(pk=job.parameters["study"])
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder() / f".{secrets.token_hex(8)}.part"
    try:
        written = write_sheet(study=study, draft=draft, actor=job.requested_by)
        draft.replace(folder() / f"{written.digest}.xlsx")
    finally:
        draft.unlink(missing_ok=True)

    def commit() -> Payload:
        export = remember(written, actor=job.requested_by, job=job)
        url = reverse("scoring:export-download", args=[study.slug, export.pk])
        Job.objects.filter(pk=job.pk).update(result={"url": url, "label": "Download the score sheet"})
        return {"export": str(export.pk)}

    return commit


def _hidden(user: User) -> Q:
    """Sheets of studies on what this person still reads blind."""
    blind = Study.objects.filter(release__dataset__in=datasets_read_by(user)).values_list("pk", flat=True)
    return Q(subject_id__in=[str(pk) for pk in blind])


register(KIND, run=_run, hidden=_hidden, label="Score sheet", unit="files")
