"""Studies simulated many times over, to count how often the printed intervals hold the truth.

Grades are drawn by the planner's generator: rounded to whole steps, clipped to the scale, readers fixed within a
cell, one to `items` items in a cluster. The truth is the statistic of all simulated clusters of the cell together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from scoring.statistics import (
    Components,
    StudySize,
    UndefinedStatisticError,
    prediction_powered_difference,
    prediction_powered_mean,
    typical_components,
)
from scoring.statistics.alpha import value_counts, weighted_alphas
from scoring.statistics.icc_bootstrap import limits_from_draws, moments_by_cluster, resampled_icc
from scoring.statistics.intervals import percentile_tail, resample_counts
from scoring.statistics.planning_grades import drawn_grades
from scoring.statistics.significance import sign_flip_p_values

T1 = typical_components("T1")
Limits = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, float] | None]

POPULATIONS = {
    "T1": T1,
    "severe readers": replace(T1, reader=0.3),
    "near the ceiling": replace(T1, mean=4.4, item=0.2, system_item=0.5, residual=0.3, reader=0.05),
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One line of the report.

    Attributes:
        statistic: what the interval is of.
        population: where the grades came from.
        n_clusters: clusters (graded ones for a prediction-powered estimate).
        items: items in a cluster, at most.
        readers: readers.
        truth: value that the interval should hold.
        coverage: share of replications whose interval held it.
        width: mean length, or mean length over that of the plain interval.
        n_undefined: replications without an interval.
        replications: replications that had one.
    """

    statistic: str
    population: str
    n_clusters: int
    items: int
    readers: int
    truth: float
    coverage: float
    width: float
    n_undefined: int
    replications: int

    @property
    def error(self) -> float:
        """Standard error of the coverage."""
        return float(np.sqrt(0.95 * 0.05 / max(1, self.replications)))

    def line(self) -> str:
        place = f"{self.statistic} | {self.population} | {self.n_clusters} | {self.items} | {self.readers}"
        numbers = f"{self.truth:.3f} | {100 * self.coverage:.1f} | {self.width:.3f} | {self.n_undefined}"
        return f"| {place} | {numbers} |"


@dataclass(frozen=True, kw_only=True, eq=False)
class Studies:
    """Grades of two systems: systems × replications × clusters × items × readers, and which items exist."""

    grades: np.ndarray
    exists: np.ndarray
    population: str

    @property
    def shape(self) -> tuple[int, int, int, int]:
        _, replications, n_clusters, items, readers = self.grades.shape
        return replications, n_clusters, items, readers

    def cell(self, statistic: str, truth: float, held: np.ndarray, width: float, *, n_undefined: int = 0) -> Cell:
        _, n_clusters, items, readers = self.shape
        return Cell(
            statistic=statistic,
            population=self.population,
            n_clusters=n_clusters,
            items=items,
            readers=readers,
            truth=float(truth),
            coverage=float(np.mean(held)),
            width=float(width),
            n_undefined=n_undefined,
            replications=int(np.size(held)),
        )


def studies(population: str, *, n_clusters: int, items: int, readers: int, replications: int, seed: int) -> Studies:
    generator = np.random.default_rng([seed, n_clusters, items, readers, *population.encode()])
    components: Components = POPULATIONS[population]
    size = StudySize(n_clusters=n_clusters, items_per_cluster=items, readings_per_item=readers, n_readers=readers)
    grades = drawn_grades(components, size, generator, systems=2, clusters=replications * n_clusters)
    shape = (replications, n_clusters)
    sizes = generator.integers(1, items + 1, size=shape)
    return Studies(
        grades=grades.reshape(2, *shape, items, readers),
        exists=np.arange(items) < sizes[..., None],
        population=population,
    )


def means_and_differences(drawn: Studies, *, draws: int) -> list[Cell]:
    """All replications at once: cluster sums times the resample counts, then percentiles."""
    n_clusters = drawn.shape[1]
    weights = resample_counts(n_clusters, draws=draws, seed=1).astype(np.float64)
    tail = percentile_tail(n_clusters)
    sizes = drawn.exists.sum(axis=2).astype(np.float64)
    first, second = (system.mean(axis=3) for system in drawn.grades)
    cells = []
    for statistic, values in (("mean", first), ("paired difference", first - second)):
        sums = (values * drawn.exists).sum(axis=2)
        resampled = (weights @ sums.T) / (weights @ sizes.T)
        low, high = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
        truth = float(sums.sum() / sizes.sum()) if statistic == "mean" else 0.0
        held = (low <= truth) & (truth <= high)
        cells.append(drawn.cell(statistic, truth, held, float((high - low).mean())))
    return cells


def agreement(drawn: Studies, *, draws: int) -> list[Cell]:
    """Ordinal alpha and ICC(A,1), with the functions that the pages call, on shared resample counts."""
    return [alpha(drawn, draws=draws), icc(drawn, draws=draws)]


def alpha(drawn: Studies, *, draws: int) -> Cell:
    tail = percentile_tail(drawn.shape[1])

    def limits(units: np.ndarray, places: np.ndarray, weights: np.ndarray) -> tuple[float, float] | None:
        values, defined = _alphas(units, weights[:, places])
        if np.mean(~defined) > 0.05:
            return None
        low, high = np.quantile(values[defined], [tail, 1.0 - tail])
        return float(low), float(high)

    return _counted("alpha", drawn, limits, _alphas(drawn.grades[0][drawn.exists], None), draws=draws)


