"""Import of outputs as long work: planned from an upload that a person confirmed, written chunk by chunk."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from annotation.datasets.chunked import begin_again, run_chunk
from annotation.datasets.errors import ImportRefusedError
from annotation.datasets.jobs import ImportSummary
from annotation.datasets.models import ImportJob
from annotation.datasets.pictures import Pictures
from annotation.datasets.uploads import Upload, find_upload
from annotation.datasets.work import GONE, ask, end_upload, plan_upload
from annotation.people.models import User
from annotation.systems.importing import KIND, Destination, destination, plan_outputs, refuse_whom_it_hides_from
from annotation.systems.models import datasets_read_by
from annotation.systems.writing import write_missing, write_outputs
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Job


def ask_for_outputs(*, upload: Upload, actor: User) -> Job:
    """Have an upload imported that was looked at.

    Raises:
        DatasetError: it cannot go where it should.
    """
    to = _destination(upload.said)
    refuse_whom_it_hides_from(to.dataset, actor)
    with transaction.atomic():
        return ask(upload=upload, actor=actor, dataset=to.dataset, kind=KIND, of="outputs")


def _destination(said: dict[str, Any]) -> Destination:
    return destination(
        said["dataset"], said["release"], said["slug"], said["kind"], name=said["name"], version=said["version"]
    )


def _plan(job: Job) -> list[ChunkPlan]:
    actor = job.requested_by
    upload = find_upload(job.parameters["upload"], owner=actor, kind="outputs") if actor is not None else None
    if upload is None:
        raise ImportRefusedError(GONE)
    to = _destination(upload.said)
    refuse_whom_it_hides_from(to.dataset, actor)

    def plan(
        outcomes: list[object], imported: ImportJob, pictures: Pictures, summary: ImportSummary
    ) -> list[ChunkPlan]:
        return plan_outputs(outcomes, imported, pictures, to=to, summary=summary, actor=actor)

    return plan_upload(job, of="outputs", plan=plan)


def _run(job: Job, payload: Payload) -> Commit:
    return run_chunk(job, payload, {"rows": write_outputs, "missing": write_missing})


def _hidden(user: User) -> Q:
    """Imports of outputs of what this person still reads blind."""
    return Q(subject_id__in=[str(pk) for pk in datasets_read_by(user).values_list("pk", flat=True)])


register(
    KIND,
    plan=_plan,
    run=_run,
    finish=end_upload,
    resume=begin_again,
    hidden=_hidden,
    label="Import of outputs",
    unit="lines",
    sequential=True,
    exclusive=True,
)
