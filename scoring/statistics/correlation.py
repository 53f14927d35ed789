"""Rank correlations with ties: Kendall's tau-b and Spearman's rho."""

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import Floats

_ROWS_AT_ONCE = 256


def kendall_tau_b(a: ArrayLike, b: ArrayLike) -> float:
    """Kendall's tau-b: concordant minus discordant pairs, corrected for ties, −1…1.

    Args:
        a: values of the first measure, one per unit; NaN where absent.
        b: values of the second on the same units. Units with either absent are left out.

    Raises:
        UndefinedStatisticError: `too_few_units` below two shared units, `no_variation` when one measure is
            constant on them, `shape` for different lengths.

    References:
        Kendall, Biometrika 33(3), 1945, doi:10.1093/biomet/33.3.239.

    Example:
        >>> kendall_tau_b([1, 2, 3], [1, 3, 2])
        0.3333333333333333
    """
    first, second = _shared(a, b)
    score, untied_a, untied_b = 0, 0, 0
    for start in range(0, first.size, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        sign_a = np.sign(first[rows, None] - first[None, :])
        sign_b = np.sign(second[rows, None] - second[None, :])
        score += int((sign_a * sign_b).sum())
        untied_a += int(np.count_nonzero(sign_a))
        untied_b += int(np.count_nonzero(sign_b))
    return score / float(np.sqrt(untied_a) * np.sqrt(untied_b))


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rho: the product-moment correlation of mid-ranks, −1…1.

    Args:
        a: values of the first measure, one per unit; NaN where absent.
        b: values of the second on the same units. Units with either absent are left out.

    Raises:
        UndefinedStatisticError: as for `kendall_tau_b`.

    References:
        Spearman, American Journal of Psychology 15(1), 1904, doi:10.2307/1412159.
    """
    first, second = _shared(a, b)
    rank_a, rank_b = mid_ranks(first), mid_ranks(second)
    rank_a -= rank_a.mean()
    rank_b -= rank_b.mean()
    value = float(rank_a @ rank_b) / float(np.sqrt(rank_a @ rank_a) * np.sqrt(rank_b @ rank_b))
    return max(-1.0, min(1.0, value))


def mid_ranks(values: Floats) -> Floats:
    """Ranks from 1 for the smallest value; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def _shared(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(a, dtype=np.float64).ravel(), np.asarray(b, dtype=np.float64).ravel()
    if first.size != second.size:
        raise UndefinedStatisticError("shape", f"the measures have {first.size} and {second.size} values")
    shared = ~np.isnan(first) & ~np.isnan(second)
    first, second = first[shared], second[shared]
    if first.size < 2:
        raise UndefinedStatisticError("too_few_units", f"a correlation needs two units, there are {first.size}")
    if first.min() == first.max() or second.min() == second.max():
        raise UndefinedStatisticError("no_variation", "one of the two measures is constant")
    return first, second
