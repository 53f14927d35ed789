"""The mathematics under `facets`: likelihood, Newton steps and connectedness of the many-facet rating-scale model.

Items are eliminated block by block, because every score has exactly one: thousands of items cost no more than the few
other parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import Counts, Floats

_STEPS = 100
_SETTLED = 1e-10
_SINGULAR = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Scores as level numbers with the number of their level in each facet.

    Attributes:
        levels: chosen level of the scale, 0…K − 1, one per score.
        n_levels: K.
        facets: for every facet but the items: number of the facet's level of each score.
        sizes: how many levels each of these facets has.
        signs: +1 where a higher level of the facet raises scores (systems), −1 where it lowers them.
        items: number of the item of each score.
        n_items: items; 0 where the model has no items.
    """

    levels: Counts
    n_levels: int
    facets: tuple[Counts, ...]
    sizes: tuple[int, ...]
    signs: tuple[float, ...]
    items: Counts
    n_items: int

    @property
    def slices(self) -> list[slice]:
        """Where each facet's parameters stand after the intercept."""
        ends = np.cumsum([1, *self.sizes]).tolist()
        return [slice(low, high) for low, high in pairwise(ends)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """Parameters: `rest` holds the intercept, the facets and the thresholds, `items` the items' difficulty."""

    rest: Floats
    items: Floats


class FacetModel:
    """Rating-scale model: log P(k) / P(k − 1) = intercept + system − reader − criterion − item − threshold(k)."""

    def __init__(self, scores: Scores, *, prior_sd: float) -> None:
        self.scores = scores
        n_scores = scores.levels.size
        linear = 1 + sum(scores.sizes)
        design = np.zeros((n_scores, linear))
        design[:, 0] = 1.0
        for where, numbers, sign in zip(scores.slices, scores.facets, scores.signs, strict=True):
            design[np.arange(n_scores), where.start + numbers] = sign
        self.design = design
        self.n_linear = linear
        self.reached = (scores.levels[:, None] >= np.arange(1, scores.n_levels)).astype(np.float64)
        precision = 1.0 / prior_sd**2
        self.penalty = np.full(linear + scores.n_levels - 1, precision)
        self.penalty[0] = 0.0
        self.item_penalty = precision

    def start(self) -> Point:
        """All parameters 0."""
        return Point(rest=np.zeros(self.penalty.size), items=np.zeros(self.scores.n_items))

    def fit(self) -> Point:
        """Maximize the penalized likelihood, which is concave, by Newton's method with halved steps.

        Raises:
            UndefinedStatisticError: `no_convergence`.
        """
        point = self.start()
        before = self.objective(point)
        for _ in range(_STEPS):
            step = self.curvature(point).solve(self.gradient(point))
            share, moved = 1.0, float("inf")
            while moved > _SETTLED:
                candidate = self.centered(
                    Point(rest=point.rest + share * step.rest, items=point.items + share * step.items)
                )
                after = self.objective(candidate)
                moved = max(
                    float(np.abs(new - old).max(initial=0.0))
                    for new, old in ((candidate.rest, point.rest), (candidate.items, point.items))
                )
                if after >= before:
                    break
                share /= 2.0
            point, before = candidate, after
            if moved <= _SETTLED:
                return point
        raise UndefinedStatisticError("no_convergence", "the many-facet model did not settle")

    def centered(self, point: Point) -> Point:
        """The same locations with every facet summing to 0, which the prior likes best."""
        rest, items = point.rest.copy(), point.items
        for where, sign in zip(self.scores.slices, self.scores.signs, strict=True):
            rest[0] += sign * rest[where].mean()
            rest[where] -= rest[where].mean()
        rest[0] -= rest[self.n_linear :].mean()
        rest[self.n_linear :] -= rest[self.n_linear :].mean()
        if items.size:
            rest[0] -= items.mean()
            items = items - items.mean()
        return Point(rest=rest, items=items)

    def objective(self, point: Point) -> float:
        """Penalized log-likelihood."""
        logs = log_probabilities(self.locations(point), point.rest[self.n_linear :])
        likelihood = float(logs[np.arange(logs.shape[0]), self.scores.levels].sum())
        prior = float(self.penalty @ point.rest**2) + self.item_penalty * float(point.items @ point.items)
        return likelihood - prior / 2.0

    def locations(self, point: Point) -> Floats:
        """Location of each score on the scale of log odds."""
        found: Floats = self.design @ point.rest[: self.n_linear]
        return found - point.items[self.scores.items] if self.scores.n_items else found

    def residuals(self, point: Point) -> tuple[Floats, Floats]:
        """What each score adds to the gradient: by its location (n) and by the thresholds (n × K − 1)."""
        moments = Moments(self.locations(point), point.rest[self.n_linear :])
        return self.scores.levels - moments.mean, moments.at_least - self.reached

    def gradient(self, point: Point) -> Point:
        """Slope of the penalized log-likelihood."""
        by_location, by_threshold = self.residuals(point)
        rest = np.r_[self.design.T @ by_location, by_threshold.sum(axis=0)] - self.penalty * point.rest
        items = -np.bincount(self.scores.items, weights=by_location, minlength=self.scores.n_items)
        if not self.scores.n_items:
            return Point(rest=rest, items=np.zeros(0))
        return Point(rest=rest, items=items - self.item_penalty * point.items)

    def curvature(self, point: Point) -> "Curvature":
        """Negative second derivatives of the penalized log-likelihood."""
        moments = Moments(self.locations(point), point.rest[self.n_linear :])
        weighted = self.design * moments.variance[:, None]
        size, linear = self.penalty.size, self.n_linear
        rest = np.zeros((size, size))
        rest[:linear, :linear] = self.design.T @ weighted
        rest[:linear, linear:] = -self.design.T @ moments.crossed
        rest[linear:, :linear] = rest[:linear, linear:].T
        rest[linear:, linear:] = moments.between_thresholds()
        rest[np.arange(size), np.arange(size)] += self.penalty
        n_items = self.scores.n_items
        if not n_items:
            return Curvature(rest=rest, mixed=np.zeros((0, size)), items=np.zeros(0))
        mixed = np.empty((n_items, size))
        mixed[:, :linear] = -sums_by(weighted, self.scores.items, n_items)
        mixed[:, linear:] = sums_by(moments.crossed, self.scores.items, n_items)
        items: Floats = np.bincount(self.scores.items, weights=moments.variance, minlength=n_items).astype(np.float64)
        return Curvature(rest=rest, mixed=mixed, items=items + self.item_penalty)


@dataclass(frozen=True, kw_only=True, eq=False)
class Curvature:
    """Second derivatives in blocks: the items' is diagonal."""

    rest: Floats
    mixed: Floats
    items: Floats

    def solve(self, right: Point) -> Point:
        """Solve curvature · x = right, for one right side or several (columns)."""
        by_item = self.items if right.items.ndim == 1 else self.items[:, None]
        scaled = self.mixed / self.items[:, None]
        reduced = np.linalg.solve(self.rest - self.mixed.T @ scaled, right.rest - scaled.T @ right.items)
        rest = np.asarray(reduced, dtype=np.float64)
        return Point(rest=rest, items=(right.items - self.mixed @ rest) / by_item)

    def covariance(self) -> Floats:
        """Inverse for the parameters that are not items."""
        reduced = self.rest - self.mixed.T @ (self.mixed / self.items[:, None])
        return np.asarray(np.linalg.inv(reduced), dtype=np.float64)


class Moments:
    """Mean, variance and threshold moments of the level at each location."""

    def __init__(self, locations: Floats, thresholds: Floats) -> None:
        self.shares = np.exp(log_probabilities(locations, thresholds))
        steps = np.arange(self.shares.shape[1])
        self.mean: Floats = self.shares @ steps
        self.variance: Floats = self.shares @ steps**2 - self.mean**2
        self.at_least: Floats = np.cumsum(self.shares[:, ::-1], axis=1)[:, ::-1][:, 1:]
        around = self.shares * (steps[None, :] - self.mean[:, None])
        self.crossed: Floats = np.cumsum(around[:, ::-1], axis=1)[:, ::-1][:, 1:]

    def between_thresholds(self) -> Floats:
        """Summed covariance of having reached one level and another."""
        reached = self.at_least.sum(axis=0)
        later = np.maximum(np.arange(reached.size)[:, None], np.arange(reached.size)[None, :])
        found: Floats = reached[later] - self.at_least.T @ self.at_least
        return found


def log_probabilities(locations: Floats, thresholds: Floats) -> Floats:
    """Log probability of each level 0…K − 1, n × K."""
    offsets = np.r_[0.0, np.cumsum(thresholds)]
    logits = locations[:, None] * np.arange(offsets.size)[None, :] - offsets[None, :]
    logits -= logits.max(axis=1, keepdims=True)
    found: Floats = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return found


def sums_by(rows: Floats, numbers: Counts, size: int) -> Floats:
    """Sums of rows with the same number, size × columns; numbers in rising order cost least."""
    if bool((np.diff(numbers) < 0).any()):
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
    starts = np.flatnonzero(np.r_[True, np.diff(numbers) > 0])
    found = np.zeros((size, rows.shape[1]))
    found[numbers[starts]] = np.add.reduceat(rows, starts, axis=0)
    return found


def unconnected(scores: Scores, design: Floats) -> list[list[list[int]]]:
    """Parts of each facet that nothing links; a facet in one part is connected.

    Levels belong to one part when every set of parameters that leaves all locations as they are moves them alike.

    Args:
        scores: the scores.
        design: n × (1 + levels), without the thresholds.

    Returns:
        For each facet the parts as lists of level numbers.

    References:
        Weeks and Williams, Technometrics 6(3), 1964, doi:10.1080/00401706.1964.10490188.
    """
    gram: Floats = design.T @ design
    if scores.n_items:
        by_item = sums_by(design, scores.items, scores.n_items)
        per_item = np.bincount(scores.items, minlength=scores.n_items)
        gram = gram - by_item.T @ (by_item / per_item[:, None])
    values, vectors = np.linalg.eigh(gram)
    free = vectors[:, values <= _SINGULAR * max(1.0, float(values[-1]))]
    return [_alike(free[where] - free[where].mean(axis=0)) for where in scores.slices]


def _alike(rows: Floats) -> list[list[int]]:
    """Rows that are equal, grouped in order of appearance."""
    parts: list[list[int]] = []
    for number, row in enumerate(rows):
        for part in parts:
            if float(np.abs(rows[part[0]] - row).max(initial=0.0)) < 1e-6:
                part.append(number)
                break
        else:
            parts.append([number])
    return parts


def fit_statistics(residuals: Floats, variances: Floats, numbers: Counts, size: int) -> tuple[Floats, Floats]:
    """Infit (weighted by information) and outfit (plain) mean squares of each level; 1 is as expected."""
    count = np.bincount(numbers, minlength=size)
    squares = np.bincount(numbers, weights=residuals**2, minlength=size)
    infit: Floats = squares / np.bincount(numbers, weights=variances, minlength=size)
    outfit: Floats = np.bincount(numbers, weights=residuals**2 / variances, minlength=size) / count
    return infit, outfit


def names_of(parts: Sequence[Sequence[int]], names: Sequence[object]) -> str:
    """Parts in words: "Ada, Ben | Cleo"."""
    return " | ".join(", ".join(str(names[number]) for number in part) for part in parts)
