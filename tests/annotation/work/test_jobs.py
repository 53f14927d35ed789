"""A job is planned, done in chunks, stopped, taken up again; what fails fails alone, with its reason."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.audit.models import Event
from annotation.datasets.models import Dataset
from annotation.work import executor, kinds, leases, services
from annotation.work.errors import WorkError
from annotation.work.executor import drain
from annotation.work.kinds import ChunkPlan
from annotation.work.models import Chunk, Job
from annotation.work.progress import progress_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def counting():
    """A kind that makes one dataset per number; odd numbers of `bad` fail."""
    done: list[int] = []

    def run(job, payload):
        executor.checkpoint()
        number = payload["number"]
        done.append(number)
        if number in job.parameters.get("bad", []):
            raise ValueError(f"number {number} cannot be done")
        return lambda: Dataset.objects.create(slug=f"n{number}", name="n") and {"made": number}

    def plan(job):
        return [ChunkPlan({"number": number}) for number in range(job.parameters["n"])]

    kinds.known_kinds()
    kinds.register("counting", run=run, plan=plan, unit="numbers", label="Counting")
    yield done
    kinds._kinds.pop("counting")


def ask(actor=None, **parameters) -> Job:
    return services.enqueue(kind="counting", title="Count", parameters=parameters, requested_by=actor)


def made() -> list[str]:
    return sorted(Dataset.objects.values_list("slug", flat=True))


def test_a_job_is_planned_and_done(counting):
    job = ask(n=3)

    drain()

    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert made() == ["n0", "n1", "n2"]
    progress = progress_of(job)
    assert (progress.done_units, progress.units, progress.failed_units) == (3, 3, 0)
    assert sorted(result["made"] for result in job.chunks.exclude(result={}).values_list("result", flat=True)) == [
        0,
        1,
        2,
    ]


def test_a_chunk_that_fails_fails_alone_with_its_reason(counting):
    job = ask(n=3, bad=[1])

    drain()

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert made() == ["n0", "n2"]
    failed = job.chunks.get(state=Chunk.State.FAILED)
    assert failed.error == "ValueError: number 1 cannot be done"
    assert "number 1 cannot be done" in job.failure


def test_a_failed_job_goes_on_with_what_failed_only(counting):
    job = ask(n=3, bad=[1])
    drain()
    Job.objects.filter(pk=job.pk).update(parameters={"n": 3})
    job.refresh_from_db()
    counting.clear()

    services.resume(job, None)
    drain()

    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert counting == [1]
    assert made() == ["n0", "n1", "n2"]


def test_a_job_stops_and_goes_on(counting):
    job = ask(n=4)
    drain(max_chunks=3)
    services.cancel(job, None)
    drain()
    job.refresh_from_db()
    assert job.state == Job.State.CANCELED
    assert made() == ["n0", "n1"]

    services.resume(job, None)
    drain()

    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert made() == ["n0", "n1", "n2", "n3"]
    assert set(Event.objects.filter(subject_id=str(job.pk)).values_list("verb", flat=True)) == {
        "job requested", "job canceled", "job resumed"
    }  # fmt: skip


def test_a_job_that_is_over_is_not_stopped(counting):
    job = ask(n=1)
    drain()

    with pytest.raises(WorkError, match="done already"):
        services.cancel(job, None)
    with pytest.raises(WorkError, match="done already"):
        services.resume(job, None)


def test_a_slow_worker_that_lost_its_chunk_writes_nothing(counting):
    ask(n=1)
    drain(max_chunks=1)
    slow = leases.claim("slow")
    assert slow is not None
    Chunk.objects.filter(pk=slow.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    fast = leases.claim("fast")
    assert fast is not None
    leases.close(fast, lambda: None)

    with pytest.raises(leases.FencedOutError):
        leases.close(slow, lambda: Dataset.objects.create(slug="doubled", name="n"))

    assert not Dataset.objects.filter(slug="doubled").exists()


def test_a_chunk_whose_worker_dies_every_time_is_given_up_after_five_attempts(counting):
    job = ask(n=2)
    drain(max_chunks=1)
    poisoned = job.chunks.get(payload={"number": 0})
    for _ in range(leases.MOST_ATTEMPTS):
        Chunk.objects.filter(job=job).exclude(pk=poisoned.pk).update(state=Chunk.State.DONE)
        assert leases.claim("dies") is not None
        Chunk.objects.filter(pk=poisoned.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    drain()

    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.attempts) == (Chunk.State.FAILED, 5)
    assert "Given up after 5 attempts" in poisoned.error


def test_nobody_takes_a_chunk_that_is_held(counting):
    ask(n=1)
    drain(max_chunks=1)
    assert leases.claim("first") is not None

    assert leases.claim("second") is None
    assert drain() == 0


def test_a_person_sees_the_own_jobs_and_an_operator_all(counting, curator, other_curator, operator, sign_in):
    job = ask(curator, n=1)
    page = reverse("annotation:job-detail", args=[job.pk])

    assert sign_in(curator).get(page).status_code == 200
    assert sign_in(operator).get(page).status_code == 200
    assert sign_in(other_curator).get(page).status_code == 404
    assert "Count" in sign_in(curator).get(reverse("annotation:job-list")).content.decode()
    assert "No jobs" in sign_in(other_curator).get(reverse("annotation:job-list")).content.decode()


def test_the_pages_stop_a_job_and_let_it_go_on(counting, curator, sign_in):
    job = ask(curator, n=2)
    client = sign_in(curator)

    assert client.post(reverse("annotation:job-cancel", args=[job.pk])).status_code == 302
    assert client.post(reverse("annotation:job-cancel", args=[job.pk])).status_code == 409
    assert client.post(reverse("annotation:job-resume", args=[job.pk])).status_code == 302
    drain()
    fragment = client.get(reverse("annotation:job-progress", args=[job.pk])).content.decode()
    assert "2 of 2 numbers" in fragment
    assert "hx-get" not in fragment


def test_the_number_of_queries_of_the_list_does_not_grow(counting, curator, sign_in, django_assert_num_queries):
    client = sign_in(curator)
    ask(curator, n=1)
    page = reverse("annotation:job-list")
    with django_assert_num_queries(6):
        client.get(page)
    for _ in range(30):
        ask(curator, n=1)
    with django_assert_num_queries(6):
        client.get(page)
