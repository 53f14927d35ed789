"""Plain percent agreement, agreement on rare events, and every pair of readers side by side."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.kappa import cohen_kappa
from scoring.statistics.ratings import Floats, as_ratings

MINIMUM_SHARED_UNITS = 10
"""Below this many shared units a pair's kappa is shown as a dash."""


def percent_agreement(ratings: ArrayLike, *, tolerance: float = 0.0) -> float:
    """Share of all pairs of ratings of the same unit that agree, 0…1.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        tolerance: largest difference that still counts as agreement, in units of the scale
            (1 for "within one point").

    Raises:
        UndefinedStatisticError: `no_pairs` when no unit has two ratings.
    """
    table = as_ratings(ratings)
    agreeing = pairs = 0
    for first, second in combinations(range(table.shape[0]), 2):
        gap = np.abs(table[first] - table[second])
        pairs += int(np.count_nonzero(~np.isnan(gap)))
        agreeing += int(np.count_nonzero(gap <= tolerance))
    if pairs == 0:
        raise UndefinedStatisticError("no_pairs", "no unit has two ratings")
    return agreeing / pairs


def positive_agreement(a: ArrayLike, b: ArrayLike) -> float:
    """Agreement on a rare event: 2·both / (flags of a + flags of b), 0…1.

    Args:
        a: 1 where the first reader flagged the unit, 0 where not, NaN where not graded.
        b: the same of the second reader.

    Raises:
        UndefinedStatisticError: `no_variation` when neither flagged a shared unit, `no_pairs` without
            a shared unit, `shape` for different lengths.

    References:
        Cicchetti and Feinstein, Journal of Clinical Epidemiology 43(6), 1990,
        doi:10.1016/0895-4356(90)90159-M.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise UndefinedStatisticError("shape", f"the readers have {first.size} and {second.size} values")
    shared = ~np.isnan(first) & ~np.isnan(second)
    if not bool(shared.any()):
        raise UndefinedStatisticError("no_pairs", "the two readers share no unit")
    flags_a, flags_b = first[shared] > 0, second[shared] > 0
    flags = int(flags_a.sum()) + int(flags_b.sum())
    if flags == 0:
        raise UndefinedStatisticError("no_variation", "neither reader flagged a unit")
    return 2 * int((flags_a & flags_b).sum()) / flags


@dataclass(frozen=True, kw_only=True)
class PairAgreement:
    """Two readers on the units both graded.

    Attributes:
        first: row of the first reader.
        second: row of the second reader.
        n_shared: units that both graded.
        exact: share of them with the same value, None when n_shared is 0.
        kappa: Cohen's kappa, None with a reason.
        quadratic_kappa: with quadratic weights, None with a reason.
        reason: why a kappa is absent ("" when both exist).
    """

    first: int
    second: int
    n_shared: int
    exact: float | None
    kappa: float | None
    quadratic_kappa: float | None
    reason: str


def pairwise_agreement(
    ratings: ArrayLike, *, categories: Sequence[Hashable], minimum: int = MINIMUM_SHARED_UNITS
) -> list[PairAgreement]:
    """Every pair of readers: shared units, exact agreement, kappa, quadratic-weighted kappa.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        categories: the declared scale.
        minimum: shared units below which kappa is withheld (reason `too_few_units`).
    """
    table = as_ratings(ratings)
    return [
        _pair(table, first, second, categories, minimum) for first, second in combinations(range(table.shape[0]), 2)
    ]


def _pair(table: Floats, first: int, second: int, categories: Sequence[Hashable], minimum: int) -> PairAgreement:
    shared = ~np.isnan(table[first]) & ~np.isnan(table[second])
    a, b = table[first][shared], table[second][shared]
    n_shared = int(shared.sum())
    kappa = quadratic = None
    reason = "" if n_shared >= minimum else "too_few_units"
    if not reason:
        try:
            kappa = cohen_kappa(a, b, categories=categories)
            quadratic = cohen_kappa(a, b, categories=categories, weights="quadratic")
        except UndefinedStatisticError as error:
            reason = error.reason
    return PairAgreement(
        first=first,
        second=second,
        n_shared=n_shared,
        exact=float(np.mean(a == b)) if n_shared else None,
        kappa=kappa,
        quadratic_kappa=quadratic,
        reason=reason,
    )
