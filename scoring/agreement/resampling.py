"""Limits of weighted kappa over resampled clusters, beside those of an ICC from `scoring.statistics`.

Outputs of one item, and items of one case, are read with each other in mind. The F limits of an ICC take every
output as independent and come out wrong then; these draw whole clusters, as every other interval of a study does.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.statistics import Interval, cohen_kappa
from scoring.statistics.icc_bootstrap import icc_cluster_interval
from scoring.statistics.intervals import (
    DRAWS,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)

Floats = NDArray[np.float64]
_NO_SPREAD = 1e-12

__all__ = ["icc_cluster_interval", "kappa_cluster_interval"]


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
