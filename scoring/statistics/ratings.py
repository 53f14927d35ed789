"""Shapes and scales shared by the agreement coefficients.

Ratings are an array readers × units; NaN marks a unit that a reader did not grade. A declared scale
(`categories`) lists every level that could have been chosen, used or not, in its order.
"""

from collections.abc import Hashable, Sequence
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.errors import UndefinedStatisticError

Weights = Literal["linear", "quadratic"] | None
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def as_ratings(ratings: ArrayLike) -> Floats:
    """Ratings as a float array readers × units.

    Raises:
        UndefinedStatisticError: `shape` when not two-dimensional, `empty` without a single rating,
            `unusable_value` for an infinite one.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise UndefinedStatisticError("shape", f"ratings must be readers × units, got {table.ndim} dimensions")
    if table.size == 0 or bool(np.isnan(table).all()):
        raise UndefinedStatisticError("empty", "there is no rating")
    if bool(np.isinf(table).any()):
        raise UndefinedStatisticError("unusable_value", "a rating is infinite")
    return table


def require_complete(table: Floats, *, statistic: str) -> None:
    """Refuse gaps by number.

    Raises:
        UndefinedStatisticError: `gaps` when a reader did not grade some unit.
    """
    gaps = int(np.isnan(table).sum())
    if gaps:
        raise UndefinedStatisticError(
            "gaps", f"{statistic} needs every reader on every unit; {gaps} of {table.size} ratings are absent"
        )


def category_positions(values: Sequence[Hashable] | Floats, categories: Sequence[Hashable]) -> Counts:
    """Position of each value in the declared scale; -1 where the value is absent (None or NaN).

    Raises:
        UndefinedStatisticError: `unknown_category` for a value outside the scale, or a level declared twice.
    """
    places = {category: place for place, category in enumerate(categories)}
    if len(places) != len(categories):
        raise UndefinedStatisticError("unknown_category", "a level is declared twice")
    flat: Sequence[Hashable] = values.ravel().tolist() if isinstance(values, np.ndarray) else values
    found = np.empty(len(flat), dtype=np.int64)
    for index, value in enumerate(flat):
        absent = value is None or (isinstance(value, float) and isnan(value))
        if not absent and value not in places:
            raise UndefinedStatisticError("unknown_category", f"{value!r} is not on the scale {list(categories)}")
        found[index] = -1 if absent else places[value]
    return found


def counts_by_unit(table: Floats, categories: Sequence[Hashable]) -> Counts:
    """How many readers chose each level, units × levels."""
    places = category_positions(table, categories).reshape(table.shape)
    counts = np.zeros((table.shape[1], len(categories)), dtype=np.int64)
    readers, units = np.nonzero(places >= 0)
    np.add.at(counts, (units, places[readers, units]), 1)
    return counts


def agreement_weights(categories: Sequence[Hashable], weights: Weights) -> Floats:
    """Weight of agreement between every two levels: 1 on the diagonal, 0 between the ends of the scale.

    Numeric levels are as far apart as their values, others as their places in the declared order.

    Args:
        categories: the declared scale, at least one level.
        weights: None (identity), "linear" 1 − d/D or "quadratic" 1 − (d/D)², D being the widest distance.

    Raises:
        UndefinedStatisticError: `empty` without a level, `unknown_category` for an unknown kind of weights.
    """
    if not categories:
        raise UndefinedStatisticError("empty", "the scale has no level")
    size = len(categories)
    if weights is None or size == 1:
        return np.eye(size)
    if weights not in ("linear", "quadratic"):
        raise UndefinedStatisticError("unknown_category", f"weights {weights!r} are not linear or quadratic")
    numeric = all(isinstance(category, int | float) for category in categories)
    places = np.array(categories if numeric else range(size), dtype=np.float64)
    distance = np.abs(places[:, None] - places[None, :])
    share = distance / distance.max()
    disagreement: Floats = share if weights == "linear" else share**2
    return 1.0 - disagreement
