"""Tests between systems: sign flips by cluster and Holm's correction over a stated family."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import cluster_positions
from scoring.statistics.ratings import Floats

EXACT_CLUSTERS = 14
"""Up to this many clusters with a difference all 2^n flips are tried."""

DRAWS = 9999
_ROWS_AT_ONCE = 1000


def sign_flip_test(differences: ArrayLike, *, clusters: Sequence[Hashable], seed: int, draws: int = DRAWS) -> float:
    """Two-sided p of "no difference": the signs of whole clusters are flipped.

    The statistic is the absolute sum of the differences, so they may carry weights. A cluster whose differences
    cancel or are zero stays in and flips to itself. Exact up to 14 clusters with a difference, otherwise Monte
    Carlo with the observed arrangement counted in.

    Args:
        differences: paired differences, one per row.
        clusters: cluster of each row.
        seed: seed of the Monte Carlo flips (unused when exact).
        draws: Monte Carlo flips.

    Returns:
        p in (0, 1]; 1 for two identical systems.

    Raises:
        UndefinedStatisticError: `empty` without a difference, `unusable_value` for one that is not finite.

    References:
        Winkler et al., NeuroImage 123, 2015, doi:10.1016/j.neuroimage.2015.05.092 (whole-block exchange);
        Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9(1), 2010,
        doi:10.2202/1544-6115.1585 (no p of 0).
    """
    values = np.asarray(differences, dtype=np.float64).ravel()
    if values.size == 0:
        raise UndefinedStatisticError("empty", "there is no paired difference")
    if not bool(np.isfinite(values).all()):
        raise UndefinedStatisticError("unusable_value", "a difference is not finite")
    places, n_clusters = cluster_positions(clusters, size=values.size)
    sums = np.bincount(places, weights=values, minlength=n_clusters).astype(np.float64)
    return sign_flip_p_values(sums[None, :], seed=seed, draws=draws)[0]


def sign_flip_p_values(sums: Floats, *, seed: int, draws: int = DRAWS) -> list[float]:
    """p of each row of cluster sums (pairs × clusters); rows share the Monte Carlo flips."""
    used = [np.flatnonzero(row) for row in sums]
    found = [
        _exact(row[where]) if flips_are_exact(where.size) else None for row, where in zip(sums, used, strict=True)
    ]
    sampled = [index for index, p in enumerate(found) if p is None]
    drawn = iter(_sampled(sums[sampled], seed=seed, draws=draws) if sampled else ())
    return [next(drawn) if p is None else p for p in found]


def flips_are_exact(n_different: int) -> bool:
    """Whether all flips are tried for this many clusters with a difference."""
    return n_different <= EXACT_CLUSTERS


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given; never below the raw p, never above 1.

    Args:
        p_values: raw p of every test of the stated family.

    Raises:
        UndefinedStatisticError: `unusable_value` for a p outside 0…1.

    References:
        Holm, Scandinavian Journal of Statistics 6(2), 1979, https://www.jstor.org/stable/4615733.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise UndefinedStatisticError("unusable_value", f"p {p} is outside 0…1")
    adjusted = [0.0] * len(p_values)
    floor = 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        floor = max(floor, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def _exact(sums: Floats) -> float:
    if sums.size == 0:
        return 1.0
    patterns = np.arange(2 ** (sums.size - 1), dtype=np.int64)
    flips = 1.0 - 2.0 * ((patterns[:, None] >> np.arange(sums.size)) & 1)
    totals = np.abs(flips @ sums)
    return float(np.mean(totals >= abs(float(sums.sum())) - _slack(sums)))


def _sampled(sums: Floats, *, seed: int, draws: int) -> list[float]:
    generator = np.random.Generator(np.random.PCG64(seed))
    limits = np.abs(sums.sum(axis=1)) - np.array([_slack(row) for row in sums])
    reached = np.zeros(len(sums), dtype=np.int64)
    for start in range(0, draws, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, draws - start)
        flips = 1.0 - 2.0 * generator.integers(0, 2, size=(rows, sums.shape[1]), dtype=np.int8)
        reached += (np.abs(flips @ sums.T) >= limits).sum(axis=0)
    return [float(count + 1) / (draws + 1) for count in reached]


def _slack(sums: Floats) -> float:
    """Sums that differ only by rounding count as equal."""
    return 1e-12 * float(np.abs(sums).sum())
