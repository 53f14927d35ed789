"""Holding a chunk: claim, extend, close, give back, give up.

Every step is one conditional UPDATE on the chunk's fence, the same statement on SQLite and PostgreSQL; the database's
clock decides when a lease is over. Whoever claims a chunk raises its fence, so an earlier holder that was only slow
can no longer close it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from annotation.work.ending import settle
from annotation.work.errors import CanceledError, FencedOutError
from annotation.work.kinds import ChunkPlan, Payload, find_kind, known_kinds
from annotation.work.models import Chunk, Job
from annotation.work.poking import is_dead

LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 5
SPLIT_AFTER = 2
CANDIDATES = 8
PLAN = "plan"
OPEN = (Chunk.State.QUEUED, Chunk.State.RUNNING)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """A chunk in the hands of one worker."""

    pk: int
    fence: int
    job: Job
    payload: Payload
    units: int
    attempts: int

    @property
    def is_plan(self) -> bool:
        return PLAN in self.payload

    @property
    def mine(self) -> QuerySet[Chunk]:
        """The row, as long as this worker holds it."""
        return Chunk.objects.filter(pk=self.pk, fence=self.fence, state=Chunk.State.RUNNING)


def in_(duration: timedelta) -> "ExpressionWrapper[Any]":
    """A moment from now by the database's clock."""
    return ExpressionWrapper(Now() + duration, output_field=DateTimeField())


def claimable(job: Job | None = None) -> QuerySet[Chunk]:
    """What may be taken now: the fewest attempts first, then in turns over all jobs, so that none is kept waiting."""
    earlier = Chunk.objects.filter(job=OuterRef("job"), position__lt=OuterRef("position"), state__in=OPEN)
    older = Job.objects.open().filter(
        kind=OuterRef("job__kind"), subject_id=OuterRef("job__subject_id"), created_at__lt=OuterRef("job__created_at")
    )
    kinds = known_kinds().values()
    in_order = Q(units=0) | Q(job__kind__in=[kind.name for kind in kinds if kind.sequential])
    alone = Q(job__kind__in=[kind.name for kind in kinds if kind.exclusive])
    due = Q(state=Chunk.State.QUEUED) & (Q(lease_until=None) | Q(lease_until__lte=Now()))
    abandoned = Q(state=Chunk.State.RUNNING, lease_until__lt=Now())
    chunks = Chunk.objects.filter(
        due | abandoned,
        job__state__in=[Job.State.QUEUED, Job.State.RUNNING],
        job__cancel_requested=False,
        job__kind__in=[kind.name for kind in kinds],
    )
    chunks = chunks.filter(job=job) if job is not None else chunks.exclude(alone & Q(Exists(older)))
    return (
        chunks.exclude(Exists(earlier.filter(units=0)))
        .exclude(in_order & Q(Exists(earlier)))
        .order_by("attempts", "position", "job__created_at")
    )


def claim(owner: str, *, job: Job | None = None) -> Held | None:
    """Take one chunk, or None when nothing may be taken now."""
    while True:
        candidates = list(claimable(job).select_related("job")[:CANDIDATES])
        if not candidates:
            return None
        for chunk in candidates:
            if chunk.attempts >= MOST_ATTEMPTS:
                _give_up_abandoned(chunk)
            elif chunk.attempts >= SPLIT_AFTER and _split(chunk):
                continue
            elif (held := _take(chunk, owner)) is not None:
                return held


def _take(chunk: Chunk, owner: str) -> Held | None:
    still = Chunk.objects.filter(pk=chunk.pk, fence=chunk.fence, state=chunk.state)
    taken = still.update(
        state=Chunk.State.RUNNING,
        owner=owner,
        lease_until=in_(LEASE),
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        started_at=Now(),
    )
    if not taken:
        return None
    if chunk.job.state == Job.State.QUEUED:
        Job.objects.filter(pk=chunk.job_id, state=Job.State.QUEUED).update(state=Job.State.RUNNING, started_at=Now())
    return Held(chunk.pk, chunk.fence + 1, chunk.job, chunk.payload, chunk.units, chunk.attempts + 1)


def extend(held: Held) -> bool:
    """Hold a chunk for another while; False when it is no longer held."""
    return held.mine.update(lease_until=in_(LEASE)) == 1


def confirm(held: Held) -> None:
    """Go on only if the chunk is still held and its job still wanted.

    Raises:
        FencedOutError: somebody else holds it.
        CanceledError: the job was canceled.
    """
    canceled = held.mine.values_list("job__cancel_requested", flat=True).first()
    if canceled is None:
        raise FencedOutError
    if canceled:
        raise CanceledError