def icc(drawn: Studies, *, draws: int) -> Cell:
    n_readers, n_clusters = drawn.shape[3], drawn.shape[1]

    def limits(units: np.ndarray, places: np.ndarray, weights: np.ndarray) -> tuple[float, float] | None:
        moments = moments_by_cluster(units.T, places, n_clusters)
        try:
            found = limits_from_draws(moments, weights, n_readers, seed=1)
        except UndefinedStatisticError:
            return None
        return found.low, found.high

    pooled = drawn.grades[0][drawn.exists]
    moments = moments_by_cluster(pooled.T, np.zeros(len(pooled), dtype=np.int64), 1)
    return _counted("ICC(A,1)", drawn, limits, resampled_icc(moments, n_readers), draws=draws)


def _alphas(units: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    counts, values = value_counts(units.T)
    return weighted_alphas(counts, values, np.ones((1, len(units))) if weights is None else weights, "ordinal")


def _counted(
    statistic: str, drawn: Studies, limits: Limits, truth: tuple[np.ndarray, np.ndarray], *, draws: int
) -> Cell:
    replications, n_clusters, _, _ = drawn.shape
    weights = resample_counts(n_clusters, draws=draws, seed=1).astype(np.float64)
    value, found = float(truth[0][0]), []
    for index in range(replications):
        units, places = drawn.grades[0][index][drawn.exists[index]], np.nonzero(drawn.exists[index])[0]
        pair = limits(units, places, weights) if np.ptp(units) > 0 else None
        if pair is not None:
            found.append(pair)
    low, high = np.array(found).T
    held = (low <= value) & (value <= high)
    width = float((high - low).mean())
    return drawn.cell(statistic, value, held, width, n_undefined=replications - len(found))


def prediction_powered(
    kind: Literal["mean", "difference", "stratified mean"],
    *,
    graded: int,
    ratio: int,
    correlation: float,
    replications: int,
    seed: int,
) -> tuple[Cell, float]:
    """A metric of a given correlation with the grades within a system; one to three items in a cluster.

    Returns:
        The line of the report (`width` is the mean ratio of lengths) and the coverage of the plain interval.
    """
    generator = np.random.default_rng([seed, graded, ratio, int(1000 * correlation), len(kind)])
    held, plain, ratios = [], [], []
    for _ in range(replications):
        found, truth = _one(kind, graded, ratio, correlation, generator)
        held.append(found.interval.low <= truth <= found.interval.high)
        plain.append(found.plain_interval.low <= truth <= found.plain_interval.high)
        ratios.append(found.length_ratio)
    cell = Cell(
        statistic=f"prediction-powered {kind}",
        population=f"correlation {correlation:g}, ungraded {ratio} ×",
        n_clusters=found.n_clusters_graded,
        items=3,
        readers=2,
        truth=truth,
        coverage=float(np.mean(held)),
        width=float(np.mean(ratios)),
        n_undefined=0,
        replications=replications,
    )
    return cell, float(np.mean(plain))


def _one(kind: str, graded: int, ratio: int, correlation: float, generator: np.random.Generator):
    """One study: a cluster part and an item part of quality, means of two rounded grades, a noisy metric."""
    sizes = generator.integers(1, 4, size=graded * (1 + ratio))
    clusters = np.repeat(np.arange(sizes.size), sizes)
    strata = clusters % 2
    sides = [_outputs(clusters, graded, correlation, generator) for _ in range(1 + (kind == "difference"))]
    named = {"clusters": clusters.tolist()}
    if kind == "difference":
        return prediction_powered_difference((sides[0][0], sides[1][0]), (sides[0][1], sides[1][1]), **named), 0.0
    grades, metric = sides[0]
    if kind == "stratified mean":
        # The second stratum is one point harder, and only half of its clusters stay in the sample.
        grades = np.where((strata == 1) & (clusters % 4 == 1), np.nan, grades - strata)
        shares = {0: 1.0, 1: 1.0}
        return prediction_powered_mean(grades, metric, strata=strata.tolist(), shares=shares, **named), 2.5
    return prediction_powered_mean(grades, metric, **named), 3.0


def _outputs(
    clusters: np.ndarray, graded: int, correlation: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    quality = 0.7 * generator.normal(size=clusters.max() + 1)[clusters] + 0.7 * generator.normal(size=clusters.size)
    readings = np.round(3 + quality[:, None] + 0.5 * generator.normal(size=(clusters.size, 2)))
    grades = np.clip(readings, 1, 5).mean(axis=1)
    noise = generator.normal(size=clusters.size) * grades.std()
    metric = correlation * (grades - 3.0) + np.sqrt(1.0 - correlation**2) * noise
    return np.where(clusters < graded, grades, np.nan), metric


def rejected(*, n_clusters: int, items: int, replications: int, seed: int, draws: int) -> float:
    """Share of true null hypotheses that the sign-flip test rejects at 5 %; items of a cluster share an image."""
    drawn = studies("T1", n_clusters=n_clusters, items=items, readers=2, replications=replications, seed=seed)
    values = (drawn.grades[0] - drawn.grades[1]).mean(axis=3) * drawn.exists
    # A shared image moves all its items alike: half of the difference is the cluster's own.
    generator = np.random.default_rng(seed)
    values += generator.normal(size=drawn.shape[:2])[..., None] * drawn.exists
    p = np.array(sign_flip_p_values(values.sum(axis=2), seed=seed, draws=draws))
    return float(np.mean(p <= 0.05))
