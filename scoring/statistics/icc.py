"""Intraclass correlations: six forms on complete data, F-based intervals, REML where there are gaps.

Forms follow McGraw and Wong: "1" one-way, "A" two-way absolute agreement, "C" two-way consistency; ",1" a single
reading, ",k" the mean of the readings.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import Interval
from scoring.statistics.ratings import as_ratings, require_complete

Form = Literal["1,1", "1,k", "A,1", "A,k", "C,1", "C,k"]
FORMS: tuple[Form, ...] = ("1,1", "1,k", "A,1", "A,k", "C,1", "C,k")


@dataclass(frozen=True, kw_only=True)
class MeanSquares:
    """Two-way analysis of variance of a complete table.

    Attributes:
        n_units: units.
        n_readers: readers.
        units: mean square between units.
        readers: mean square between readers.
        error: residual mean square.
        within: mean square within units (readers and residual together).
    """

    n_units: int
    n_readers: int
    units: float
    readers: float
    error: float
    within: float


def icc(ratings: ArrayLike, *, form: Form) -> float:
    """Intraclass correlation of complete data.

    Args:
        ratings: readers × units, complete.
        form: "1,1", "1,k", "A,1", "A,k", "C,1" or "C,k".

    Returns:
        1 for perfect agreement; 0 or negative when readings of a unit are no more alike than others.

    Raises:
        UndefinedStatisticError: `gaps` (use `icc_reml`), `too_few_readers` and `too_few_units` below two,
            `no_variation` when the ratings do not vary, or not enough for this form's denominator.

    References:
        McGraw and Wong, Psychological Methods 1(1), 1996, doi:10.1037/1082-989X.1.1.30;
        Shrout and Fleiss, Psychological Bulletin 86(2), 1979, doi:10.1037/0033-2909.86.2.420.
    """
    return _value(mean_squares(ratings), form)


def mean_squares(ratings: ArrayLike) -> MeanSquares:
    """Mean squares of a complete table.

    Raises:
        UndefinedStatisticError: as `icc`.
    """
    table = as_ratings(ratings)
    require_complete(table, statistic="ICC from mean squares")
    n_readers, n_units = table.shape
    if n_readers < 2:
        raise UndefinedStatisticError("too_few_readers", "an ICC needs two readers, there is one")
    if n_units < 2:
        raise UndefinedStatisticError("too_few_units", "an ICC needs two units, there is one")
    if float(table.min()) == float(table.max()):
        raise UndefinedStatisticError("no_variation", "all ratings are equal")
    unit_means, reader_means, grand = table.mean(axis=0), table.mean(axis=1), table.mean()
    residual = table - unit_means[None, :] - reader_means[:, None] + grand
    # Constant rows and columns leave rounding residue, which must read as exactly 0.
    scale = float(np.abs(table).max()) * 1e-12
    residual[np.abs(residual) <= scale] = 0.0
    within = table - unit_means[None, :]
    within[np.abs(within) <= scale] = 0.0
    return MeanSquares(
        n_units=n_units,
        n_readers=n_readers,
        units=n_readers * float(((unit_means - grand) ** 2).sum()) / (n_units - 1),
        readers=n_units * float(((reader_means - grand) ** 2).sum()) / (n_readers - 1),
        error=float((residual**2).sum()) / ((n_units - 1) * (n_readers - 1)),
        within=float((within**2).sum()) / (n_units * (n_readers - 1)),
    )


def icc_interval(ratings: ArrayLike, *, form: Form, level: float = 0.95) -> Interval:
    """F-based interval of an ICC; units are taken as independent (one per cluster).

    Args:
        ratings: readers × units, complete.
        form: as for `icc`.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: as `icc`; `no_variation` when readers never differ, so that the F ratio is
            infinite.

    References:
        McGraw and Wong 1996, table 7, doi:10.1037/1082-989X.1.1.30.
    """
    squares = mean_squares(ratings)
    _value(squares, form)
    low, high = _absolute_limits(squares, level) if form[0] == "A" else _ratio_limits(squares, form, level)
    if form.endswith("k"):
        low, high = (_mean_of(value, squares.n_readers) for value in (low, high))
    return Interval(low=low, high=high, level=level, method="F")


def _value(squares: MeanSquares, form: Form) -> float:
    n, k = squares.n_units, squares.n_readers
    between, error = squares.units, squares.error
    match form:
        case "1,1":
            parts = between - squares.within, between + (k - 1) * squares.within
        case "1,k":
            parts = between - squares.within, between
        case "A,1":
            parts = between - error, between + (k - 1) * error + k * (squares.readers - error) / n
        case "A,k":
            parts = between - error, between + (squares.readers - error) / n
        case "C,1":
            parts = between - error, between + (k - 1) * error
        case "C,k":
            parts = between - error, between
        case _:
            raise UndefinedStatisticError("unknown_category", f"{form!r} is not one of {', '.join(FORMS)}")
    if parts[1] <= 0:
        raise UndefinedStatisticError("no_variation", f"units do not differ enough for ICC({form})")
    return float(parts[0] / parts[1])


def _quantile(probability: float, numerator: float, denominator: float) -> float:
    """Quantile of the F distribution; `scipy.special` loads here because it is heavy."""
    from scipy.special import fdtri

    return float(fdtri(numerator, denominator, probability))


def _ratio_limits(squares: MeanSquares, form: Form, level: float) -> tuple[float, float]:
    """Limits of the single-reading forms whose F ratio is exact: one-way and consistency."""
    n, k = squares.n_units, squares.n_readers
    one_way = form[0] == "1"
    error = squares.within if one_way else squares.error
    freedom = n * (k - 1) if one_way else (n - 1) * (k - 1)
    if error <= 0:
        raise UndefinedStatisticError("no_variation", "readers never differ, so there is no interval")
    ratio, upper = squares.units / error, 0.5 + level / 2.0
    low = ratio / _quantile(upper, n - 1, freedom)
    high = ratio * _quantile(upper, freedom, n - 1)
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _absolute_limits(squares: MeanSquares, level: float) -> tuple[float, float]:
    """Limits of ICC(A,1) with Satterthwaite's degrees of freedom."""
    n, k = squares.n_units, squares.n_readers
    between, readers, error = squares.units, squares.readers, squares.error
    value = _value(squares, "A,1")
    if value >= 1 or (readers <= 0 and error <= 0):
        raise UndefinedStatisticError("no_variation", "readers never differ, so there is no interval")
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * readers + b * error) ** 2 / spread
    upper = 0.5 + level / 2.0
    rest = k * readers + (k * n - k - n) * error
    low_f, high_f = _quantile(upper, n - 1, freedom), _quantile(upper, freedom, n - 1)
    low = n * (between - low_f * error) / (low_f * rest + n * between)
    high = n * (high_f * between - error) / (rest + n * high_f * between)
    return low, high


def _mean_of(single: float, k: float) -> float:
    """Spearman–Brown: reliability of the mean of k readings from that of one."""
    return k * single / (1 + (k - 1) * single)
