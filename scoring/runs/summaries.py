"""Counts and means of metric values of one submission, every missing one accounted for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, stdev

from annotation.systems.models import Output, Submission
from scoring.metrics.base import REASONS, UndefinedMetricError
from scoring.metrics.gain import gain
from scoring.runs.models import MetricSettings, MetricValue
from scoring.runs.services import current_values

REASON_WORDS = {
    "missing_output": "without an output",
    "missing_reference": "without a reference",
    "error_output": "answered with an error",
    "identical": "identical to the reference",
    "geometry_mismatch": "of another size",
    "failed": "not measured: the computation failed",
}


def in_words(reason: str) -> str:
    return REASON_WORDS.get(reason, reason.replace("_", " "))


@dataclass
class MetricSummary:
    """One metric over the outputs of a submission: outputs, the unchanged input, and the gain over it."""

    settings: MetricSettings
    values: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    baseline: list[float] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)
    n_unchanged: int = 0

    @property
    def n_expected(self) -> int:
        """Outputs to which the metric applies."""
        return len(self.values) + sum(n for reason, n in self.reasons.items() if reason != "not_applicable")

    @property
    def mean(self) -> float | None:
        return fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation (n − 1)."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def mean_baseline(self) -> float | None:
        return fmean(self.baseline) if self.baseline else None

    @property
    def mean_gain(self) -> float | None:
        return fmean(self.gains) if self.gains else None

    @property
    def missing(self) -> list[tuple[str, int, str]]:
        """Reasons in words with count and sentence, but for outputs the metric is not made for."""
        return [
            (in_words(reason), n, REASONS.get(reason, ""))
            for reason, n in sorted(self.reasons.items())
            if reason != "not_applicable"
        ]


def metric_summaries(submission: Submission) -> list[MetricSummary]:
    """One summary per metric that applies to at least one output; one query."""
    values = list(current_values(Output.objects.filter(submission=submission)))
    summaries: dict[int, MetricSummary] = {}
    for value in values:
        summary = summaries.setdefault(value.settings_id, MetricSummary(value.settings))
        if value.subject == MetricValue.Subject.NO_OP:
            if value.value is not None:
                summary.baseline.append(value.value)
        elif value.value is None:
            summary.reasons[value.reason] += 1
        else:
            summary.values.append(value.value)
        summary.n_unchanged += "unchanged_input" in value.flags and value.subject == MetricValue.Subject.OUTPUT
    for settings_id, summary in summaries.items():
        summary.gains = gains([value for value in values if value.settings_id == settings_id])
    return sorted(
        (summary for summary in summaries.values() if summary.n_expected),
        key=lambda summary: (summary.settings.tier, summary.settings.label),
    )


def gains(values: Iterable[MetricValue]) -> list[float]:
    """Gain over the unchanged input of every output that has both numbers, under one metric."""
    sides: dict[object, dict[str, MetricValue]] = {}
    for value in values:
        sides.setdefault(value.output_id, {})[value.subject] = value
    found = []
    for pair in sides.values():
        output, no_op = pair.get(MetricValue.Subject.OUTPUT), pair.get(MetricValue.Subject.NO_OP)
        if output is None or no_op is None:
            continue
        try:
            found.append(
                gain(
                    output.settings.direction,
                    output.value,
                    no_op.value,
                    reason=output.reason or None,
                    no_op_reason=no_op.reason or None,
                )
            )
        except UndefinedMetricError:
            continue
    return found


@dataclass(frozen=True)
class MetricCell:
    """One value as a page shows it: a number, or the words why there is none."""

    value: float | None
    remarks: tuple[str, ...]


def _cell(value: MetricValue) -> MetricCell:
    flags = value.flags if value.subject == MetricValue.Subject.OUTPUT else []
    words = [in_words(value.reason)] if value.reason else []
    return MetricCell(value.value, (*words, *(flag.replace("_", " ") for flag in flags)))


def metric_matrix(values: Iterable[MetricValue]) -> dict[str, object]:
    """Metrics as rows and submissions as columns, with the unchanged input, which is the same for all of them.

    Returns `submissions`, and `rows` of a label, one cell per submission, and the cell of the unchanged input.
    """
    submissions: dict[object, Submission] = {}
    settings: dict[int, MetricSettings] = {}
    cells: dict[tuple[object, object], MetricCell] = {}
    for value in values:
        submission = value.output.submission
        submissions[submission.pk] = submission
        settings[value.settings_id] = value.settings
        column = "no_op" if value.subject == MetricValue.Subject.NO_OP else submission.pk
        cells.setdefault((value.settings_id, column), _cell(value))
    rows = [
        (one.label, [cells.get((key, column)) for column in submissions], cells.get((key, "no_op")))
        for key, one in settings.items()
    ]
    return {"submissions": list(submissions.values()), "rows": rows}
