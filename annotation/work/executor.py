"""Doing the work: take a chunk, run it, close it, until nothing is left to take.

`drain` is all that an engine calls; it may be called at any time, from any process, as often as one likes.
"""

import contextvars
import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from annotation.work import leases
from annotation.work.errors import AwayError, CanceledError, FencedOutError, StopWorkError
from annotation.work.kinds import Commit, find_kind
from annotation.work.leases import Held
from annotation.work.models import Chunk, Job
from annotation.work.poking import owner_name

BEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0
PLANNED = 500
LONGEST_WAIT = timedelta(minutes=1)
RETRIED = (OperationalError, InterfaceError, IntegrityError, AwayError)
RETRIED_FILES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
log = logging.getLogger(__name__)

StopCheck = Callable[[], bool]
AfterChunk = Callable[[], None]


class Hold:
    """The chunk this thread works on, and when its job was last asked about."""

    def __init__(self, held: Held, stop: StopCheck | None) -> None:
        self.held, self.stop, self.looked = held, stop, time.monotonic()


_hold: contextvars.ContextVar[Hold | None] = contextvars.ContextVar("hold", default=None)


def checkpoint() -> None:
    """Call it between items of a chunk: it ends the chunk when the job was canceled or the worker must stop.

    Outside a job it does nothing; the database is asked at most once a second.
    """
    hold = _hold.get()
    if hold is None:
        return
    if hold.stop is not None and hold.stop():
        raise StopWorkError
    if time.monotonic() - hold.looked >= LOOK_SECONDS:
        hold.looked = time.monotonic()
        leases.confirm(hold.held)


class Heart:
    """Extends the lease of the chunk in hand from a thread with its own connection, while the block runs."""

    def __init__(self) -> None:
        self.held: Held | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(self, *trace: object) -> None:
        self._over.set()
        self._thread.join(timeout=25)

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS):
                held = self.held
                if held is not None:
                    self._extend(held)
        finally:
            connection.close()

    def _extend(self, held: Held) -> None:
        try:
            leases.extend(held)
        except DatabaseError as problem:
            log.warning("the lease of a chunk could not be extended: %s", problem)
            connection.close()


def drain(
    *,
    max_chunks: int | None = None,
    owner: str | None = None,
    job: Job | None = None,
    stop: StopCheck | None = None,
    after: AfterChunk | None = None,
    strict: bool = False,
) -> int:
    """Work until nothing can be taken; returns how many chunks were taken.

    Args:
        max_chunks: stop after so many.
        owner: who holds the leases; by default this process.
        job: only chunks of this job.
        stop: asked between chunks and items; True ends the work, the chunk in hand goes back.
        after: called after each chunk.
        strict: an unexpected failure ends the job and is raised; for a person who waits at a command.
    """
    done = 0
    leases.free_the_dead()
    with Heart() as heart:
        while (max_chunks is None or done < max_chunks) and not (stop is not None and stop()):
            held = leases.claim(owner or owner_name(), job=job)
            if held is None:
                break
            heart.held = held
            try:
                _work_on(held, stop, strict=strict)
            finally:
                heart.held = None
            done += 1
            if after is not None:
                after()
    return done


def work_off(job: Job, *, after: AfterChunk | None = None, stop: StopCheck | None = None) -> Job:
    """Do a job here and now, beside whoever else works on it; returns it when it is over or `stop` says so.

    A failure is raised as it happened, with the job marked failed.
    """
    while True:
        drain(job=job, after=after, stop=stop, strict=True)
        job.refresh_from_db()
        if not job.is_open or (stop is not None and stop()):
            return job
        time.sleep(0.1)


def _work_on(held: Held, stop: StopCheck | None, *, strict: bool) -> None:
    try:
        with _in_hand(held, stop):
            commit = _plan(held) if held.is_plan else find_kind(held.job.kind).run(held.job, held.payload)
            leases.close(held, commit)
    except FencedOutError:
        log.info("chunk %s was taken over; its work is dropped", held.pk)
    except CanceledError:
        leases.leave_canceled(held)
    except (StopWorkError, KeyboardInterrupt, SystemExit):
        leases.give_back(held, counted=False)
        raise
    except Exception as problem:
        if strict:
            _end_in_failure(held, problem)
            raise
        _after_failure(held, problem)


@contextmanager
def _in_hand(held: Held, stop: StopCheck | None) -> Iterator[None]:
    token = _hold.set(Hold(held, stop))
    try:
        yield
    finally:
        _hold.reset(token)


def _plan(held: Held) -> Commit:
    """Store the chunks of a job in transactions of at most 500; none of them is taken before the last one is in."""
    plan = find_kind(held.job.kind).plan
    assert plan is not None
    chunks = list(plan(held.job))
    with transaction.atomic():
        leases.confirm(held)
        Chunk.objects.filter(job=held.job).exclude(pk=held.pk).delete()
    for at in range(0, len(chunks) - PLANNED, PLANNED):
        with transaction.atomic():
            if not leases.extend(held):
                raise FencedOutError
            leases.append(held.job.pk, chunks[at : at + PLANNED])
    rest = chunks[max(0, (len(chunks) - 1) // PLANNED) * PLANNED :]
    return lambda: leases.append(held.job.pk, rest)


def _after_failure(held: Held, problem: Exception) -> None:
    """Trouble of the machine is tried again, later each time; everything else fails with its reason."""
    if isinstance(problem, DatabaseError) and not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    if is_trouble(problem) and held.attempts < leases.MOST_ATTEMPTS:
        log.warning("chunk %s: %s; tried again later", held.pk, reason_of(problem))
        wait = min(timedelta(seconds=2**held.attempts), LONGEST_WAIT)
        leases.give_back(held, reason=reason_of(problem), wait=wait)
        return
    log.exception("chunk %s of job %s failed", held.pk, held.job.pk)
    leases.give_up(held, reason_of(problem))


def _end_in_failure(held: Held, problem: Exception) -> None:
    """Give up the chunk and leave the rest of its job undone."""
    with transaction.atomic():
        Chunk.objects.filter(job=held.job, state=Chunk.State.QUEUED).update(state=Chunk.State.CANCELED)
        leases.give_up(held, reason_of(problem))


def is_trouble(problem: Exception) -> bool:
    """True for what may go by itself: a held database, a full disk, a lost connection, a lost race."""
    if isinstance(problem, OSError):
        return problem.errno in RETRIED_FILES
    return isinstance(problem, RETRIED)


def reason_of(problem: Exception) -> str:
    """A failure in words; an unexpected one carries the name of its kind."""
    said = str(problem).strip()
    own = type(problem).__module__.startswith(("annotation.", "scoring."))
    return said if own and said else f"{type(problem).__name__}: {said}"[:500].rstrip(": ")
