"""Limits of agreement coefficients over resampled clusters; those of an ICC come from `scoring.statistics`.

Outputs of one item, and items of one case, are read with each other in mind, so whole clusters are drawn, as every
other interval of a study does. Coefficients are sums over outputs put together at the end: the sums are made once per
cluster, and every draw only weighs clusters. Readers are fixed.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scoring.statistics import Interval, UndefinedStatisticError, cohen_kappa
from scoring.statistics.icc_bootstrap import icc_cluster_interval
from scoring.statistics.intervals import (
    DRAWS,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ratings import Weights, agreement_weights, as_ratings, counts_by_unit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
METHOD = "cluster bootstrap"
_NO_SPREAD = 1e-12
_CELLS_AT_ONCE = 4_000_000

__all__ = ["Resampled", "drawn_clusters", "icc_cluster_interval", "kappa_cluster_interval"]


@lru_cache(maxsize=8)
def drawn_clusters(n_clusters: int, *, seed: int, draws: int = DRAWS) -> Floats:
    """How often each cluster is drawn, draws × clusters; the draws of `resample_counts`, made once and kept."""
    found = resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64)
    found.setflags(write=False)
    return found


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
    drawn = drawn_clusters(n_clusters, seed=seed, draws=draws) @ tables
    values, defined = _quadratic_kappa(drawn.reshape(draws, size, size))
    return percentile_interval(values, defined, level=0.95, n_clusters=n_clusters, seed=seed, method=METHOD)


def _quadratic_kappa(tables: Floats) -> tuple[Floats, Flags]:
    """Kappa of each table of counts (draws × levels × levels), and whether it exists there."""
    steps = np.arange(tables.shape[1])
    distance = (steps[:, None] - steps[None, :]).astype(np.float64) ** 2
    total = tables.sum(axis=(1, 2))
    observed = (tables * distance).sum(axis=(1, 2)) / total
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    expected = np.einsum("di,ij,dj->d", rows, distance, columns) / total**2
    defined = expected > _NO_SPREAD
    return 1.0 - observed / np.where(defined, expected, 1.0), defined


class Resampled:
    """The limits of every coefficient of one criterion, from one set of drawn clusters.

    Args:
        ratings: readers × units, NaN where a reader gave no value.
        categories: the declared scale, rising.
        clusters: cluster of each unit.
        seed: seed of the resamples.

    Raises:
        UndefinedStatisticError: `empty` without a rating, `unknown_category` for a value outside the scale.
    """

    def __init__(
        self, ratings: Floats, *, categories: Sequence[float], clusters: Sequence[Hashable], seed: int
    ) -> None:
        self.table = as_ratings(ratings)
        self.scale = np.asarray(categories, dtype=np.float64)
        self.counts = counts_by_unit(self.table, list(categories)).astype(np.float64)
        self.per_unit = self.counts.sum(axis=1)
        self.clusters = list(clusters)
        self.seed = seed

    def ordinal_alpha(self) -> Interval:
        """Limits of Krippendorff's ordinal alpha: those of `alpha_interval`, from sums by cluster."""
        paired = self.per_unit >= 2
        counts = self.counts[paired]
        size = counts.shape[1]
        pairs = counts[:, :, None] * counts[:, None, :]
        pairs[:, np.arange(size), np.arange(size)] -= counts
        pairs /= (self.per_unit[paired] - 1.0)[:, None, None]
        drawn, n_clusters = self._drawn(paired, np.hstack([counts, pairs.reshape(len(counts), size * size)]))
        totals, tables = drawn[:, :size], drawn[:, size:].reshape(-1, size, size)
        middle = np.cumsum(totals, axis=1) - totals / 2.0
        observed, expected = np.empty(len(totals)), np.empty(len(totals))
        step = max(1, _CELLS_AT_ONCE // (size * size))
        for start in range(0, len(totals), step):
            rows = slice(start, start + step)
            distance = (middle[rows, :, None] - middle[rows, None, :]) ** 2
            observed[rows] = (tables[rows] * distance).sum(axis=(1, 2))
            expected[rows] = (totals[rows, :, None] * totals[rows, None, :] * distance).sum(axis=(1, 2))
        defined = (totals > 0).sum(axis=1) > 1
        values = 1.0 - (totals.sum(axis=1) - 1.0) * observed / np.where(defined, expected, 1.0)
        return self._limits(values, defined, n_clusters)

    def percent(self, *, tolerance: float = 0.0) -> Interval:
        """Limits of the share of pairs of ratings that agree, exactly or within a tolerance."""
        near = (np.abs(self.scale[:, None] - self.scale[None, :]) <= tolerance).astype(np.float64)
        agreeing = ((self.counts @ near) * self.counts).sum(axis=1) - self.per_unit
        sums = np.column_stack([agreeing, self.per_unit * (self.per_unit - 1.0)])
        drawn, n_clusters = self._drawn(self.per_unit >= 2, sums[self.per_unit >= 2])
        return self._limits(drawn[:, 0] / drawn[:, 1], np.ones(len(drawn), dtype=np.bool_), n_clusters)

    def gwet(self, *, weights: Weights = None) -> Interval:
        """Limits of AC1 (no weights) or AC2. Outputs with one rating enter the shares of the levels."""
        weight = agreement_weights(self.scale.tolist(), weights)
        size, rated = self.scale.size, self.per_unit > 0
        paired = self.per_unit >= 2
        self._require(paired)
        pairs = np.where(paired, self.per_unit * (self.per_unit - 1.0), 1.0)
        agreeing = np.where(paired, (self.counts * (self.counts @ weight - 1.0)).sum(axis=1) / pairs, 0.0)
        shares = self.counts / np.where(rated, self.per_unit, 1.0)[:, None]
        sums = np.column_stack([agreeing, paired.astype(np.float64), rated.astype(np.float64), shares])
        drawn, n_clusters = self._drawn(rated, sums[rated])
        defined = drawn[:, 1] > 0
        observed = drawn[:, 0] / np.where(defined, drawn[:, 1], 1.0)
        levels = drawn[:, 3:] / drawn[:, 2:3]
        chance = float(weight.sum()) / (size * (size - 1)) * (levels * (1.0 - levels)).sum(axis=1)
        return self._limits((observed - chance) / (1.0 - chance), defined, n_clusters)

    def fleiss(self) -> Interval:
        """Limits of Fleiss' kappa on complete data."""
        n_readers = self.table.shape[0]
        agreeing = (self.counts * (self.counts - 1.0)).sum(axis=1) / (n_readers * (n_readers - 1.0))
        everything = np.ones(len(self.counts), dtype=np.bool_)
        drawn, n_clusters = self._drawn(everything, np.column_stack([agreeing, everything, self.counts]))
        levels = drawn[:, 2:] / drawn[:, 2:].sum(axis=1, keepdims=True)
        chance = (levels**2).sum(axis=1)
        defined = chance < 1.0 - _NO_SPREAD
        values = (drawn[:, 0] / drawn[:, 1] - chance) / np.where(defined, 1.0 - chance, 1.0)
        return self._limits(values, defined, n_clusters)

    def mean_of_reader(self, row: int) -> Interval:
        """Limits of a reader's mean over the outputs the reader graded."""
        values = self.table[row]
        given = ~np.isnan(values)
        drawn, n_clusters = self._drawn(given, np.column_stack([values[given], np.ones(int(given.sum()))]))
        return self._limits(drawn[:, 0] / drawn[:, 1], np.ones(len(drawn), dtype=np.bool_), n_clusters)

    def _require(self, units: Flags) -> None:
        require_clusters(len({self.clusters[unit] for unit in np.nonzero(units)[0].tolist()}))

    def _drawn(self, units: Flags, sums: Floats) -> tuple[Floats, int]:
        """Sums of these units in every draw, and the clusters they lie in."""
        kept = [self.clusters[unit] for unit in np.nonzero(units)[0].tolist()]
        places, n_clusters = cluster_positions(kept, size=len(kept))
        require_clusters(n_clusters)
        by_cluster = np.zeros((n_clusters, sums.shape[1]))
        np.add.at(by_cluster, places, sums)
        return drawn_clusters(n_clusters, seed=self.seed) @ by_cluster, n_clusters

    def _limits(self, values: Floats, defined: Flags, n_clusters: int) -> Interval:
        if not bool(np.isfinite(values[defined]).all()):
            raise UndefinedStatisticError("unstable", "the coefficient does not exist in some resamples")
        return percentile_interval(values, defined, level=0.95, n_clusters=n_clusters, seed=self.seed, method=METHOD)
