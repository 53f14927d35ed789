"""Blinding indices: how well guesses of "which system was it?" meet the truth, per system (Bang) and overall (James).

A guess is right, wrong, or "could not tell". Systems are the arms; a guess that names none of them is wrong. With
two systems and only their two names as guesses both indices are those of the papers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.errors import UndefinedStatisticError


@dataclass(frozen=True, kw_only=True)
class BlindingIndex:
    """An index with its standard error and two-sided limits, cut at the ends of its scale.

    Attributes:
        value: the index.
        standard_error: of the multinomial model: guesses count as independent of each other.
        low: lower limit.
        high: upper limit.
        level: coverage aimed at, 0…1.
        n: guesses that entered, "could not tell" among them.
    """

    value: float
    standard_error: float
    low: float
    high: float
    level: float
    n: int


def bang_index(*, right: int, wrong: int, unknown: int, n_systems: int = 2, level: float = 0.95) -> BlindingIndex:
    """Bang's blinding index of one system (arm): the share of guesses that are right beyond chance.

    (right − wrong / (k − 1)) / n, with k systems: whoever guesses at random among k is right once for k − 1 times
    wrong. For k = 2 this is the index of the paper.

    Args:
        right: guesses that name this system, of outputs it made.
        wrong: guesses that name another system, or none of the study.
        unknown: "could not tell".
        n_systems: systems of the study, k ≥ 2.
        level: coverage of the limits, 0…1.

    Returns:
        1 when every guess is right, 0 when guesses are as good as chance or nobody could tell, −1 / (k − 1) when
        every guess is wrong. Higher is worse blinding. The standard error is 0 when all guesses fall together.

    Raises:
        UndefinedStatisticError: `empty` without guesses, `shape` for a negative count or fewer than two systems.

    References:
        Bang, Ni and Davis, Controlled Clinical Trials 25(2), 2004, doi:10.1016/j.cct.2003.10.016.

    Example:
        >>> round(bang_index(right=82, wrong=25, unknown=170).value, 3)
        0.206
    """
    if min(right, wrong, unknown) < 0 or n_systems < 2:
        raise UndefinedStatisticError("shape", "counts are 0 or more, and a guess needs two systems to choose from")
    n = right + wrong + unknown
    if n == 0:
        raise UndefinedStatisticError("empty", "nobody guessed")
    weight = 1.0 / (n_systems - 1)
    p_right, p_wrong = right / n, wrong / n
    value = p_right - weight * p_wrong
    variance = (p_right + weight**2 * p_wrong - value**2) / n
    return _with_limits(value, variance, level=level, n=n, ends=(-weight, 1.0))


def james_index(counts: ArrayLike, unknown: Sequence[int], *, level: float = 0.95) -> BlindingIndex:
    """James' blinding index of all systems together: a kappa of disagreement in which "could not tell" counts full.

    With q the share of guesses, W the share of wrong ones, and E what W·q is for guesses independent of the truth:
    1 − q + q² W / (2 E). The weights are those of the paper: 0 right, 1 for "could not tell"; all wrong guesses
    weigh alike, so their weight cancels.

    Args:
        counts: truth × guess, k × g integers, g ≥ k; guess j < k names system j, further columns name none of them.
        unknown: "could not tell" of each system, k integers.
        level: coverage of the limits, 0…1.

    Returns:
        1 when nobody could tell (or every guess is wrong in the expected way), about 1 − q/2 for guesses that are
        independent of the truth, 0 when every guess is right. Higher is better blinding; an upper limit below 0.5
        is called unblinded in the paper.

    Raises:
        UndefinedStatisticError: `empty` without guesses, `shape` for tables of another form, `no_variation` when
            guesses leave no room for disagreement (all of one system, all naming it).

    References:
        James, Bloch, Lee, Kraemer and Fuller, Statistics in Medicine 15(13), 1996,
        doi:10.1002/(SICI)1097-0258(19960715)15:13<1421::AID-SIM266>3.0.CO;2-H. The variance is the delta method
        on the multinomial table.

    Example:
        >>> round(james_index([[48, 4], [22, 30]], [330, 319]).value, 3)
        0.896
    """
    table, missed = _tables(counts, unknown)
    n = int(table.sum() + missed.sum())
    if n == 0:
        raise UndefinedStatisticError("empty", "nobody guessed")
    if table.sum() == 0:
        return _with_limits(1.0, 0.0, level=level, n=n, ends=(0.0, 1.0))
    shares = table / n
    weights = 1.0 - np.eye(*table.shape)
    guessed, truths, names = float(shares.sum()), shares.sum(axis=1), shares.sum(axis=0)
    wrong = float((weights * shares).sum())
    chance = float(truths @ weights @ names)
    if chance == 0.0:
        raise UndefinedStatisticError("no_variation", "all guesses are of one system and name it")
    value = 1.0 - guessed + guessed**2 * wrong / (2.0 * chance)
    by_chance = (weights @ names)[:, None] + (truths @ weights)[None, :]
    slopes = (
        -1.0 + guessed * wrong / chance + guessed**2 / 2.0 * (weights / chance - wrong * by_chance / chance**2)
    )  # of the index in each share; 0 in those of "could not tell", which enter through 1 − q
    mean = float((slopes * shares).sum())
    variance = (float((slopes**2 * shares).sum()) - mean**2) / n
    return _with_limits(value, variance, level=level, n=n, ends=(0.0, 1.0))


def _tables(counts: ArrayLike, unknown: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table, missed = np.asarray(counts, dtype=np.float64), np.asarray(unknown, dtype=np.float64)
    fits = table.ndim == 2 and missed.shape == table.shape[:1] and table.shape[1] >= table.shape[0] >= 2
    if not fits or (table < 0).any() or (missed < 0).any():
        raise UndefinedStatisticError("shape", "needs truth × guess of two systems or more, with their unknowns")
    return table, missed


def _with_limits(value: float, variance: float, *, level: float, n: int, ends: tuple[float, float]) -> BlindingIndex:
    error = sqrt(max(0.0, variance))
    reach = NormalDist().inv_cdf(0.5 + level / 2.0) * error
    low, high = max(ends[0], value - reach), min(ends[1], value + reach)
    return BlindingIndex(value=value, standard_error=error, low=low, high=high, level=level, n=n)
