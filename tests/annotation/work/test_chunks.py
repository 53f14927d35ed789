"""Chunks are claimed once, closed once, given up with a reason; jobs are canceled and resumed."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from annotation.audit.models import Event
from annotation.datasets.models import Dataset
from annotation.work import leases, services
from annotation.work.errors import FencedOutError, WorkError
from annotation.work.executor import drain, work_off
from annotation.work.kinds import ChunkPlan, UnknownKindError, register
from annotation.work.models import Chunk, Job
from annotation.work.progress import progress_of
from tests.annotation.work.errands import register_errands

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def errands():
    register_errands()


def ask(n: int = 3, *, kind: str = "errand", title: str = "a", **parameters) -> Job:
    return services.enqueue(kind=kind, title=title, parameters={"n": n} | parameters, requested_by=None)


def made() -> list[str]:
    return sorted(Dataset.objects.values_list("slug", flat=True))


def states(job: Job) -> list[str]:
    return list(job.chunks.filter(units__gt=0).order_by("position").values_list("state", flat=True))


def abandon(chunks) -> None:
    """As if whatever held them had died long ago."""
    chunks.update(lease_until=timezone.now() - timedelta(hours=1), owner="elsewhere:1")


def test_a_job_is_planned_worked_off_and_done():
    job = ask(3, size=2)

    taken = drain()

    job.refresh_from_db()
    assert taken == 3  # the plan and two chunks
    assert (job.state, made()) == ("done", ["a-0", "a-1", "a-2"])
    assert job.started_at <= job.finished_at
    assert [chunk.result for chunk in job.chunks.filter(units__gt=0)] == [{"made": 2}, {"made": 1}]
    assert drain() == 0


def test_a_doubled_drain_finds_nothing_left_to_do():
    ask(2)
    drain()

    assert drain() == drain(max_chunks=1) == 0
    assert made() == ["a-0", "a-1"]


def test_of_two_claims_of_one_chunk_one_wins():
    ask(1)
    drain(max_chunks=1)
    seen = leases.claimable().select_related("job").get()

    first, second = leases._take(seen, "one:1"), leases._take(seen, "two:2")

    assert first is not None and second is None


def test_a_slow_holder_is_fenced_out_and_writes_nothing():
    job = ask(1)
    drain(max_chunks=1)
    slow = leases.claim("slow:1")
    abandon(job.chunks.filter(pk=slow.pk))
    fast = leases.claim("fast:1")

    with pytest.raises(FencedOutError):
        leases.close(slow, lambda: Dataset.objects.create(slug="slow", name="slow"))
    leases.close(fast, lambda: None)

    assert not Dataset.objects.exists()
    assert not leases.extend(slow)
    job.refresh_from_db()
    assert job.state == "done"


def test_a_chunk_whose_holder_is_alive_is_left_alone_and_one_whose_lease_is_over_is_taken():
    job = ask(1)
    drain(max_chunks=1)
    leases.claim("busy:1")

    assert leases.claim("other:1") is None

    abandon(job.chunks.filter(state="running"))
    assert leases.claim("other:1").attempts == 2


def test_the_lease_of_a_dead_process_of_this_host_is_over_at_once(monkeypatch):
    job = ask(1)
    drain(max_chunks=1)
    leases.claim("here:4711")
    monkeypatch.setattr(leases, "is_dead", lambda owner: owner == "here:4711")

    drain()

    job.refresh_from_db()
    assert job.state == "done"


def test_a_bad_item_fails_its_chunk_with_the_reason_and_the_others_finish():
    job = ask(4, bad=[1])

    drain()

    job.refresh_from_db()
    assert states(job) == ["done", "failed", "done", "done"]
    assert (job.state, job.failure) == ("failed", "ValueError: item 1 is bad")
    assert made() == ["a-0", "a-2", "a-3"]


def test_a_chunk_that_kills_every_holder_is_given_up_after_five_attempts():
    job = ask(2)
    drain(max_chunks=1)
    bad = job.chunks.get(position=2)
    for _ in range(5):
        leases._take(Chunk.objects.select_related("job").get(pk=bad.pk), "gone:1")
        abandon(job.chunks.filter(pk=bad.pk))

    drain()

    bad.refresh_from_db(), job.refresh_from_db()
    assert (bad.state, bad.attempts) == ("failed", 5)
    assert bad.error.startswith("Given up after 5 attempts")
    assert (job.state, made()) == ("failed", ["a-0"])


def test_a_chunk_that_kills_its_holder_is_cut_up_so_that_only_one_item_fails():
    job = ask(4, kind="errand-split", size=4)
    drain(max_chunks=1)
    for _ in range(2):
        leases.claim("gone:1")
        abandon(job.chunks.filter(state="running"))

    drain()

    job.refresh_from_db()
    assert job.state == "done"
    assert [chunk.payload["numbers"] for chunk in job.chunks.filter(units__gt=0)] == [[0], [1], [2], [3]]
    assert made() == ["a-0", "a-1", "a-2", "a-3"]


def test_trouble_of_the_machine_is_tried_again_later_and_given_up_at_last():
    calls = []

    def run(job, payload):
        calls.append(1)
        raise OperationalError("database is locked")

    register("troubled", run=run)
    job = services.enqueue(kind="troubled", title="t", parameters={}, requested_by=None, chunks=[ChunkPlan({}, 1)])

    for _ in range(9):
        drain()
        job.chunks.filter(state="queued").update(lease_until=timezone.now() - timedelta(seconds=1))

    job.refresh_from_db()
    assert len(calls) == 5
    assert (job.state, job.failure) == ("failed", "OperationalError: database is locked")


def test_a_chunk_that_waits_after_trouble_is_not_taken_before_its_time():
    job = ask(1)
    drain(max_chunks=1)
    held = leases.claim("a:1")
    leases.give_back(held, reason="trouble", wait=timedelta(minutes=5))

    assert drain() == 0
    assert job.chunks.get(units=1).error == "trouble"


def test_what_a_chunk_wrote_is_undone_when_its_end_cannot_be_written():
    def finish(job):
        if job.state == "done":
            raise ValueError("cannot end")

    register("ends-badly", run=lambda job, payload: lambda: Dataset.objects.create(slug="x", name="x") and None,
             finish=finish)  # fmt: skip
    job = services.enqueue(kind="ends-badly", title="t", parameters={}, requested_by=None, chunks=[ChunkPlan()])

    drain()

    job.refresh_from_db()
    assert (job.state, job.failure) == ("failed", "ValueError: cannot end")
    assert not Dataset.objects.exists()


def test_chunks_in_order_wait_for_the_one_before_and_jobs_on_one_subject_for_each_other():
    first, second = ask(2, kind="errand-in-order"), ask(2, kind="errand-in-order", title="b")
    drain(max_chunks=1)
    held = leases.claim("a:1")

    assert held.payload == {"numbers": [0]}
    assert leases.claim("b:1") is None

    leases.give_back(held, counted=False)
    drain()
    first.refresh_from_db(), second.refresh_from_db()
    assert first.finished_at <= second.started_at
    assert made() == ["a-0", "a-1", "b-0", "b-1"]


def test_a_new_job_is_not_kept_waiting_by_a_long_one():
    ask(50, title="long")
    drain(max_chunks=20)
    short = ask(1, title="short")

    drain(max_chunks=3)

    short.refresh_from_db()
    assert short.state == "done"


def test_a_plan_that_was_killed_half_way_is_made_anew():
    job = ask(3)
    Chunk.objects.create(job=job, position=1, payload={"numbers": [0]})
    Chunk.objects.create(job=job, position=2, payload={"numbers": [0]})

    drain()

    job.refresh_from_db()
    assert (job.state, made()) == ("done", ["a-0", "a-1", "a-2"])


def test_a_plan_of_many_chunks_is_stored_in_small_transactions():
    job = ask(1201)

    drain(max_chunks=1)

    assert list(job.chunks.order_by("position").values_list("position", flat=True)) == list(range(1202))
    assert progress_of(job).units == 1201


def test_an_empty_plan_ends_the_job():
    job = ask(0)

    drain()

    job.refresh_from_db()
    assert job.state == "done"


def test_cancel_stops_what_waits_and_resume_goes_on_where_it_stopped(operator):
    job = ask(4)
    drain(max_chunks=2)

    canceled = services.cancel(job, operator)
    assert (canceled.state, drain(), made()) == ("canceled", 0, ["a-0"])
    with pytest.raises(WorkError, match="canceled already"):
        services.cancel(job, operator)

    resumed = services.resume(job, operator)
    assert resumed.state == "running"
    drain()
    job.refresh_from_db()
    assert (job.state, made()) == ("done", ["a-0", "a-1", "a-2", "a-3"])
    with pytest.raises(WorkError, match="done already"):
        services.resume(job, operator)
    verbs = list(Event.objects.filter(subject_id=str(job.pk)).order_by("id").values_list("verb", "actor"))
    assert verbs == [("job requested", ""), ("job canceled", str(operator.pk)), ("job resumed", str(operator.pk))]


def test_a_chunk_in_hand_when_its_job_is_canceled_ends_and_leaves_no_zombie(operator):
    job = ask(3)
    drain(max_chunks=1)
    held = leases.claim("a:1")

    assert services.cancel(job, operator).state == "running"
    leases.close(held, lambda: None)

    job.refresh_from_db()
    assert (job.state, states(job)) == ("canceled", ["done", "canceled", "canceled"])


def test_a_job_canceled_while_its_worker_is_dead_ends_when_a_worker_starts(operator):
    job = ask(2)
    drain(max_chunks=1)
    leases.claim("a:1")
    services.cancel(job, operator)
    abandon(job.chunks.filter(state="running"))

    drain()

    job.refresh_from_db()
    assert (job.state, states(job), made()) == ("canceled", ["canceled", "canceled"], [])


def test_a_job_canceled_after_its_worker_died_ends_at_once(operator):
    job = ask(2)
    drain(max_chunks=1)
    leases.claim("a:1")
    abandon(job.chunks.filter(state="running"))

    assert services.cancel(job, operator).state == "canceled"


def test_a_failed_job_tries_again_only_what_failed():
    job = ask(3, bad=[1])
    drain()
    Job.objects.filter(pk=job.pk).update(parameters={"n": 3})

    services.resume(job, None)
    drain()

    job.refresh_from_db()
    assert (job.state, job.failure, made()) == ("done", "", ["a-0", "a-1", "a-2"])


def test_a_job_that_is_taken_over_can_write_nothing_more():
    job = ask(2)
    drain(max_chunks=1)
    held = leases.claim("a:1")

    assert services.take_over(job).state == "canceled"

    with pytest.raises(FencedOutError):
        leases.close(held, lambda: None)


def test_progress_counts_units_and_foresees_the_end():
    job = ask(4, bad=[3])
    planning = progress_of(job)
    drain(max_chunks=3)
    minute = timezone.now().replace(microsecond=0)
    for number, chunk in enumerate(job.chunks.filter(state="done", units=1)):
        Chunk.objects.filter(pk=chunk.pk).update(
            started_at=minute + timedelta(seconds=90 * number),
            finished_at=minute + timedelta(seconds=90 * (number + 1)),
        )

    half = progress_of(job)
    drain()
    job.refresh_from_db()
    end = progress_of(job)

    assert planning.is_planning and planning.seconds_left is None
    assert (half.done_units, half.units, half.seconds_left, half.words_left) == (2, 4, 180.0, "about 3 min left")
    assert (end.done_units, end.failed_units, end.failed_chunks, end.seconds_left) == (3, 1, 1, None)


def test_a_command_hears_the_failure_and_the_job_can_go_on(monkeypatch):
    job = ask(3, bad=[1])

    with pytest.raises(ValueError, match="item 1 is bad"):
        work_off(job)

    job.refresh_from_db()
    assert (job.state, states(job)) == ("failed", ["done", "failed", "canceled"])


def test_an_interrupted_command_gives_its_chunk_back_without_counting_it():
    def interrupted(job, payload):
        raise KeyboardInterrupt

    register("interrupted", run=interrupted)
    job = services.enqueue(kind="interrupted", title="t", parameters={}, requested_by=None, chunks=[ChunkPlan()])

    with pytest.raises(KeyboardInterrupt):
        drain()

    chunk = job.chunks.get()
    assert (chunk.state, chunk.attempts, chunk.owner) == ("queued", 0, "")


def test_an_unknown_kind_and_too_many_parts_are_refused():
    with pytest.raises(UnknownKindError):
        services.enqueue(kind="none such", title="", parameters={}, requested_by=None)
    with pytest.raises(WorkError, match="501 parts at once; at most 500"):
        services.enqueue(kind="errand", title="", parameters={}, requested_by=None, chunks=[ChunkPlan()] * 501)
