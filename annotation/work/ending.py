"""How a job ends: when its last chunk does, in the same transaction."""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from annotation.work.kinds import find_kind
from annotation.work.models import Chunk, Job

log = logging.getLogger(__name__)


def settle(job_id: UUID) -> None:
    """End a job none of whose chunks is open. Call it inside the transaction that changed a chunk.

    The row of the job is locked first, so that of two workers that close the last two chunks one sees the other's.
    """
    job = Job.objects.select_for_update().get(pk=job_id)
    if not job.is_open or job.chunks.filter(state__in=[Chunk.State.QUEUED, Chunk.State.RUNNING]).exists():
        return
    counts = job.chunks.aggregate(
        failed=Count("pk", Q(state=Chunk.State.FAILED)), canceled=Count("pk", Q(state=Chunk.State.CANCELED))
    )
    if counts["failed"]:
        first = job.chunks.filter(state=Chunk.State.FAILED).values_list("error", flat=True)[0]
        more = f" (and {counts['failed'] - 1} more parts)" if counts["failed"] > 1 else ""
        job.state, job.failure = Job.State.FAILED, f"{first}{more}"
    elif counts["canceled"]:
        job.state, job.failure = Job.State.CANCELED, ""
    else:
        job.state, job.failure = Job.State.DONE, ""
    Job.objects.filter(pk=job_id).update(state=job.state, failure=job.failure, finished_at=Now())
    _finish(job)


def _finish(job: Job) -> None:
    """What the kind does at the end; for a job that failed anyway its failure changes nothing."""
    finish = find_kind(job.kind).finish
    if finish is None:
        return
    if job.state == Job.State.DONE:
        finish(job)
        return
    try:
        with transaction.atomic():
            finish(job)
    except Exception:
        log.exception("%s %s: what follows its end failed", job.kind, job.pk)