def close(held: Held, commit: Callable[[], Payload | None]) -> None:
    """Write what a chunk made, and that it is done, in one transaction.

    Raises:
        FencedOutError: somebody else holds it; nothing is written.
    """
    with transaction.atomic():
        done = held.mine.update(state=Chunk.State.DONE, finished_at=Now(), error="", lease_until=None)
        if not done:
            raise FencedOutError
        result = commit()
        if result:
            Chunk.objects.filter(pk=held.pk).update(result=result)
        settle(held.job.pk)


def give_back(held: Held, *, reason: str = "", wait: timedelta | None = None, counted: bool = True) -> None:
    """Let somebody take the chunk again, at once or after a while."""
    changes: dict[str, Any] = {"state": Chunk.State.QUEUED, "owner": "", "error": reason[:2000]}
    changes["lease_until"] = in_(wait) if wait is not None else None
    if not counted:
        changes["attempts"] = held.attempts - 1
    held.mine.update(**changes)


def give_up(held: Held, reason: str) -> bool:
    """Mark a chunk failed with its reason; False when it is no longer held."""
    return _fail(held.mine, held.job, held.payload, reason)


def leave_canceled(held: Held) -> None:
    """Mark a chunk canceled because its job was."""
    with transaction.atomic():
        if held.mine.update(state=Chunk.State.CANCELED, finished_at=Now(), lease_until=None):
            settle(held.job.pk)


def _give_up_abandoned(chunk: Chunk) -> None:
    words = chunk.error or "whatever worked on it ended without a word"
    reason = f"Given up after {chunk.attempts} attempts: {words}."
    still = Chunk.objects.filter(pk=chunk.pk, fence=chunk.fence, state=chunk.state)
    _fail(still, chunk.job, chunk.payload, reason)


def _fail(rows: QuerySet[Chunk], job: Job, payload: Payload, reason: str) -> bool:
    kind = find_kind(job.kind)
    if kind.names is not None and PLAN not in payload:
        reason = f"{kind.names(payload)}: {reason}"
    with transaction.atomic():
        failed = rows.update(
            state=Chunk.State.FAILED, finished_at=Now(), error=reason[:2000], lease_until=None, fence=F("fence") + 1
        )
        if not failed:
            return False
        if kind.failed is not None and PLAN not in payload:
            kind.failed(job, payload, reason)
        settle(job.pk)
    return True


def _split(chunk: Chunk) -> bool:
    """A chunk that keeps killing its worker is cut up, so that only the guilty part fails; False if it cannot be."""
    kind = find_kind(chunk.job.kind)
    parts: list[ChunkPlan] = list(kind.split(chunk.payload)) if kind.split and PLAN not in chunk.payload else []
    if len(parts) < 2:
        return False
    with transaction.atomic():
        first, *others = parts
        still = Chunk.objects.filter(pk=chunk.pk, fence=chunk.fence, state=chunk.state)
        cut = still.update(
            payload=first.payload, units=first.units, state=Chunk.State.QUEUED, attempts=0, fence=F("fence") + 1,
            lease_until=None, owner="",
        )  # fmt: skip
        if not cut:
            return False
        Job.objects.select_for_update().get(pk=chunk.job_id)
        append(chunk.job_id, others)
    return True


def append(job_id: UUID, plans: list[ChunkPlan]) -> None:
    """Add chunks behind the last one of a job; call it while the job or one of its barriers is held."""
    last = Chunk.objects.filter(job=job_id).order_by("-position").values_list("position", flat=True).first()
    at = -1 if last is None else last
    Chunk.objects.bulk_create(
        Chunk(job_id=job_id, position=at + number, payload=plan.payload, units=plan.units)
        for number, plan in enumerate(plans, start=1)
    )


def free_the_dead() -> None:
    """End the leases of processes of this host that are gone, and of canceled jobs whose worker is."""
    running = Chunk.objects.filter(state=Chunk.State.RUNNING)
    for owner in set(running.values_list("owner", flat=True)):
        if is_dead(owner):
            running.filter(owner=owner, lease_until__gt=Now()).update(lease_until=Now())
    for chunk in running.filter(lease_until__lte=Now(), job__cancel_requested=True).select_related("job"):
        leave_canceled(Held(chunk.pk, chunk.fence, chunk.job, chunk.payload, chunk.units, chunk.attempts))
