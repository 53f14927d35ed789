"""Limits of ICC(A,1) and ICC(A,k) over resampled clusters: bootstrap-t on Fisher's z.

Percentiles of an ICC are too short where few outputs carry most of the spread between outputs (grades near an end
of the scale): 89 % instead of 95 % were measured at 30 to 50 clusters. Dividing each draw by its own standard error
mends most of that; below 20 clusters these errors are themselves too uncertain, and percentiles stay.
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.icc import icc
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ratings import Floats, as_ratings

MINIMUM_STUDENTIZED = 20
"""Draws are divided by their standard errors from this many clusters on."""

METHOD = "cluster bootstrap-t, Fisher z"
_NO_SPREAD = 1e-12
_CERTAIN = 1.0 - 1e-9
_MOST_UNUSABLE = 0.05


def icc_cluster_interval(
    ratings: ArrayLike,
    *,
    form: Literal["A,1", "A,k"],
    clusters: Sequence[Hashable],
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Interval:
    """Interval of ICC(A,1) or ICC(A,k) over resampled clusters of units; readers are fixed.

    Each draw's distance from the estimate, in Fisher's z, is divided by the draw's own standard error (the
    linearized one, from cluster scores). The limits of ICC(A,k) are those of ICC(A,1) stepped up, as the values are.
    Below 20 clusters, and where more than 5 % of the draws have no standard error because readers agree throughout
    in them, expanded percentiles are given; `method` says which.

    Args:
        ratings: readers × units, complete, at least two readers.
        form: a single reading, or the mean of all readers.
        clusters: cluster of each unit.
        seed: seed of the resamples.
        draws: number of resamples.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: as `icc`; `too_few_clusters` below ten clusters; `unstable` when the
            coefficient does not exist in more than 5 % of the resamples; `shape` when there is not one cluster
            per unit.

    References:
        Efron, JASA 82(397), 1987, doi:10.1080/01621459.1987.10478410, and Hall, Annals of Statistics 16(3), 1988,
        doi:10.1214/aos/1176350933 (bootstrap-t); Fisher, Metron 1, 1921 (z of an intraclass correlation).
    """
    table = as_ratings(ratings)
    icc(table, form=form)
    n_readers = table.shape[0]
    places, n_clusters = cluster_positions(clusters, size=table.shape[1])
    require_clusters(n_clusters)
    moments = moments_by_cluster(table, places, n_clusters)
    drawn = resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64)
    found = limits_from_draws(moments, drawn, n_readers, seed=seed, level=level)
    if form == "A,1":
        return found
    low, high = (n_readers * limit / (1.0 + (n_readers - 1) * limit) for limit in (found.low, found.high))
    return Interval(
        low=low,
        high=high,
        level=level,
        method=found.method,
        n_clusters=n_clusters,
        draws=found.draws,
        n_undefined=found.n_undefined,
        seed=seed,
    )


def resampled_icc(moments: Floats, n_readers: int) -> tuple[Floats, NDArray[np.bool_]]:
    """ICC(A,1) of each row of summed moments (draws × moments), and whether it exists there.

    Args:
        moments: rows of `moments_by_cluster`, summed with the weights of a draw.
        n_readers: readers.
    """
    size = moments[:, 0]
    means = moments[:, 1 : n_readers + 1] / size[:, None]
    grand = means.mean(axis=1)
    total = moments[:, -2] - size * n_readers * grand**2
    units = n_readers * (moments[:, -1] - size * grand**2)
    readers = size * ((means - grand[:, None]) ** 2).sum(axis=1)
    error = np.maximum(0.0, total - units - readers) / ((size - 1) * (n_readers - 1))
    between, among = units / (size - 1), readers / (n_readers - 1)
    whole = between + (n_readers - 1) * error + n_readers * (among - error) / size
    defined = (total > _NO_SPREAD * size) & (whole > 0)
    return (between - error) / np.where(defined, whole, 1.0), defined


def moments_by_cluster(table: Floats, places: NDArray[np.int64], n_clusters: int) -> Floats:
    """Units, sum of each reader, sum of squares, sum of squared unit means; clusters × (readers + 3).

    Args:
        table: readers × units.
        places: cluster number of each unit.
        n_clusters: clusters.
    """
    centered = (table - table.mean()).T
    rows = np.column_stack([np.ones(len(centered)), centered, (centered**2).sum(axis=1), centered.mean(axis=1) ** 2])
    moments = np.zeros((n_clusters, rows.shape[1]))
    np.add.at(moments, places, rows)
    return moments


def limits_from_draws(moments: Floats, drawn: Floats, n_readers: int, *, seed: int, level: float = 0.95) -> Interval:
    """Limits of ICC(A,1) from given draws.

    Args:
        moments: clusters × moments.
        drawn: draws × clusters, how often each cluster is drawn.
        n_readers: readers.
        seed: seed of the draws, to be told.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `unstable` as `icc_cluster_interval`.
    """
    n_clusters = len(moments)
    values, defined = resampled_icc(drawn @ moments, n_readers)
    plain = percentile_interval(
        values, defined, level=level, n_clusters=n_clusters, seed=seed, method="cluster bootstrap"
    )
    if n_clusters < MINIMUM_STUDENTIZED:
        return plain
    once = np.ones((1, n_clusters))
    estimate = float(resampled_icc(once @ moments, n_readers)[0][0])
    own = float(_errors(moments, once, n_readers)[0])
    errors = _errors(moments, drawn, n_readers)
    usable = defined & (errors > _NO_SPREAD) & (np.abs(values) < _CERTAIN)
    n_unusable = int(drawn.shape[0] - np.count_nonzero(usable))
    if abs(estimate) >= _CERTAIN or own <= _NO_SPREAD or n_unusable > _MOST_UNUSABLE * len(drawn):
        return plain
    center = float(np.arctanh(estimate))
    pivots = (np.arctanh(values[usable]) - center) / errors[usable]
    tail = (1.0 - level) / 2.0
    below, above = np.quantile(pivots, [tail, 1.0 - tail])
    return Interval(
        low=float(np.tanh(center - above * own)),
        high=float(np.tanh(center - below * own)),
        level=level,
        method=METHOD,
        n_clusters=n_clusters,
        draws=len(drawn),
        n_undefined=n_unusable,
        seed=seed,
    )


def _errors(moments: Floats, weights: Floats, n_readers: int) -> Floats:
    """Linearized standard error of z under each weighting: gradient by moments times the clusters' moments."""
    scores = _gradient(weights @ moments, n_readers) @ moments.T
    n_clusters = weights.sum(axis=1)
    middle = (weights * scores).sum(axis=1) / n_clusters
    spread = (weights * scores**2).sum(axis=1) - n_clusters * middle**2
    return np.asarray(np.sqrt(np.maximum(0.0, spread) * n_clusters / (n_clusters - 1.0)))


