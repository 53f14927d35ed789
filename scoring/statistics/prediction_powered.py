"""Prediction-powered estimates: metrics on all outputs and grades on a sample give one interval of the clinical mean.

The grades alone give the plain estimate. Metrics that follow the grades say how the sample differs from all outputs
and correct for it; a tuning factor lambda keeps metrics that do not follow the grades from doing harm. Clusters are
the units throughout. Readers are fixed.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import MINIMUM_CLUSTERS, Interval, require_clusters
from scoring.statistics.prediction_sample import (
    Sample,
    Scores,
    cluster_scores,
    cross_fitted,
    degrees_of_freedom,
    require_sample,
    sample_of,
)
from scoring.statistics.ratings import Floats

CLUSTERS_PER_METRIC = 5
"""Graded clusters needed for each metric that is fitted, beyond the first ten."""

METHOD = "prediction-powered, linearized by cluster, t"
PLAIN_METHOD = "linearized by cluster, t"
CONSTANT = "No metric varies within a stratum, so this is the plain estimate."
NO_HELP = "The metrics do not follow the grades in the sample, so this is the plain estimate."


@dataclass(frozen=True, kw_only=True)
class PredictionPowered:
    """A clinical mean with and without the help of the metrics, in the unit of the grades.

    Attributes:
        estimate: prediction-powered estimate.
        interval: its interval; `n_clusters` counts the graded clusters.
        plain_estimate: from the grades alone.
        plain_interval: its interval, made the same way.
        tuning: lambda, 0 (metrics ignored) … 1 (metrics trusted on the scale of the grades).
        length_ratio: length of the interval over that of the plain one, below 1 is a gain; 1 where both have
            length 0.
        n_clusters_graded: clusters with a graded output.
        n_clusters_ungraded: clusters without one.
        n_graded: graded outputs.
        n_outputs: all outputs.
        n_metrics: metrics that entered (those that vary).
        note: why the metrics were not used, in words; empty where they were.
    """

    estimate: float
    interval: Interval
    plain_estimate: float
    plain_interval: Interval
    tuning: float
    length_ratio: float
    n_clusters_graded: int
    n_clusters_ungraded: int
    n_graded: int
    n_outputs: int
    n_metrics: int
    note: str = ""

    @property
    def worth_clusters(self) -> float:
        """Graded clusters that the plain estimate would need for the same length, about n / ratio²."""
        return self.n_clusters_graded / max(self.length_ratio, 1e-6) ** 2


def prediction_powered_mean(
    grades: ArrayLike,
    metrics: ArrayLike,
    *,
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    shares: Mapping[Hashable, float] | None = None,
    inclusion: ArrayLike | None = None,
    level: float = 0.95,
) -> PredictionPowered:
    """Mean clinical grade of a system over all its outputs, from a graded sample and metrics on all of them.

    The metrics are combined by least squares toward the grades within strata. An output's prediction never comes
    from a fit that saw its own cluster (leave one cluster out); ungraded outputs take the mean of these fits.
    Then `rectified_mean` tunes lambda. Any affine change of a metric changes nothing.

    Args:
        grades: clinical grade of each output (mean over readers), NaN where it is not in the graded sample.
        metrics: outputs × metrics, or one value per output, finite everywhere.
        clusters: cluster of each output. Clusters are drawn into the sample whole or in part.
        strata: stratum of each output the sample was drawn in; None is a simple random sample.
        shares: how much each stratum counts, normalized to sum 1. None: its share of the outputs
            (design-weighted); equal numbers give the macro mean.
        inclusion: probability of each output to be graded, known from the design, where it differs within a
            stratum. None: equal within each stratum.
        level: coverage aimed at.

    Returns:
        Estimate and interval beside the plain ones. The plain estimate is the design-weighted mean of grades.

    Raises:
        UndefinedStatisticError: `too_few_clusters` below ten graded clusters, below five more for every metric
            after the first, or below two graded clusters in a stratum; `nothing_ungraded` when every output is
            graded (the plain mean says it all); `empty` without a metric; `unusable_value` for a metric that
            is not finite, an infinite grade, or a probability or share out of range; `shape` for lengths
            that differ.

    References:
        Angelopoulos et al., Science 382, 2023, doi:10.1126/science.adi6000; tuning: Angelopoulos, Duchi and
        Zrnic, PPI++, 2023, arXiv:2311.01453; cross-fitting: Zrnic and Candès, PNAS 121(15), 2024,
        doi:10.1073/pnas.2322083121; strata and clusters: Särndal, Swensson and Wretman, Model Assisted Survey
        Sampling, 1992, doi:10.1007/978-1-4612-4378-6.
    """
    table = _metric_table(metrics)
    sample = sample_of(grades, clusters=clusters, strata=strata, shares=shares, inclusion=inclusion)
    if table.shape[0] != sample.grades.size:
        raise UndefinedStatisticError(
            "shape", f"{sample.grades.size} outputs have metrics for {table.shape[0]} outputs"
        )
    require_sample(sample)
    centered = sample.centered(table)
    spread = np.sqrt((centered**2).mean(axis=0))
    varying = spread > 1e-12 * np.maximum(np.abs(table).max(axis=0), 1e-300)
    n_metrics = int(np.count_nonzero(varying))
    require_clusters(sample.n_clusters_graded, minimum=MINIMUM_CLUSTERS + CLUSTERS_PER_METRIC * max(0, n_metrics - 1))
    if not n_metrics:
        return _result(sample, None, tuning=None, level=level, n_metrics=0)
    predictions = cross_fitted(sample, centered[:, varying] / spread[varying])
    return _result(sample, predictions, tuning=None, level=level, n_metrics=n_metrics)


def prediction_powered_difference(
    grades: tuple[ArrayLike, ArrayLike],
    metrics: tuple[ArrayLike, ArrayLike],
    *,
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    shares: Mapping[Hashable, float] | None = None,
    inclusion: ArrayLike | None = None,
    level: float = 0.95,
) -> PredictionPowered:
    """Paired difference of two systems (first − second) over the items both have outputs for.

    Args:
        grades: grades of the first and of the second system, one per item; an item enters the sample where
            both are graded.
        metrics: metrics of the first and of the second system, items × metrics, the same columns.
        clusters: cluster of each item.
        strata: as `prediction_powered_mean`.
        shares: as `prediction_powered_mean`.
        inclusion: as `prediction_powered_mean`.
        level: coverage aimed at.

    Returns:
        As `prediction_powered_mean`, of the difference. Two identical systems give 0 and [0, 0].

    Raises:
        UndefinedStatisticError: as `prediction_powered_mean`.
    """
    first, second = (np.asarray(side, dtype=np.float64).ravel() for side in grades)
    ours, theirs = (_metric_table(side) for side in metrics)
    if first.size != second.size or ours.shape != theirs.shape:
        raise UndefinedStatisticError(
            "shape",
            f"the two systems have {first.size} and {second.size} grades, metrics {ours.shape} and {theirs.shape}",
        )
    return prediction_powered_mean(
        first - second,
        ours - theirs,
        clusters=clusters,
        strata=strata,
        shares=shares,
        inclusion=inclusion,
        level=level,
    )


def rectified_mean(
    grades: ArrayLike,
    predictions: ArrayLike,
    *,
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    shares: Mapping[Hashable, float] | None = None,
    inclusion: ArrayLike | None = None,
    tuning: float | None = None,
    level: float = 0.95,
) -> PredictionPowered:
    """PPI++ by cluster, with predictions of the grade that were made without these grades (a judge, an old fit).

    The estimate is the sum over strata of share × (mean grade + lambda × (mean prediction of the ungraded − mean
    prediction of the graded)). Its variance is the sum of squared cluster scores, each side of a stratum
    corrected by n / (n − 1); the limits use t with Satterthwaite's degrees of freedom over strata, graded clusters
    − 1 with one. Lambda minimizes that variance and is kept in 0…1, so the interval is not longer than the plain
    one (over strata a few percent at most, where the degrees of freedom differ). The metrics' variance
    in it comes from both sides apart; the paper pools them, which is the same in large samples.

    Args:
        grades: as `prediction_powered_mean`.
        predictions: predicted grade of each output, in the unit of the grades, finite everywhere.
        clusters: cluster of each output.
        strata: as `prediction_powered_mean`.
        shares: as `prediction_powered_mean`.
        inclusion: as `prediction_powered_mean`.
        tuning: a fixed lambda (1: no tuning); None estimates it.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: as `prediction_powered_mean`.

    References:
        As `prediction_powered_mean`.
    """
    values = _metric_table(predictions)[:, 0]
    sample = sample_of(grades, clusters=clusters, strata=strata, shares=shares, inclusion=inclusion)
    if values.size != sample.grades.size:
        raise UndefinedStatisticError("shape", f"{sample.grades.size} outputs have {values.size} predictions")
    require_sample(sample)
    if not bool((np.abs(sample.centered(values[:, None])) > 1e-12 * max(1e-300, np.abs(values).max())).any()):
        return _result(sample, None, tuning=None, level=level, n_metrics=0)
    return _result(sample, values, tuning=tuning, level=level, n_metrics=1)


def _metric_table(metrics: ArrayLike) -> Floats:
    table = np.asarray(metrics, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise UndefinedStatisticError("shape", f"metrics must be outputs × metrics, got {table.ndim} dimensions")
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise UndefinedStatisticError("empty", "there is no metric value")
    unusable = int(np.count_nonzero(~np.isfinite(table)))
    if unusable:
        raise UndefinedStatisticError(
            "unusable_value", f"{unusable} metric values are missing or not finite; every output needs all metrics"
        )
    return table


def _result(
    sample: Sample, predictions: Floats | None, *, tuning: float | None, level: float, n_metrics: int
) -> PredictionPowered:
    plain = cluster_scores(sample, np.where(sample.graded, sample.grades, 0.0), both_sides=False)
    none = Scores(mean=0.0, by_stratum=np.zeros_like(plain.by_stratum))
    gap = none if predictions is None else cluster_scores(sample, predictions, both_sides=True)
    factor = _tuned(plain, gap) if tuning is None else tuning
    estimate = plain.mean - factor * gap.mean
    rest = plain.by_stratum - factor * gap.by_stratum
    interval = _limits(estimate, rest, sample, level=level, method=METHOD if factor else PLAIN_METHOD)
    plain_interval = _limits(plain.mean, plain.by_stratum, sample, level=level, method=PLAIN_METHOD)
    length = plain_interval.high - plain_interval.low
    note = CONSTANT if predictions is None else "" if factor else NO_HELP
    return PredictionPowered(
        estimate=estimate,
        interval=interval,
        plain_estimate=plain.mean,
        plain_interval=plain_interval,
        tuning=factor,
        length_ratio=(interval.high - interval.low) / length if length > 0 else 1.0,
        n_clusters_graded=sample.n_clusters_graded,
        n_clusters_ungraded=sample.n_clusters - sample.n_clusters_graded,
        n_graded=int(np.count_nonzero(sample.graded)),
        n_outputs=int(sample.grades.size),
        n_metrics=n_metrics,
        note=note,
    )


def _tuned(plain: Scores, gap: Scores) -> float:
    """Lambda with the smallest variance, inside 0…1; 0 where the predictions do not vary."""
    spread = float(gap.by_cluster @ gap.by_cluster)
    if spread <= 0.0:
        return 0.0
    return min(1.0, max(0.0, float(plain.by_cluster @ gap.by_cluster) / spread))


def _limits(estimate: float, by_stratum: Floats, sample: Sample, *, level: float, method: str) -> Interval:
    from scipy.special import stdtrit

    by_cluster = by_stratum.sum(axis=1)
    freedom = degrees_of_freedom(sample, by_stratum)
    half = float(stdtrit(freedom, 0.5 + level / 2.0)) * sqrt(float(by_cluster @ by_cluster))
    return Interval(
        low=estimate - half,
        high=estimate + half,
        level=level,
        method=method,
        n_clusters=sample.n_clusters_graded,
    )
