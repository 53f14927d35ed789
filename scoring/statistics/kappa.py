"""Chance-corrected agreement of two readers (Cohen) and of any number with complete data (Fleiss)."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import (
    Floats,
    Weights,
    agreement_weights,
    as_ratings,
    category_positions,
    counts_by_unit,
    require_complete,
)


def cohen_kappa(
    a: Sequence[Hashable] | Floats,
    b: Sequence[Hashable] | Floats,
    *,
    categories: Sequence[Hashable],
    weights: Weights = None,
) -> float:
    """Cohen's kappa of two readers, plain or weighted.

    Args:
        a: values of the first reader, one per unit; None or NaN where absent.
        b: values of the second reader on the same units.
        categories: the declared scale; an unused end level changes weighted kappa.
        weights: None, "linear" or "quadratic" (see `agreement_weights`).

    Returns:
        1 for perfect agreement, 0 for what chance gives, negative below chance. Units that one of the two
        did not grade are left out.

    Raises:
        UndefinedStatisticError: `shape` for different lengths, `no_pairs` without a shared unit,
            `no_variation` when both used one and the same level throughout (chance alone then agrees fully),
            `unknown_category` for a value outside the scale.

    References:
        Cohen, Educational and Psychological Measurement 20(1), 1960, doi:10.1177/001316446002000104;
        weighted: Psychological Bulletin 70(4), 1968, doi:10.1037/h0026256.

    Example:
        >>> cohen_kappa([1, 1, 2, 2], [1, 1, 2, 1], categories=[1, 2])
        0.5
    """
    if len(a) != len(b):
        raise UndefinedStatisticError("shape", f"the readers have {len(a)} and {len(b)} values")
    first, second = category_positions(a, categories), category_positions(b, categories)
    shared = (first >= 0) & (second >= 0)
    n_shared = int(shared.sum())
    if n_shared == 0:
        raise UndefinedStatisticError("no_pairs", "the two readers share no unit")
    size = len(categories)
    cells = np.bincount(first[shared] * size + second[shared], minlength=size * size).reshape(size, size)
    weight = agreement_weights(categories, weights)
    observed = float((weight * cells).sum()) / n_shared
    chance = float((weight * np.outer(cells.sum(axis=1), cells.sum(axis=0))).sum()) / n_shared**2
    if chance >= 1.0:
        raise UndefinedStatisticError("no_variation", "both readers used one and the same level throughout")
    return (observed - chance) / (1.0 - chance)


def fleiss_kappa(ratings: ArrayLike, *, categories: Sequence[Hashable]) -> float:
    """Fleiss' kappa: nominal agreement of a fixed number of readings per unit.

    Args:
        ratings: readers × units, complete.
        categories: the declared scale. An unused level does not change the value.

    Returns:
        1 for perfect agreement, 0 for what chance gives; may be negative.

    Raises:
        UndefinedStatisticError: `gaps` when a rating is absent (use `krippendorff_alpha`),
            `too_few_readers` below two, `no_variation` when one level was used throughout.

    References:
        Fleiss, Psychological Bulletin 76(5), 1971, doi:10.1037/h0031619.
    """
    table = as_ratings(ratings)
    require_complete(table, statistic="Fleiss' kappa")
    n_readers, n_units = (int(size) for size in table.shape)
    if n_readers < 2:
        raise UndefinedStatisticError("too_few_readers", "agreement needs two readers, there is one")
    counts = counts_by_unit(table, categories).astype(np.float64)
    observed = float((counts * (counts - 1)).sum()) / (n_units * n_readers * (n_readers - 1))
    shares = counts.sum(axis=0) / counts.sum()
    if int(np.count_nonzero(shares)) == 1:
        raise UndefinedStatisticError("no_variation", "one level was used throughout")
    chance = float(shares @ shares)
    return (observed - chance) / (1.0 - chance)
