"""Bias and limits of agreement of two measures with several outputs per cluster, after Bland and Altman.

The spread of a difference has two parts, between clusters and within them; the limits are for the difference of one
more output of one more cluster. `docs/statistics.md` gives the measured coverage of the intervals.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    cluster_positions,
    percentile_tail,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ratings import Floats

METHOD = "studentized cluster bootstrap"
_MOST_UNDEFINED = 0.05
_SIZE, _SUM, _SQUARES, _MEANS, _SIZES = range(5)


@dataclass(frozen=True, kw_only=True)
class LimitsOfAgreement:
    """How far a measure is from the experts, in the unit of the scale; every difference is measure − experts.

    Attributes:
        bias: mean difference over outputs; above 0 the measure rates higher than the experts.
        lower: lower limit of agreement.
        upper: upper limit of agreement.
        spread: standard deviation of the difference of one more output.
        between: its part between clusters; 0 where clusters differ no more than chance makes them.
        within: its part within clusters; None where no cluster has two outputs.
        share: share of differences the limits are meant to hold, 0.95.
        n_outputs: outputs with both values.
        n_missing: outputs with one of them absent, left out.
        n_clusters: clusters of the outputs that entered.
        bias_interval: interval of the bias, None where there is none.
        lower_interval: interval of the lower limit, None where there is none.
        upper_interval: interval of the upper limit, None where there is none.
        interval_reason: why there is no interval (`too_few_clusters`, `unstable`), "" where there is one.
    """

    bias: float
    lower: float
    upper: float
    spread: float
    between: float
    within: float | None
    share: float
    n_outputs: int
    n_missing: int
    n_clusters: int
    bias_interval: Interval | None
    lower_interval: Interval | None
    upper_interval: Interval | None
    interval_reason: str


def limits_of_agreement(
    measure: ArrayLike,
    experts: ArrayLike,
    *,
    clusters: Sequence[Hashable],
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
    share: float = 0.95,
) -> LimitsOfAgreement:
    """Bias and limits of agreement, with intervals over clusters.

    The variance of a difference is the sum of the variance components of a one-way analysis of variance with
    unequal cluster sizes; where the component between clusters would be negative it is 0 and the variance is that of
    all differences. One output per cluster gives the ordinary limits.

    Intervals are studentized: the pivot (limit* − limit) / error* of whole resampled clusters, with the linearized
    standard error of each resample, at the quantiles of `percentile_tail`. The plain percentile interval of a limit
    covers 84–93 % at 30 clusters where 95 % is meant: the spread of a small sample is short.

    Args:
        measure: values of the measure or judge, one per output; NaN where absent.
        experts: the experts' values on the same scale; NaN where absent.
        clusters: cluster of each output.
        seed: seed of the resamples.
        draws: number of resamples.
        level: coverage aimed at by the intervals.
        share: share of differences the limits are meant to hold.

    Returns:
        Bias, limits and their intervals. Equal differences throughout give limits equal to the bias and intervals
        of no width. Below ten clusters the numbers stand without intervals.

    Raises:
        UndefinedStatisticError: `too_few_units` below two outputs with both values, `unusable_value` for an
            infinite value or a share outside 0…1, `shape` for different lengths.

    References:
        Bland and Altman, Lancet 327(8476), 1986, doi:10.1016/S0140-6736(86)90837-8;
        Statistical Methods in Medical Research 8(2), 1999, section 5.3, doi:10.1177/096228029900800204;
        Journal of Biopharmaceutical Statistics 17(4), 2007, doi:10.1080/10543400701329422;
        studentized bootstrap: Hall, Annals of Statistics 16(3), 1988, doi:10.1214/aos/1176350933.
    """
    if not 0.0 < share < 1.0:
        raise UndefinedStatisticError("unusable_value", f"the share {share} of differences is outside 0…1")
    differences, kept, n_missing = _differences(measure, experts, clusters)
    places, n_clusters = cluster_positions(kept, size=differences.size)
    center = float(differences.mean())
    moved = differences - center
    if float(np.ptp(differences)) <= 1e-12 * max(1.0, abs(center)):
        center, moved = float(np.median(differences)), np.zeros(differences.size)
    totals = _totals(moved, places, n_clusters)
    multiplier = NormalDist().inv_cdf(0.5 + share / 2.0)
    fit = _Resampled(totals, np.ones((1, n_clusters)), multiplier)
    variance, within = float(fit.variance[0]), float(fit.within[0])
    intervals, reason = _intervals(totals, fit, multiplier, seed=seed, draws=draws, level=level)
    return LimitsOfAgreement(
        bias=center + float(fit.values[0, 0]),
        lower=center + float(fit.values[1, 0]),
        upper=center + float(fit.values[2, 0]),
        spread=variance**0.5,
        between=max(0.0, variance - within) ** 0.5,
        within=within**0.5 if differences.size > n_clusters else None,
        share=share,
        n_outputs=differences.size,
        n_missing=n_missing,
        n_clusters=n_clusters,
        bias_interval=_moved(intervals[0], center),
        lower_interval=_moved(intervals[1], center),
        upper_interval=_moved(intervals[2], center),
        interval_reason=reason,
    )


def _differences(
    measure: ArrayLike, experts: ArrayLike, clusters: Sequence[Hashable]
) -> tuple[Floats, list[Hashable], int]:
    first, second = np.asarray(measure, dtype=np.float64).ravel(), np.asarray(experts, dtype=np.float64).ravel()
    if first.size != second.size or first.size != len(clusters):
        raise UndefinedStatisticError(
            "shape", f"{first.size} values of the measure, {second.size} of the experts, {len(clusters)} clusters"
        )
    if bool(np.isinf(first).any() or np.isinf(second).any()):
        raise UndefinedStatisticError("unusable_value", "a value is infinite")
    both = ~np.isnan(first) & ~np.isnan(second)
    n_both = int(both.sum())
    if n_both < 2:
        raise UndefinedStatisticError("too_few_units", f"limits of agreement need two outputs, there are {n_both}")
    kept = [cluster for cluster, enters in zip(clusters, both.tolist(), strict=True) if enters]
    return first[both] - second[both], kept, first.size - n_both


def _totals(differences: Floats, places: NDArray[np.int64], n_clusters: int) -> Floats:
    """What a cluster adds to the analysis of variance, clusters × (n, sum, squares, sum²/n, n²)."""
    size = np.bincount(places, minlength=n_clusters).astype(np.float64)
    total = np.bincount(places, weights=differences, minlength=n_clusters)
    squares = np.bincount(places, weights=differences**2, minlength=n_clusters)
    return np.stack([size, total, squares, total**2 / size, size**2], axis=1)


class _Resampled:
    """Bias and both limits of each resample (3 × draws) with their linearized standard errors."""

    def __init__(self, totals: Floats, weights: Floats, multiplier: float) -> None:
        n_clusters, n_parts = totals.shape
        sums = weights @ totals
        crossed = (totals[:, :, None] * totals[:, None, :]).reshape(n_clusters, -1)
        products = (weights @ crossed).reshape(-1, n_parts, n_parts)
        size, total = sums[:, _SIZE], sums[:, _SUM]
        self.variance, self.within, slope = _variance(sums, n_clusters)
        spread = np.sqrt(self.variance)
        safe = np.where(spread > 0, spread, 1.0)
        of_bias = np.zeros_like(slope)
        of_bias[:, _SIZE], of_bias[:, _SUM] = -total / size**2, 1.0 / size
        self.values = np.empty((3, len(weights)))
        self.errors = np.empty((3, len(weights)))
        for place, factor in enumerate((0.0, -multiplier, multiplier)):
            gradient = of_bias + factor * slope / (2.0 * safe)[:, None]
            mean = (gradient * sums).sum(axis=1)
            square = np.einsum("di,dij,dj->d", gradient, products, gradient) - mean**2 / n_clusters
            self.values[place] = total / size + factor * spread
            self.errors[place] = np.sqrt(np.maximum(square, 0.0) * n_clusters / max(1, n_clusters - 1))


def _variance(sums: Floats, n_clusters: int) -> tuple[Floats, Floats, Floats]:
    """Variance of one more difference, its part within clusters, and the gradient to the five totals."""
    size, total, squares, means, sizes = sums.T
    none = np.zeros_like(size)
    square = total**2 / size
    pooled = np.maximum(squares - square, 0.0) / (size - 1.0)
    slope = np.stack([(square / size - pooled), -2.0 * total / size, none + 1.0, none, none], axis=1)
    slope /= (size - 1.0)[:, None]
    inner, outer = size - n_clusters, n_clusters - 1
    if outer == 0:
        return pooled, pooled, slope
    repeated = inner > 0
    inner = np.where(repeated, inner, 1.0)
    within = np.maximum(squares - means, 0.0) / inner
    between = (means - square) / outer
    per_cluster = (size - sizes / size) / outer
    slope_within = np.stack([-within, none, none + 1.0, none - 1.0, none], axis=1) / inner[:, None]
    slope_between = np.stack([square / size, -2.0 * total / size, none, none + 1.0, none], axis=1) / outer
    slope_size = np.stack([1.0 + sizes / size**2, none, none, none, -1.0 / size], axis=1) / outer
    both = (
        slope_between / per_cluster[:, None]
        + slope_within * (1.0 - 1.0 / per_cluster)[:, None]
        + slope_size * ((within - between) / per_cluster**2)[:, None]
    )
    differ = repeated & (between > within)
    found: Floats = np.where(differ, (between - within) / per_cluster + within, pooled)
    return found, np.where(differ, within, pooled), np.where(differ[:, None], both, slope)


def _intervals(
    totals: Floats, fit: _Resampled, multiplier: float, *, seed: int, draws: int, level: float
) -> tuple[list[Interval | None], str]:
    n_clusters = len(totals)
    try:
        require_clusters(n_clusters)
    except UndefinedStatisticError as refusal:
        return [None, None, None], refusal.reason
    if float(fit.variance[0]) == 0.0:
        value = float(fit.values[0, 0])
        same = Interval(low=value, high=value, level=level, method=METHOD, n_clusters=n_clusters, draws=0, seed=seed)
        return [same, same, same], ""
    drawn = _Resampled(totals, resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64), multiplier)
    found: list[Interval | None] = []
    for place in range(3):
        defined = drawn.errors[place] > 0
        n_undefined = int(draws - np.count_nonzero(defined))
        if n_undefined > _MOST_UNDEFINED * draws:
            return [None, None, None], "unstable"
        value, error = float(fit.values[place, 0]), float(fit.errors[place, 0])
        pivots = (drawn.values[place, defined] - value) / drawn.errors[place, defined]
        tail = percentile_tail(n_clusters, level=level)
        high, low = np.quantile(pivots, [tail, 1.0 - tail])
        found.append(
            Interval(
                low=value - float(low) * error,
                high=value - float(high) * error,
                level=level,
                method=METHOD,
                n_clusters=n_clusters,
                draws=draws,
                n_undefined=n_undefined,
                seed=seed,
            )
        )
    return found, ""


def _moved(interval: Interval | None, center: float) -> Interval | None:
    if interval is None:
        return None
    return Interval(
        low=interval.low + center,
        high=interval.high + center,
        level=interval.level,
        method=interval.method,
        n_clusters=interval.n_clusters,
        draws=interval.draws,
        n_undefined=interval.n_undefined,
        seed=interval.seed,
    )
