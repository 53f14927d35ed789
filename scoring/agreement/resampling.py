"""Limits of intraclass correlations and of weighted kappa over resampled clusters.

Outputs of one item, and items of one case, are read with each other in mind. The F limits of an ICC take every
output as independent and come out wrong then; these draw whole clusters, as every other interval of a study does.
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.statistics import Interval, cohen_kappa, icc
from scoring.statistics.intervals import (
    DRAWS,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)

Floats = NDArray[np.float64]
_NO_SPREAD = 1e-12


def icc_cluster_interval(
    table: Floats, *, form: Literal["A,1", "A,k"], clusters: Sequence[Hashable], seed: int, draws: int = DRAWS
) -> Interval:
    """Percentile interval of ICC(A,1) or ICC(A,k) over resampled clusters of units; readers are fixed.

    Args:
        table: readers × units, complete, at least two readers.
        form: a single reading, or the mean of all readers.
        clusters: cluster of each unit.
        seed: seed of the resamples.
        draws: number of resamples.

    Raises:
        UndefinedStatisticError: as `icc`; `too_few_clusters` below ten clusters; `unstable` when the
            coefficient does not exist in more than 5 % of the resamples; `shape` when there is not one cluster
            per unit.
    """
    icc(table, form=form)
    places, n_clusters = cluster_positions(clusters, size=table.shape[1])
    require_clusters(n_clusters)
    weights = resample_counts(n_clusters, draws=draws, seed=seed)[:, places].astype(np.float64)
    values, defined = _absolute_agreement(table, weights, single=form == "A,1")
    return percentile_interval(
        values, defined, level=0.95, n_clusters=n_clusters, seed=seed, method="cluster bootstrap"
    )


def kappa_cluster_interval(
    a: Floats,
    b: Floats,
    *,
    categories: Sequence[float],
    clusters: Sequence[Hashable],
    seed: int,
    draws: int = DRAWS,
) -> Interval:
    """Percentile interval of quadratic-weighted kappa of two readers over resampled clusters of units.

    Args:
        a: values of the first reader on the units both graded, in `categories`.
        b: values of the second reader, same order.
        categories: the declared scale, rising.
        clusters: cluster of each unit.
        seed: seed of the resamples.
        draws: number of resamples.

    Raises:
        UndefinedStatisticError: as `cohen_kappa`; `too_few_clusters` below ten clusters; `unstable` when the
            coefficient does not exist in more than 5 % of the resamples.
    """
    cohen_kappa(a, b, categories=categories, weights="quadratic")
    places, n_clusters = cluster_positions(clusters, size=a.size)
    require_clusters(n_clusters)
    size = len(categories)
    cells = np.searchsorted(categories, a) * size + np.searchsorted(categories, b)
    tables = np.zeros((n_clusters, size * size))
    np.add.at(tables, (places, cells), 1.0)
    drawn = resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64) @ tables
    values, defined = _quadratic_kappa(drawn.reshape(draws, size, size))
    return percentile_interval(
        values, defined, level=0.95, n_clusters=n_clusters, seed=seed, method="cluster bootstrap"
    )


def _quadratic_kappa(tables: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Kappa of each table of counts (draws × levels × levels), and whether it exists there."""
    steps = np.arange(tables.shape[1])
    distance = (steps[:, None] - steps[None, :]).astype(np.float64) ** 2
    total = tables.sum(axis=(1, 2))
    observed = (tables * distance).sum(axis=(1, 2)) / total
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    expected = np.einsum("di,ij,dj->d", rows, distance, columns) / total**2
    defined = expected > _NO_SPREAD
    return 1.0 - observed / np.where(defined, expected, 1.0), defined


def _absolute_agreement(table: Floats, weights: Floats, *, single: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """The coefficient of each row of unit weights (draws × units), and whether it exists there."""
    n_readers = table.shape[0]
    centered = table - table.mean()
    n_units = weights.sum(axis=1)
    reader_means = weights @ centered.T / n_units[:, None]
    grand = reader_means.mean(axis=1)
    total = weights @ (centered**2).sum(axis=0) - n_units * n_readers * grand**2
    units = n_readers * (weights @ centered.mean(axis=0) ** 2 - n_units * grand**2)
    readers = n_units * ((reader_means - grand[:, None]) ** 2).sum(axis=1)
    error = np.maximum(0.0, total - units - readers) / ((n_units - 1) * (n_readers - 1))
    between, among = units / (n_units - 1), readers / (n_readers - 1)
    if single:
        whole = between + (n_readers - 1) * error + n_readers * (among - error) / n_units
    else:
        whole = between + (among - error) / n_units
    defined = (total > _NO_SPREAD * n_units) & (whole > 0)
    return (between - error) / np.where(defined, whole, 1.0), defined
