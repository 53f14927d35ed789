"""Preferences counted and fitted over resampled clusters: wins and ties of each pair, strengths with their limits.

Fits of many resamples are made together: comparisons of the same two systems on the same sides are one row with the
counts of its outcomes, so that the work grows with the pairs and not with the readers.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ranking import Comparison, RankInterval, bradley_terry, rank_intervals
from scoring.statistics.ratings import Floats

METHOD = "cluster bootstrap"
_OUTCOMES = {"left": 0, "right": 1, "tie": 2, "both_bad": 2}
_STEPS, _HALVINGS, _AT_ONCE = 60, 40, 250


@dataclass(frozen=True, kw_only=True)
class PairCounts:
    """What was said of two systems.

    Attributes:
        first: the one that comes first in the order of keys.
        second: the other one.
        first_wins: comparisons in which the first was better.
        second_wins: in which the second was.
        ties: equally good.
        both_bad: neither usable; no tie here, a tie in the model.
        left_wins: comparisons that the left side won.
        n: all of them.
    """

    first: str
    second: str
    first_wins: int
    second_wins: int
    ties: int
    both_bad: int
    left_wins: int
    n: int

    @property
    def share(self) -> float:
        """Share of the first: wins, and half of what nobody won; 0…1."""
        return (self.first_wins + (self.ties + self.both_bad) / 2.0) / self.n


@dataclass(frozen=True, kw_only=True)
class StrengthIntervals:
    """Limits of everything that `bradley_terry` estimates, from the same resamples.

    Attributes:
        strengths: system → interval of its strength, in log odds.
        side_effect: of the side effect.
        tie: of log ν.
        ranks: system → interval of its rank.
    """

    strengths: dict[str, Interval]
    side_effect: Interval
    tie: Interval
    ranks: dict[str, RankInterval]


def pair_counts(comparisons: Sequence[Comparison]) -> list[PairCounts]:
    """Counts of every pair that was compared, in order of keys.

    Raises:
        UndefinedStatisticError: `unusable_value` for a system compared with itself or a choice that does not exist.
    """
    found: dict[tuple[str, str], Counter[str]] = {}
    for row, one in enumerate(comparisons):
        if one.left == one.right or one.choice not in _OUTCOMES:
            raise UndefinedStatisticError("unusable_value", f"preference {row + 1}: {one} cannot be used")
        first, second = sorted((one.left, one.right))
        counted = found.setdefault((first, second), Counter())
        counted[one.choice] += 1
        if one.choice in ("left", "right"):
            counted["first" if (one.choice == "left") == (one.left == first) else "second"] += 1
    return [
        PairCounts(
            first=first,
            second=second,
            first_wins=counted["first"],
            second_wins=counted["second"],
            ties=counted["tie"],
            both_bad=counted["both_bad"],
            left_wins=counted["left"],
            n=counted["left"] + counted["right"] + counted["tie"] + counted["both_bad"],
        )
        for (first, second), counted in sorted(found.items())
    ]


def values_of_first(comparisons: Sequence[Comparison], first: str) -> Floats:
    """1 where this system was better, −1 where the other was, 0 where none was: for shares and sign flips."""
    won = {"left": 1.0, "right": -1.0}
    return np.array([won.get(one.choice, 0.0) * (1.0 if one.left == first else -1.0) for one in comparisons])


def strength_intervals(
    comparisons: Sequence[Comparison],
    *,
    clusters: Sequence[Hashable],
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
    prior_sd: float = 2.0,
) -> StrengthIntervals:
    """Percentile intervals of `bradley_terry` over resampled clusters of comparisons.

    Args:
        comparisons: preferences; the two sides differ.
        clusters: cluster of each.
        seed: seed of the resamples.
        draws: number of resamples.
        level: coverage aimed at.
        prior_sd: as in `bradley_terry`.

    Raises:
        UndefinedStatisticError: as `bradley_terry`; `too_few_clusters` below 10 clusters.
    """
    fitted = bradley_terry(comparisons, prior_sd=prior_sd)
    places, n_clusters = cluster_positions(clusters, size=len(comparisons))
    require_clusters(n_clusters)
    systems = sorted(fitted.strengths)
    weights = resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64)
    start = np.array([*(fitted.strengths[name] for name in systems), fitted.side_effect, fitted.tie])
    features, counts = _rows(comparisons, systems, [int(place) for place in places], n_clusters)
    found = np.concatenate(
        [
            _maxima(features, np.tensordot(some, counts, axes=1), start, 1.0 / prior_sd**2)
            for some in np.array_split(weights, max(1, draws // _AT_ONCE))
        ]
    )
    strengths = found[:, : len(systems)] - found[:, : len(systems)].mean(axis=1, keepdims=True)

    def limits(values: Floats) -> Interval:
        every = np.ones(values.size, dtype=np.bool_)
        return percentile_interval(values, every, level=level, n_clusters=n_clusters, seed=seed, method=METHOD)

    return StrengthIntervals(
        strengths={name: limits(strengths[:, place]) for place, name in enumerate(systems)},
        side_effect=limits(found[:, -2]),
        tie=limits(found[:, -1]),
        ranks=dict(zip(systems, rank_intervals(strengths, level=level), strict=True)),
    )


def _rows(
    comparisons: Sequence[Comparison], systems: list[str], places: Sequence[int], n_clusters: int
) -> tuple[Floats, Floats]:
    """What the alternatives of each ordered pair add up, and how often each was chosen, by cluster."""
    at = {name: place for place, name in enumerate(systems)}
    rows: dict[tuple[str, str], int] = {}
    for one in comparisons:
        rows.setdefault((one.left, one.right), len(rows))
    features = np.zeros((len(rows), 3, len(systems) + 2))
    for (left, right), row in rows.items():
        features[row, 0, [at[left], -2]] = 1.0
        features[row, 1, at[right]] = 1.0
        features[row, 2, [at[left], at[right], -2]] = 0.5
        features[row, 2, -1] = 1.0
    counts = np.zeros((n_clusters, len(rows), 3))
    for one, place in zip(comparisons, places, strict=True):
        counts[place, rows[one.left, one.right], _OUTCOMES[one.choice]] += 1.0
    return features, counts


def _maxima(features: Floats, counts: Floats, start: Floats, precision: float) -> Floats:
    """The fits of many sets of counts (sets × rows × 3), by Newton's method with halved steps from one start."""
    n = counts.sum(axis=2)
    chosen = np.einsum("dna,nap->dp", counts, features)
    points = np.tile(start, (counts.shape[0], 1))
    outer = np.einsum("nap,naq->napq", features, features).reshape(features.shape[0] * 3, -1)

    def objective(at: Floats) -> Floats:
        logits = np.einsum("nap,dp->dna", features, at)
        top = logits.max(axis=2)
        normal = top + np.log(np.exp(logits - top[:, :, None]).sum(axis=2))
        value: Floats = (at * chosen).sum(axis=1) - (n * normal).sum(axis=1) - precision * (at**2).sum(axis=1) / 2.0
        return value

    for _ in range(_STEPS):
        logits = np.einsum("nap,dp->dna", features, points)
        shares = np.exp(logits - logits.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        mean = np.einsum("dna,nap->dnp", shares, features)
        gradient = chosen - np.einsum("dn,dnp->dp", n, mean) - precision * points
        second = ((shares * n[:, :, None]).reshape(len(points), -1) @ outer).reshape(len(points), *[start.size] * 2)
        squares = np.matmul((n[:, :, None] * mean).transpose(0, 2, 1), mean)
        curvature = second - squares + precision * np.eye(start.size)
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        before = objective(points)
        for _ in range(_HALVINGS):
            worse = (objective(points + step) < before) & (np.abs(step).max(axis=1) > 1e-12)
            if not worse.any():
                break
            step[worse] /= 2.0
        points = points + step
        if float(np.abs(step).max()) < 1e-9:
            return points
    raise UndefinedStatisticError("no_convergence", "the preference model did not settle in a resample")
