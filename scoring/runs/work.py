"""Metrics as queued work: some outputs a chunk, every chunk stored in the transaction that closes it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.models import User
from annotation.systems.models import Output, Submission, datasets_read_by
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Chunk, Job
from annotation.work.progress import progress_of
from annotation.work.services import enqueue
from scoring.runs.models import MetricRun, MetricValue
from scoring.runs.services import CHUNK, RunSummary, give_up, measure, outputs_to_do, present_settings, store

KIND = "metrics"
NAMED = 5
GIVEN_UP = "Given up: "


def ask_for_metrics(
    *, submissions: list[Submission], actor: User | None, metrics: list[str] | None = None, force: bool = False
) -> Job:
    """Ask for the metrics that are missing or stale; a job of the same submission that is open is given instead.

    Raises:
        MetricsError: an unknown metric.
    """
    present_settings(metrics)
    single = submissions[0] if len(submissions) == 1 else None
    with transaction.atomic():
        if single is not None and metrics is None and not force:
            Submission.objects.select_for_update().get(pk=single.pk)
            waiting = Job.objects.open().filter(kind=KIND, subject_id=str(single.pk), cancel_requested=False).first()
            if waiting is not None:
                return waiting
        return enqueue(
            kind=KIND,
            title=f"Metrics of {', '.join(submission.code for submission in submissions[:4])}"
            + (f" and {len(submissions) - 4} more" if len(submissions) > 4 else ""),
            parameters={
                "submissions": [str(submission.pk) for submission in submissions],
                "metrics": metrics,
                "force": force,
            },
            requested_by=actor,
            subject=single,
        )


def summary_of(job: Job, submissions: list[Submission]) -> RunSummary:
    """What a job did so far, in outputs."""
    now = progress_of(job)
    n_outputs = Output.objects.current().filter(submission__in=submissions).count()
    results = job.chunks.filter(state=Chunk.State.DONE).values_list("result", flat=True)
    undefined = sum(result.get("undefined", 0) for result in results)
    return RunSummary(n_outputs, n_outputs - now.units, now.done_units, undefined, now.units - now.done_units)


def _plan(job: Job) -> Iterator[ChunkPlan]:
    said = job.parameters
    settings = list(present_settings(said["metrics"]).values())
    waiting = outputs_to_do(Submission.objects.filter(pk__in=said["submissions"]), settings, force=said["force"])
    todo = list(waiting.order_by("revision_id", "submission_id").values_list("pk", flat=True))
    with transaction.atomic():
        run, new = MetricRun.objects.get_or_create(
            job=job, defaults={"requested_by": job.requested_by, "n_expected": len(todo)}
        )
        if new:
            record("metrics started", actor=job.requested_by, subject=run, outputs=len(todo))
    for at in range(0, len(todo), CHUNK):
        keys = [str(key) for key in todo[at : at + CHUNK]]
        yield ChunkPlan({"outputs": keys}, len(keys))


def _run(job: Job, payload: Payload) -> Commit:
    run = MetricRun.objects.get(job=job)
    settings = present_settings(job.parameters["metrics"])
    values = measure([UUID(key) for key in payload["outputs"]], settings, run)

    def commit() -> Payload:
        store(values)
        return {"undefined": sum(value.value is None for value in values)}

    return commit


def _split(payload: Payload) -> list[ChunkPlan]:
    """One output a chunk, so that one that kills its worker fails alone."""
    return [ChunkPlan({"outputs": [key]}, 1) for key in payload["outputs"]]


def _finish(job: Job) -> None:
    """Close the run and lead to its values."""
    run = MetricRun.objects.filter(job=job).first()
    if run is None:
        return
    counts: dict[str, Any] = MetricValue.objects.filter(run=run).aggregate(
        outputs=Count("output", distinct=True),
        given_up=Count("output", Q(message__startswith=GIVEN_UP), distinct=True),
        undefined=Count("pk", Q(value=None)),
    )
    run.state = MetricRun.State.DONE if job.state == Job.State.DONE else MetricRun.State.STOPPED
    run.n_computed, run.n_undefined, run.finished_at = (
        counts["outputs"] - counts["given_up"],
        counts["undefined"],
        timezone.now(),
    )
    run.save(update_fields=["state", "n_computed", "n_undefined", "finished_at"])
    if len(job.parameters["submissions"]) == 1:
        url = reverse("scoring:metric-list", args=[job.parameters["submissions"][0]])
        Job.objects.filter(pk=job.pk).update(result={"url": url, "label": "Show the values"})


def _names(payload: Payload) -> str:
    """The items of a chunk by their codes, with the submission."""
    outputs = Output.objects.filter(pk__in=payload["outputs"]).select_related("revision__item", "submission")
    codes = [f"{output.revision.item.code} of {output.submission.code}" for output in outputs]
    more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
    return ", ".join(codes[:NAMED]) + more


def _failed(job: Job, payload: Payload, reason: str) -> None:
    """Outputs that were given up get typed missing values, so that every table counts them."""
    settings = present_settings(job.parameters["metrics"])
    run = MetricRun.objects.filter(job=job).first()
    give_up([UUID(key) for key in payload["outputs"]], settings, run, f"{GIVEN_UP}{reason}")
    outputs = Output.objects.filter(pk__in=payload["outputs"])
    codes = outputs.values_list("revision__item__number", flat=True)
    record("metrics failed", actor=job.requested_by, subject=job, items=sorted(codes)[:50], n=len(payload["outputs"]))


def _hidden(user: User) -> Q:
    """Jobs on submissions that this person still reads blind; those on several, while there is any such."""
    submissions = Submission.objects.filter(dataset__in=datasets_read_by(user))
    blind = [str(pk) for pk in submissions.values_list("pk", flat=True)]
    return Q(subject_id__in=[*blind, ""]) if blind else Q(pk__in=[])


register(
    KIND,
    plan=_plan,
    run=_run,
    finish=_finish,
    failed=_failed,
    names=_names,
    split=_split,
    hidden=_hidden,
    label="Metrics",
    unit="outputs",
)
