"""Computing metrics: what is missing or stale, a chunk at a time, so that it can stop and go on anywhere."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.models import User
from annotation.systems.models import Output, Submission
from annotation.work.executor import checkpoint
from scoring.metrics.base import Metric, settings_hash
from scoring.metrics.comparison import Comparison
from scoring.metrics.evaluate import MetricRow, evaluate
from scoring.metrics.registry import METRICS, PROFILES, find_metric
from scoring.runs.comparisons import POLICY, comparisons, given_up, with_content
from scoring.runs.errors import MetricsError
from scoring.runs.models import MetricRun, MetricSettings, MetricValue

CHUNK = 16
ROWS_AT_ONCE = 500
RECOMMENDED = PROFILES["recommended"].metrics
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunSummary:
    """What one call did: outputs computed now, without a number among their values, and left to do."""

    n_outputs: int
    n_current: int
    n_computed: int
    n_undefined: int
    n_remaining: int


def present_settings(codes: Iterable[str] | None = None) -> dict[str, MetricSettings]:
    """The settings rows of metrics by code, of the recommended profile when none is named; made where absent.

    Raises:
        MetricsError: an unknown code, with the nearest names.
    """
    try:
        metrics = [find_metric(code) for code in codes] if codes else list(RECOMMENDED.values())
    except ValueError as problem:
        raise MetricsError(str(problem)) from problem
    hashes = {settings_hash(metric, policy=POLICY): metric for metric in metrics}
    known = {row.settings_hash: row for row in MetricSettings.objects.filter(settings_hash__in=hashes)}
    for digest, metric in hashes.items():
        if digest not in known:
            known[digest] = _store_settings(metric, digest)
    return {metric.code: known[digest] for digest, metric in hashes.items()}


def _store_settings(metric: Metric, digest: str) -> MetricSettings:
    parameters = dict(metric.settings)
    if metric.tier == "pixel":
        parameters |= {"pairing": POLICY, "data_range": "declared"}
    return MetricSettings.objects.get_or_create(
        settings_hash=digest,
        defaults={
            "metric": metric.code,
            "version": metric.version,
            "label": metric.label,
            "tier": metric.tier,
            "direction": metric.direction,
            "unit": metric.unit,
            "parameters": parameters,
        },
    )[0]


def outputs_to_do(
    submissions: Iterable[Submission], settings: Sequence[MetricSettings], *, force: bool = False
) -> QuerySet[Output]:
    """Current outputs that lack a value (or a reason) under any of these settings."""
    outputs = Output.objects.current().filter(submission__in=list(submissions))
    if force:
        return outputs
    have = Count(
        "metric_values",
        Q(metric_values__settings__in=settings, metric_values__subject=MetricValue.Subject.OUTPUT),
    )
    return outputs.annotate(n_have=have).filter(n_have__lt=len(settings))


def run_metrics(
    *,
    submissions: Sequence[Submission],
    metrics: Sequence[str] | None = None,
    force: bool = False,
    actor: User | None = None,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> RunSummary:
    """Compute what is missing or stale; every chunk is stored before the next begins.

    Args:
        submissions: whose current outputs are measured.
        metrics: codes; those of the recommended profile when left out.
        force: compute present values again.
        actor: who asked.
        progress: called with (outputs done, outputs to do).
        seconds: stop after the chunk in which this time is over.

    Raises:
        MetricsError: an unknown metric.
    """
    settings = present_settings(metrics)
    n_outputs = Output.objects.current().filter(submission__in=submissions).count()
    waiting = outputs_to_do(submissions, list(settings.values()), force=force)
    todo = list(waiting.order_by("revision_id", "submission_id").values_list("pk", flat=True))
    if not todo:
        return RunSummary(n_outputs, n_outputs, 0, 0, 0)
    run = MetricRun.objects.create(requested_by=actor, n_expected=len(todo))
    record("metrics started", actor=actor, subject=run, outputs=len(todo))
    started, done, undefined = time.monotonic(), 0, 0
    try:
        for at in range(0, len(todo), CHUNK):
            keys = todo[at : at + CHUNK]
            undefined += _compute(keys, settings, run)
            done += len(keys)
            if progress:
                progress(done, len(todo))
            if seconds is not None and time.monotonic() - started > seconds:
                break
    finally:
        run.state = MetricRun.State.DONE if done == len(todo) else MetricRun.State.STOPPED
        run.n_computed, run.n_undefined, run.finished_at = done, undefined, timezone.now()
        run.save()
    return RunSummary(n_outputs, n_outputs - len(todo), done, undefined, len(todo) - done)


def _compute(keys: Sequence[UUID], settings: dict[str, MetricSettings], run: MetricRun) -> int:
    """Measure some outputs and store all their values in one transaction; returns values without a number."""
    values = measure(keys, settings, run)
    with transaction.atomic():
        store(values)
    return sum(value.value is None for value in values)


def measure(keys: Sequence[UUID], settings: dict[str, MetricSettings], run: MetricRun) -> list[MetricValue]:
    """The values of some outputs, not yet stored."""
    outputs = list(with_content(Output.objects.filter(pk__in=keys)).order_by("revision_id", "submission_id"))
    metrics = [METRICS[code] for code in settings]
    values: list[MetricValue] = []
    baseline: dict[object, list[MetricRow]] = {}
    for output, comparison in zip(outputs, comparisons(outputs), strict=True):
        checkpoint()
        before = time.perf_counter()
        rows = _rows(metrics, comparison, baseline.get(output.revision_id))
        baseline.setdefault(output.revision_id, [row for row in rows if row.subject == MetricValue.Subject.NO_OP])
        seconds = (time.perf_counter() - before) / max(1, len(rows))
        values += [_value(row, output, settings[row.metric], run, seconds) for row in rows]
    return values


def store(values: Sequence[MetricValue]) -> None:
    """Put values in place of those of the same settings, output and subject; call it inside a transaction."""
    MetricValue.objects.bulk_create(
        values,
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["settings", "output", "subject"],
        update_fields=["value", "reason", "message", "flags", "seconds", "run", "computed_at"],
    )


def give_up(keys: Sequence[UUID], settings: dict[str, MetricSettings], run: MetricRun | None, why: str) -> None:
    """Say under every metric that measuring these outputs failed, where no value stands; inside a transaction."""
    metrics = [METRICS[code] for code in settings]
    values = [
        _value(row, output, settings[row.metric], run, 0)
        for output in Output.objects.filter(pk__in=keys).select_related("revision")
        for row in evaluate(metrics, [given_up(output, why)])
    ]
    MetricValue.objects.bulk_create(values, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)


def _rows(metrics: Sequence[Metric], comparison: Comparison, baseline: list[MetricRow] | None) -> list[MetricRow]:
    """Values of one output; the unchanged input is measured once per item and then taken over."""
    if baseline is None:
        return list(evaluate(metrics, [comparison]))
    return [*evaluate(metrics, [replace(comparison, no_op=None)]), *baseline]


def _value(
    row: MetricRow, output: Output, settings: MetricSettings, run: MetricRun | None, seconds: float
) -> MetricValue:
    return MetricValue(
        settings=settings,
        output=output,
        subject=row.subject,
        value=row.value,
        reason=row.reason or "",
        message=row.message[:300],
        flags=list(row.flags),
        seconds=seconds,
        run=run,
        computed_at=timezone.now(),
    )


def current_values(outputs: QuerySet[Output]) -> QuerySet[MetricValue]:
    """Values of the registry's present settings for outputs that are not superseded: what aggregates may use."""
    hashes = [settings_hash(metric, policy=POLICY) for metric in METRICS.values()]
    return (
        MetricValue.objects.current()
        .filter(output__in=outputs, settings__settings_hash__in=hashes)
        .select_related("settings")
    )
