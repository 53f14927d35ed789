"""Gwet's AC1 and AC2: agreement whose chance term stays small when one level prevails."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import Weights, agreement_weights, as_ratings, counts_by_unit


def gwet_ac(ratings: ArrayLike, *, categories: Sequence[Hashable], weights: Weights = None) -> float:
    """AC1 (no weights) or AC2 (linear, quadratic) of any number of readers, gaps allowed.

    Observed agreement averages the units with at least two ratings; the shares of the levels average all
    units with at least one.

    Args:
        ratings: readers × units, NaN where a reader did not grade.
        categories: the declared scale; an unused level changes the value.
        weights: None for AC1, "linear" or "quadratic" for AC2.

    Returns:
        1 for perfect agreement, 0 for what chance gives; may be negative. Perfect agreement on a single
        level of a scale with several is 1 (unlike kappa and alpha, which have no value there).

    Raises:
        UndefinedStatisticError: `no_pairs` when no unit has two ratings, `no_variation` for a scale of
            one level, `unknown_category` for a value outside it.

    References:
        Gwet, British Journal of Mathematical and Statistical Psychology 61(1), 2008,
        doi:10.1348/000711006X126600; gaps and weights: Handbook of Inter-Rater Reliability, 4th ed., 2014.
    """
    table = as_ratings(ratings)
    weight = agreement_weights(categories, weights)
    size = len(categories)
    if size == 1:
        raise UndefinedStatisticError("no_variation", "the scale has a single level")
    counts = counts_by_unit(table, categories).astype(np.float64)
    per_unit = counts.sum(axis=1)
    counts, per_unit = counts[per_unit > 0], per_unit[per_unit > 0]
    paired = per_unit >= 2
    if not bool(paired.any()):
        raise UndefinedStatisticError("no_pairs", "no unit has two ratings")
    several, n_several = counts[paired], per_unit[paired]
    agreeing = (several * (several @ weight - 1.0)).sum(axis=1)
    observed = float(np.mean(agreeing / (n_several * (n_several - 1.0))))
    shares = (counts / per_unit[:, None]).mean(axis=0)
    chance = float(weight.sum()) / (size * (size - 1)) * float((shares * (1.0 - shares)).sum())
    return (observed - chance) / (1.0 - chance)