def _gradient(sums: Floats, k: int) -> Floats:
    """Derivative of Fisher's z of ICC(A,1) by each summed moment, draws × moments."""
    size, by_reader, units = sums[:, :1], sums[:, 1 : k + 1], sums[:, -1:]
    whole = by_reader.sum(axis=1, keepdims=True)
    level = whole**2 / (k * size)
    squares = (by_reader**2).sum(axis=1, keepdims=True) / size
    between = k * units - level
    error = sums[:, -2:-1] - k * units - squares + level
    d_between, d_readers, d_error = (np.zeros_like(sums) for _ in range(3))
    by_whole, own = 2.0 * whole / (k * size), 2.0 * by_reader / size
    d_between[:, 1 : k + 1], d_between[:, -1], d_between[:, :1] = -by_whole, k, level / size
    d_readers[:, 1 : k + 1], d_readers[:, :1] = own - by_whole, (level - squares) / size
    d_error[:, 1 : k + 1], d_error[:, -1], d_error[:, -2] = by_whole - own, -k, 1.0
    d_error[:, :1] = (squares - level) / size
    free = size - 1.0
    d_between, d_readers, d_error = d_between / free, d_readers / (k - 1), d_error / (free * (k - 1))
    between, readers, error = between / free, (squares - level) / (k - 1), error / (free * (k - 1))
    d_between[:, :1] -= between / free
    d_error[:, :1] -= error / free
    above, below = between - error, between + (k - 1) * error + k * (readers - error) / size
    d_below = d_between + (k - 1) * d_error + k * (d_readers - d_error) / size
    d_below[:, :1] -= k * (readers - error) / size**2
    safe = np.where(below > 0, below, 1.0)
    value = np.clip(above / safe, -_CERTAIN, _CERTAIN)
    return np.asarray(((d_between - d_error) - value * d_below) / safe / (1.0 - value**2))
