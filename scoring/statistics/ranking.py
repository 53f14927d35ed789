"""Ranks with their intervals, and strengths from paired preferences (Bradley–Terry with ties)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import Floats

Choice = Literal["left", "right", "tie", "both_bad"]

_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class RankInterval:
    """Where a system may stand.

    Attributes:
        low: best plausible rank, 1 is the top.
        high: worst plausible rank.
        level: coverage aimed at.
    """

    low: int
    high: int
    level: float


def ranks(scores: Sequence[float]) -> list[int]:
    """Rank of each score, 1 for the highest; equal scores share the better rank (1, 1, 3)."""
    return [1 + sum(other > score for other in scores) for score in scores]


def rank_intervals(draws: ArrayLike, *, level: float = 0.95) -> list[RankInterval]:
    """Rank intervals from resampled scores, higher is better.

    Tied systems occupy all their shared places: two identical systems on top both get 1–2.

    Args:
        draws: resamples × systems, finite, made with the same resamples for every system.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `empty` without draws, `unusable_value` for a value that is not finite.

    References:
        Goldstein and Spiegelhalter, JRSS A 159(3), 1996, doi:10.2307/2983325.
    """
    table = np.asarray(draws, dtype=np.float64)
    if table.ndim != 2 or table.size == 0:
        raise UndefinedStatisticError("empty", "there are no resampled scores")
    if not bool(np.isfinite(table).all()):
        raise UndefinedStatisticError("unusable_value", "a resampled score is not finite")
    tail = (1.0 - level) / 2.0
    found = []
    for place in range(table.shape[1]):
        above = (table > table[:, place : place + 1]).sum(axis=1)
        level_with = (table == table[:, place : place + 1]).sum(axis=1)
        low = np.quantile(above + 1, tail, method="inverted_cdf")
        high = np.quantile(above + level_with, 1.0 - tail, method="inverted_cdf")
        found.append(RankInterval(low=int(low), high=int(high), level=level))
    return found


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One preference: what stood left, what stood right, what was chosen."""

    left: str
    right: str
    choice: Choice


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """Fitted preferences, on the scale of log odds.

    Attributes:
        strengths: system → strength; they sum to 0, higher is preferred.
        side_effect: log odds in favor of the left side between equal systems.
        tie: log ν of the tie model; higher means more ties.
        n_comparisons: preferences that entered.
        n_ties: of these ties, "both bad" included.
        n_both_bad: of these "both bad".
    """

    strengths: dict[str, float]
    side_effect: float
    tie: float
    n_comparisons: int
    n_ties: int
    n_both_bad: int


def bradley_terry(
    comparisons: Sequence[Comparison], *, weights: Sequence[float] | None = None, prior_sd: float = 2.0
) -> Strengths:
    """Davidson's tie model with a side effect and a weak Gaussian prior.

    P(left) ∝ exp(s_left + side), P(right) ∝ exp(s_right), P(tie) ∝ ν·exp((s_left + s_right + side)/2).
    The prior keeps an unbeaten system finite. "Both bad" counts as a tie and is reported apart.

    Args:
        comparisons: preferences; the two sides differ.
        weights: how often each counts (resampling of clusters), default 1.
        prior_sd: spread of the prior of every parameter, in log odds.

    Raises:
        UndefinedStatisticError: `empty` without a preference (or all weights 0), `unusable_value` for a
            system compared with itself or a choice that does not exist, `shape` for a wrong number of
            weights.

    References:
        Davidson, Journal of the American Statistical Association 65(329), 1970,
        doi:10.1080/01621459.1970.10481082; order effect: Davidson and Beaver, Biometrics 33(4), 1977,
        doi:10.2307/2529467.
    """
    counted = np.ones(len(comparisons)) if weights is None else np.asarray(weights, dtype=np.float64)
    if counted.size != len(comparisons):
        raise UndefinedStatisticError("shape", f"{len(comparisons)} preferences have {counted.size} weights")
    if not comparisons or float(counted.sum()) <= 0:
        raise UndefinedStatisticError("empty", "there is no preference")
    systems = sorted({name for row in comparisons for name in (row.left, row.right)})
    features, chosen = _features(comparisons, systems)
    fitted = _maximum(features, chosen, counted, 1.0 / prior_sd**2)
    strengths = fitted[: len(systems)] - fitted[: len(systems)].mean()
    return Strengths(
        strengths={name: float(value) for name, value in zip(systems, strengths, strict=True)},
        side_effect=float(fitted[-2]),
        tie=float(fitted[-1]),
        n_comparisons=len(comparisons),
        n_ties=sum(row.choice in ("tie", "both_bad") for row in comparisons),
        n_both_bad=sum(row.choice == "both_bad" for row in comparisons),
    )


def _features(comparisons: Sequence[Comparison], systems: list[str]) -> tuple[Floats, list[int]]:
    """What each alternative (left, right, tie) adds up: strengths, side effect, log ν."""
    places = {name: place for place, name in enumerate(systems)}
    outcomes = {"left": 0, "right": 1, "tie": 2, "both_bad": 2}
    features = np.zeros((len(comparisons), 3, len(systems) + 2))
    chosen = []
    for row, comparison in enumerate(comparisons):
        if comparison.left == comparison.right or comparison.choice not in outcomes:
            raise UndefinedStatisticError("unusable_value", f"preference {row + 1}: {comparison} cannot be used")
        left, right = places[comparison.left], places[comparison.right]
        features[row, 0, [left, -2]] = 1.0
        features[row, 1, right] = 1.0
        features[row, 2, [left, right, -2]] = 0.5
        features[row, 2, -1] = 1.0
        chosen.append(outcomes[comparison.choice])
    return features, chosen


def _maximum(features: Floats, chosen: list[int], weights: Floats, precision: float) -> Floats:
    """Newton's method with halved steps; the penalized likelihood is concave."""
    picked = features[np.arange(len(chosen)), chosen]
    point = np.zeros(features.shape[2])

    def objective(at: Floats) -> float:
        logits = features @ at
        top = logits.max(axis=1)
        normal = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float(weights @ (picked @ at - normal)) - precision * float(at @ at) / 2.0

    for _ in range(_STEPS):
        logits = features @ point
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        mean = np.einsum("na,nap->np", shares, features)
        gradient = weights @ (picked - mean) - precision * point
        spread = np.einsum("na,nap,naq->pq", shares * weights[:, None], features, features)
        curvature = spread - mean.T @ (weights[:, None] * mean) + precision * np.eye(point.size)
        step = np.linalg.solve(curvature, gradient)
        before = objective(point)
        while objective(point + step) < before and float(np.abs(step).max()) > 1e-12:
            step = step / 2.0
        point = point + step
        if float(np.abs(step).max()) < 1e-10:
            return point
    raise UndefinedStatisticError("no_convergence", "the preference model did not settle")
