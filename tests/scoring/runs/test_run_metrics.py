"""Running metrics: what is missing or stale is computed, everything else is left alone, trouble is typed."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.systems.models import Output, OutputPart
from annotation.work import leases
from annotation.work.executor import drain
from annotation.work.models import Chunk, Job
from scoring.runs.models import MetricRun, MetricSettings, MetricValue
from scoring.runs.services import RECOMMENDED, current_values, present_settings, run_metrics
from scoring.runs.work import ask_for_metrics
from tests import factories
from tests.scoring.world import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission(db):
    """Three answers to one question each: right, wrong, right."""
    for answer in ("Two lesions", "A nodule", "No effusion"):
        factories.item(reference_text=answer)
    release = factories.release()
    made = factories.submission(release, outputs=False)
    texts = ("Two lesions", "Nothing", "no effusion")
    for released, text in zip(release.release_items.all(), texts, strict=True):
        output = Output.objects.create(submission=made, revision=released.revision, status="ok")
        OutputPart.objects.create(output=output, position=0, kind="text", text=text)
    return made


def values(submission, metric: str) -> list[float | str | None]:
    found = current_values(Output.objects.filter(submission=submission)).filter(
        settings__metric=metric, subject="output"
    )
    return [
        row.value if row.value is not None else row.reason for row in found.order_by("output__revision__item__number")
    ]


def test_every_output_gets_a_value_or_a_reason_under_every_metric(submission):
    summary = run_metrics(submissions=[submission])

    assert summary.n_computed == 3
    assert values(submission, "exact_match") == [1.0, 0.0, 1.0]
    assert values(submission, "psnr") == ["not_applicable"] * 3
    assert MetricValue.objects.filter(subject="output").count() == 3 * len(RECOMMENDED)


def test_a_second_run_computes_nothing(submission):
    run_metrics(submissions=[submission])
    before = list(MetricValue.objects.values_list("pk", "computed_at"))

    summary = run_metrics(submissions=[submission])

    assert (summary.n_computed, summary.n_current) == (0, 3)
    assert list(MetricValue.objects.values_list("pk", "computed_at")) == before


def test_a_changed_output_makes_its_values_stale_and_only_it_is_computed_again(submission):
    run_metrics(submissions=[submission])
    old = submission.outputs.get(revision__item__number=1)
    new = Output(submission=submission, revision=old.revision, version=2, status="ok")
    Output.objects.filter(pk=old.pk).update(superseded_by_id=new.pk)  # the key is checked at the end
    new.save(force_insert=True)
    OutputPart.objects.create(output=new, position=0, kind="text", text="Something else")

    stale_excluded = values(submission, "exact_match")
    summary = run_metrics(submissions=[submission])

    assert len(stale_excluded) == 2
    assert summary.n_computed == 1
    assert values(submission, "exact_match") == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("missing", "missing_output"),
        ("unreadable", "missing_output"),
        ("error", "error_output"),
        ("declined", "refused"),
    ],
)
def test_an_output_that_failed_has_a_typed_reason(submission, status, reason):
    output = submission.outputs.first()
    output.parts.all().delete()
    Output.objects.filter(pk=output.pk).update(status=status)

    run_metrics(submissions=[submission])

    assert values(submission, "exact_match")[0] == reason


def test_an_empty_answer_is_wrong_and_not_unknown(submission):
    output = submission.outputs.first()
    output.parts.all().delete()
    Output.objects.filter(pk=output.pk).update(status="empty")

    run_metrics(submissions=[submission])

    assert values(submission, "exact_match")[0] == 0.0


def test_a_picture_without_bytes_is_a_reason_and_stops_nothing():
    world = build(items=2, format="image_editing", systems=1, readers=1)

    summary = run_metrics(submissions=world.submissions)

    assert summary.n_computed == 2
    assert values(world.submissions[0], "ssim") == ["missing_output", "missing_output"]


def test_a_run_that_is_over_its_time_goes_on_where_it_stopped(submission):
    for _ in range(20):
        factories.output(submission, factories.item().current_revision)

    first = run_metrics(submissions=[submission], seconds=0)
    second = run_metrics(submissions=[submission])

    assert first.n_remaining == 7
    assert second.n_computed == 7
    assert set(MetricRun.objects.values_list("state", flat=True)) == {"stopped", "done"}


def test_the_chunks_need_the_same_number_of_queries_for_more_outputs(submission):
    present_settings()
    with CaptureQueriesContext(connection) as few:
        run_metrics(submissions=[submission])
    for _ in range(10):
        factories.output(submission, factories.item().current_revision)
    with CaptureQueriesContext(connection) as more:
        run_metrics(submissions=[submission])

    assert len(more) <= len(few) + 1  # one more statement for the longer insert


def test_settings_are_stored_once_with_everything_that_changes_the_number(submission):
    run_metrics(submissions=[submission])

    row = MetricSettings.objects.get(metric="ssim")
    assert row.parameters["pairing"] == "pair/1"
    assert len(row.settings_hash) == 64


def test_the_command_prints_values_with_reasons_and_aliases(submission):
    call_command("run_metrics", submission.code)
    out = io.StringIO()

    call_command("metric_values", "liver", "--json", stdout=out)

    rows = json.loads(out.getvalue())
    assert len(rows) == 3 * len(RECOMMENDED)
    assert {row["metric"] for row in rows} == set(RECOMMENDED)
    assert all(("value" in row) != ("reason" in row) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SU-9999"], "unknown"),
        ([], "name submissions, or say --all"),
        (["--all", "--metrics", "psnt"], "nearest: psnr"),
    ],
)
def test_the_command_says_what_is_wrong(submission, arguments, words):
    with pytest.raises(CommandError, match=words) as problem:
        call_command("run_metrics", *arguments)

    assert problem.value.returncode == 2


def test_the_page_asks_for_a_job_and_shows_the_values_when_it_is_done(sign_in, submission, coordinator):
    client = sign_in(coordinator)

    asked = client.post(reverse("scoring:metrics-compute", args=[submission.pk]))
    again = client.post(reverse("scoring:metrics-compute", args=[submission.pk]))
    job = Job.objects.get()
    assert asked.headers["Location"] == again.headers["Location"] == job.get_absolute_url()
    assert "No worker is running" in client.get(job.get_absolute_url()).content.decode()
    drain()

    page = client.get(reverse("scoring:metric-list", args=[submission.pk])).content.decode()
    assert "3 of 3 outputs measured" in page
    assert "Exact match" in page
    done = client.get(job.get_absolute_url()).content.decode()
    assert "3 of 3 outputs" in done
    assert "Show the values" in done


def test_a_reader_of_the_release_sees_no_metric_value(sign_in, submission, coordinator):
    study = factories.study(submission.release, submissions=[submission], state="running")
    factories.enroll(study, coordinator)
    client = sign_in(coordinator)

    assert client.get(reverse("scoring:metric-list", args=[submission.pk])).status_code == 404
    assert client.post(reverse("scoring:metrics-compute", args=[submission.pk])).status_code == 404


def test_the_page_of_an_item_shows_metrics_by_system_with_reasons_in_words(submission, curator, sign_in):
    submission.outputs.filter(revision__item__number=2).update(status="error")
    run_metrics(submissions=[submission])
    items = {output.revision.item.number: output.revision.item for output in submission.outputs.all()}

    right, failed = (
        sign_in(curator).get(reverse("scoring:item-metrics", args=[items[number].pk])) for number in (1, 2)
    )

    rows = {label: cells for label, cells, _ in right.context["rows"]}
    assert [cell.value for cell in rows["Exact match"]] == [1.0] and "PSNR" not in rows
    page = failed.content.decode()
    assert str(submission.system_version) in page and "answered with an error" in page


def test_an_output_that_kills_its_worker_each_time_is_given_up_alone_and_named(submission):
    job = ask_for_metrics(submissions=[submission], actor=None)
    drain(max_chunks=1)
    poisoned = str(submission.outputs.get(revision__item__number=2).pk)

    def dies() -> None:
        leases.claim("dead:1")
        Chunk.objects.filter(job=job, state="running").update(lease_until="2020-01-01T00:00Z")

    dies(), dies()
    leases._split(Chunk.objects.select_related("job").get(job=job, state="running"))
    Chunk.objects.filter(job=job, payload={"outputs": [poisoned]}).update(state="running", attempts=5)
    Chunk.objects.filter(job=job, state="running").update(lease_until="2020-01-01T00:00Z")

    drain()

    job.refresh_from_db()
    failed = job.chunks.get(state="failed")
    assert failed.error.startswith(f"IT-000002 of {submission.code}: Given up after 5 attempts")
    assert job.state == "failed" and failed.units == 1
    assert values(submission, "exact_match") == [1.0, "failed", 1.0]
