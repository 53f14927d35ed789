"""Acts on jobs: ask for one, cancel it, let it go on."""

from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from annotation.audit.record import record
from annotation.people.models import User
from annotation.work import leases
from annotation.work.ending import settle
from annotation.work.errors import WorkError
from annotation.work.kinds import ChunkPlan, find_kind
from annotation.work.models import Chunk, Job
from annotation.work.poking import poke

STORED = 500


@transaction.atomic
def enqueue(
    *,
    kind: str,
    title: str,
    parameters: dict[str, Any],
    requested_by: User | None,
    subject: models.Model | None = None,
    chunks: list[ChunkPlan] | None = None,
) -> Job:
    """Ask for long work; it begins when the surrounding transaction has ended.

    Args:
        kind: one that a room registered.
        title: for people; no name of a patient.
        parameters: what the work needs, as JSON; no name of a patient and no name of a file.
        requested_by: who asked; None for a command.
        subject: what it is about; jobs of an exclusive kind on the same subject wait for each other.
        chunks: at most 500; left out, the kind's plan makes them as the first step.
    """
    found = find_kind(kind)
    if chunks is None and found.plan is None:
        raise WorkError(f"{kind}: has no plan, so its parts must be given")
    if chunks is not None and len(chunks) > STORED:
        raise WorkError(f"{kind}: {len(chunks)} parts at once; at most {STORED}, more come from a plan")
    job = Job.objects.create(
        kind=kind,
        title=title[:200],
        parameters=parameters,
        requested_by=requested_by,
        subject_type=subject._meta.model_name or "" if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
    )
    leases.append(job.pk, [ChunkPlan({leases.PLAN: True}, 0)] if chunks is None else chunks)
    if chunks is not None and not chunks:
        settle(job.pk)
    record("job requested", actor=requested_by, subject=job, kind=kind)
    transaction.on_commit(poke, robust=True)
    return job


@transaction.atomic
def cancel(job: Job, actor: User | None) -> Job:
    """Stop a job: what waits is canceled now, what is being worked on ends within one chunk.

    Raises:
        WorkError: it is over already.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if not job.is_open:
        raise WorkError(f"This job is {job.state} already")
    job.cancel_requested = True
    job.save(update_fields=["cancel_requested"])
    job.chunks.filter(state=Chunk.State.QUEUED).update(state=Chunk.State.CANCELED, finished_at=Now())
    abandoned = job.chunks.filter(state=Chunk.State.RUNNING, lease_until__lte=Now())
    abandoned.update(state=Chunk.State.CANCELED, finished_at=Now(), fence=F("fence") + 1)
    record("job canceled", actor=actor, subject=job)
    settle(job.pk)
    job.refresh_from_db()
    return job


@transaction.atomic
def take_over(job: Job) -> Job:
    """End a job at once, also against a worker that is at it: it can no longer write anything.

    The chunks come before the job, in the order in which a worker that closes one locks them.
    """
    still = job.chunks.filter(state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING])
    still.update(state=Chunk.State.CANCELED, finished_at=Now(), fence=F("fence") + 1)
    Job.objects.open().filter(pk=job.pk).update(cancel_requested=True)
    settle(job.pk)
    job.refresh_from_db()
    return job


@transaction.atomic
def resume(job: Job, actor: User | None) -> Job:
    """Let a canceled or failed job go on: what failed or was canceled is tried again, what is done stays done.

    Raises:
        WorkError: it is done, or still at work.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.is_open and not job.cancel_requested:
        raise WorkError("This job is still at work")
    if job.state == Job.State.DONE:
        raise WorkError("This job is done already")
    again = find_kind(job.kind).resume
    if again is not None:
        again(job)
    left = job.chunks.filter(state__in=[Chunk.State.FAILED, Chunk.State.CANCELED])
    left.update(
        state=Chunk.State.QUEUED, attempts=0, error="", owner="", lease_until=None, finished_at=None,
        fence=F("fence") + 1,
    )  # fmt: skip
    job.state = Job.State.RUNNING if job.started_at else Job.State.QUEUED
    job.cancel_requested, job.failure, job.finished_at = False, "", None
    job.save(update_fields=["state", "cancel_requested", "failure", "finished_at"])
    record("job resumed", actor=actor, subject=job)
    transaction.on_commit(poke, robust=True)
    return job
