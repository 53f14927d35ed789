"""Krippendorff's alpha at four levels of measurement, with gaps, and its cluster-bootstrap interval.

The level is part of the coefficient's name: the same grades give different values at different levels.
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ratings import Floats, as_ratings

Level = Literal["nominal", "ordinal", "interval", "ratio"]

_CELLS_AT_ONCE = 4_000_000


def krippendorff_alpha(ratings: ArrayLike, *, level: Level) -> float:
    """Krippendorff's alpha.

    Units with fewer than two ratings do not enter. Ordinal distances come from how often each level was used,
    so a declared but unused level changes nothing.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        level: "nominal", "ordinal", "interval" or "ratio" (values ≥ 0 with a true zero).

    Returns:
        1 for perfect agreement, 0 for what chance gives, negative below chance.

    Raises:
        UndefinedStatisticError: `no_pairs` when no unit has two ratings, `no_variation` when all paired
            ratings are equal (also for perfect agreement on one level), `unusable_value` for a negative
            value at ratio level.

    References:
        Hayes and Krippendorff, Communication Methods and Measures 1(1), 2007,
        doi:10.1080/19312450709336664; Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011.
    """
    counts, values = value_counts(as_ratings(ratings))
    return alpha_from_counts(counts, values, level=level)


def value_counts(table: Floats) -> tuple[Floats, Floats]:
    """How many readers gave each value to each unit (units × values), and the values in rising order."""
    present = ~np.isnan(table)
    values = np.unique(table[present])
    counts = np.zeros((table.shape[1], values.size))
    readers, units = np.nonzero(present)
    np.add.at(counts, (units, np.searchsorted(values, table[readers, units])), 1.0)
    return counts, values


def alpha_from_counts(counts: ArrayLike, values: ArrayLike, *, level: Level) -> float:
    """Alpha from per-unit value counts.

    Args:
        counts: units × values, how many readers gave each value.
        values: the values, rising.
        level: level of measurement.

    Raises:
        UndefinedStatisticError: as `krippendorff_alpha`.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) >= 2]
    if table.size == 0:
        raise UndefinedStatisticError("no_pairs", "no unit has two ratings")
    once = np.ones((1, table.shape[0]))
    alphas, defined = weighted_alphas(table, np.asarray(values, dtype=np.float64), once, level)
    if not bool(defined[0]):
        raise UndefinedStatisticError("no_variation", "all paired ratings are equal")
    return float(alphas[0])


def alpha_interval(
    ratings: ArrayLike,
    *,
    level: Level,
    clusters: Sequence[Hashable],
    seed: int,
    draws: int = DRAWS,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of alpha over resampled clusters of units; readers are fixed.

    Works on per-unit value counts: 2,000 draws of 300 units take a fraction of a second.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        level: level of measurement.
        clusters: cluster of each unit.
        seed: seed of the resamples.
        draws: number of resamples.
        confidence: coverage aimed at.

    Raises:
        UndefinedStatisticError: as `krippendorff_alpha`; `too_few_clusters` when fewer than ten clusters
            hold a unit with two ratings; `unstable` when more than 5 % of the resamples have no variation.
    """
    counts, values = value_counts(as_ratings(ratings))
    if counts.shape[0] != len(clusters):
        raise UndefinedStatisticError("shape", f"{counts.shape[0]} units have {len(clusters)} clusters")
    alpha_from_counts(counts, values, level=level)
    paired = counts.sum(axis=1) >= 2
    kept = [cluster for cluster, enters in zip(clusters, paired, strict=True) if enters]
    places, n_clusters = cluster_positions(kept, size=int(paired.sum()))
    require_clusters(n_clusters)
    weights = resample_counts(n_clusters, draws=draws, seed=seed)[:, places].astype(np.float64)
    alphas, defined = weighted_alphas(counts[paired], values, weights, level)
    return percentile_interval(
        alphas, defined, level=confidence, n_clusters=n_clusters, seed=seed, method="cluster bootstrap"
    )


def weighted_alphas(
    counts: Floats, values: Floats, weights: Floats, level: Level
) -> tuple[Floats, NDArray[np.bool_]]:
    """Alpha under many weightings of the units at once, for resampling.

    Args:
        counts: units × values, how many readers gave each value; at least two in each unit.
        values: the values, rising.
        weights: draws × units, how often each unit enters.
        level: level of measurement.

    Returns:
        Alpha of each draw, and whether it exists there (two different values entered).
    """
    totals = weights @ counts
    if level == "ordinal":
        observed, expected = _ordinal_disagreement(counts, weights, totals)
    else:
        distance = _distance(values, level)
        per_unit = _per_unit(counts, distance)
        observed = weights @ per_unit
        expected = ((totals @ distance) * totals).sum(axis=1)
    size = totals.sum(axis=1)
    defined = (totals > 0).sum(axis=1) > 1
    safe = np.where(defined, expected, 1.0)
    alphas: Floats = 1.0 - (size - 1.0) * observed / safe
    return alphas, defined


def _distance(values: Floats, level: Level) -> Floats:
    """Squared distance between every two values; 0 on the diagonal."""
    gap = values[:, None] - values[None, :]
    match level:
        case "nominal":
            return np.asarray(gap != 0, dtype=np.float64)
        case "interval":
            return np.asarray(gap**2, dtype=np.float64)
        case "ratio":
            if values.size and float(values[0]) < 0:
                raise UndefinedStatisticError("unusable_value", f"{values[0]:g} is negative at ratio level")
            total = values[:, None] + values[None, :]
            return np.asarray((gap / np.where(total == 0, 1.0, total)) ** 2, dtype=np.float64)
        case _:
            raise UndefinedStatisticError("unknown_category", f"{level!r} is not a level of measurement")


def _per_unit(counts: Floats, distance: Floats) -> Floats:
    """Disagreement within each unit over its pairable values."""
    within: Floats = ((counts @ distance) * counts).sum(axis=1) / (counts.sum(axis=1) - 1.0)
    return within


def _ordinal_disagreement(counts: Floats, weights: Floats, totals: Floats) -> tuple[Floats, Floats]:
    """Ordinal distance is the squared gap between mid-ranks, which differ from draw to draw."""
    size = counts.shape[1]
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(size), np.arange(size)] -= counts
    pairs /= (counts.sum(axis=1) - 1.0)[:, None, None]
    flat = pairs.reshape(counts.shape[0], size * size)
    middle = np.cumsum(totals, axis=1) - totals / 2.0
    observed, expected = np.empty(len(weights)), np.empty(len(weights))
    step = max(1, _CELLS_AT_ONCE // (size * size))
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        coincidences = (weights[rows] @ flat).reshape(-1, size, size)
        distance = (middle[rows, :, None] - middle[rows, None, :]) ** 2
        observed[rows] = (coincidences * distance).sum(axis=(1, 2))
        expected[rows] = (totals[rows, :, None] * totals[rows, None, :] * distance).sum(axis=(1, 2))
    return observed, expected
