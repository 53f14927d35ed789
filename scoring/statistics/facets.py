"""Severity-adjusted system means: the many-facet rating-scale model of systems, readers, items and criteria.

A system that happened to be read by stricter readers, or on harder items, has a low raw mean for no fault of its own.
The model separates the facets and answers what every system's mean would be if every reader had graded it on every
item and criterion.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.facet_model import (
    Curvature,
    FacetModel,
    Moments,
    Point,
    Scores,
    fit_statistics,
    names_of,
    unconnected,
)
from scoring.statistics.intervals import MINIMUM_CLUSTERS, Interval, cluster_positions
from scoring.statistics.ratings import Counts, Floats, category_positions

PRIOR_SD = 3.0
"""Spread of the weak prior of every level of a facet, in log odds: it keeps a reader who always gives 5 finite."""

METHOD = "cluster sandwich"


@dataclass(frozen=True, kw_only=True)
class FacetLevel:
    """One reader, item or criterion.

    Attributes:
        name: the level.
        measure: log odds; above 0 a stricter reader, a harder item or criterion. The levels of a facet sum to 0.
        standard_error: of the measure against the facet's mean, from the curvature of the likelihood.
        n_scores: scores that entered.
        observed: their raw mean on the rubric's scale.
        infit: mean square of residuals weighted by information; 1 as expected, above 1 noisier, below 1 muted.
        outfit: plain mean square of standardized residuals; driven by single surprising scores.
    """

    name: Hashable
    measure: float
    standard_error: float
    n_scores: int
    observed: float
    infit: float
    outfit: float


@dataclass(frozen=True, kw_only=True)
class AdjustedSystem(FacetLevel):
    """One system; here a higher measure means better scores.

    Attributes:
        adjusted: mean on the rubric's scale if every reader had graded it on every item and criterion.
        interval: interval of the adjusted mean over clusters, None where there is none.
        interval_reason: why there is none (`too_few_clusters`), "" where there is one.
    """

    adjusted: float
    interval: Interval | None
    interval_reason: str


@dataclass(frozen=True, kw_only=True)
class FacetFit:
    """A fitted many-facet model.

    Attributes:
        systems: adjusted means.
        readers: severities.
        items: difficulties; empty where the model has no items.
        criteria: difficulties; empty where the model has no criteria.
        thresholds: log odds at which one level of the scale takes over from the one below; they sum to 0.
        covariance: of the adjusted means over clusters, in the order of `systems`; empty below ten clusters.
        prior_sd: spread of the prior that was used.
        n_scores: scores that entered.
        n_missing: rows without a score.
        n_clusters: clusters that entered.
    """

    systems: tuple[AdjustedSystem, ...]
    readers: tuple[FacetLevel, ...]
    items: tuple[FacetLevel, ...]
    criteria: tuple[FacetLevel, ...]
    thresholds: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    prior_sd: float
    n_scores: int
    n_missing: int
    n_clusters: int


def many_facet(
    scores: ArrayLike,
    *,
    systems: Sequence[Hashable],
    readers: Sequence[Hashable],
    clusters: Sequence[Hashable],
    categories: Sequence[float],
    items: Sequence[Hashable] | None = None,
    criteria: Sequence[Hashable] | None = None,
    prior_sd: float = PRIOR_SD,
    level: float = 0.95,
) -> FacetFit:
    """Fit the many-facet rating-scale model and adjust the systems' means for readers, items and criteria.

    log P(k) / P(k − 1) = intercept + system − reader − item − criterion − threshold(k), the thresholds shared by all.
    Penalized maximum likelihood with an unpenalized intercept, at whose maximum every facet sums to 0 exactly. In a
    design in which every reader grades every system on every item the adjusted mean is the raw mean. Unlike a
    composite, the fit is joint: another system moves the others' adjusted means as far as it tells about readers and
    items.

    Args:
        scores: one value of the scale per reading and criterion; NaN where absent.
        systems: system of each score.
        readers: reader of each score.
        clusters: cluster of each score.
        categories: the declared scale, rising numbers.
        items: item of each score; None leaves items out (needed where every reader has items of their own).
        criteria: criterion of each score; None where there is one.
        prior_sd: spread of the prior of every level, in log odds.
        level: coverage aimed at by the intervals.

    Returns:
        Adjusted means with intervals over clusters (readers fixed, items renewed with their clusters), severities,
        difficulties, thresholds and fit.

    Raises:
        UndefinedStatisticError: `empty` without a score, `no_variation` when all scores are equal,
            `unknown_category` for a value outside the scale or a scale of less than two rising numbers,
            `too_few_readers` below two readers, `too_few_units` below two systems, `unconnected` when some readers,
            systems or criteria are linked to the rest by nothing, naming the parts, `shape` for different lengths,
            `unusable_value` for a spread that is not positive, `no_convergence`.

    References:
        Andrich, Psychometrika 43(4), 1978, doi:10.1007/BF02293814 (rating scale);
        Linacre, Many-Facet Rasch Measurement, 1989, and Engelhard, Journal of Educational Measurement 31(2), 1994,
        doi:10.1111/j.1745-3984.1994.tb00436.x (facets); Wright and Masters, Rating Scale Analysis, 1982 (fit);
        Liang and Zeger, Biometrika 73(1), 1986, doi:10.1093/biomet/73.1.13 (interval).
    """
    values = np.asarray(scores, dtype=np.float64).ravel()
    scale = _scale(categories, prior_sd)
    columns = {"systems": systems, "readers": readers, "criteria": criteria, "items": items, "clusters": clusters}
    given = {name: column for name, column in columns.items() if column is not None}
    if any(len(column) != values.size for column in given.values()):
        sizes = ", ".join(f"{len(column)} {name}" for name, column in given.items())
        raise UndefinedStatisticError("shape", f"{values.size} scores have {sizes}")
    present = ~np.isnan(values)
    _require_scores(values[present])
    kept = {name: [row for row, has in zip(column, present, strict=True) if has] for name, column in given.items()}
    study = _Study(values[present], kept, scale)
    study.require_estimable()
    model = FacetModel(study.scores, prior_sd=prior_sd)
    study.require_connected(model.design[:, : model.n_linear])
    return _described(study, model, n_missing=int((~present).sum()), prior_sd=prior_sd, level=level)


@dataclass(frozen=True, kw_only=True)
class AdjustedDifference:
    """Adjusted mean of one system minus that of another, with its interval over the same clusters."""

    value: float
    interval: Interval | None
    interval_reason: str


def adjusted_difference(
    fit: FacetFit, first: Hashable, second: Hashable, *, level: float = 0.95
) -> AdjustedDifference:
    """Difference of two adjusted means, first − second.

    Raises:
        UndefinedStatisticError: `unknown_category` for a system that is not in the fit.
    """
    places = {system.name: place for place, system in enumerate(fit.systems)}
    for name in (first, second):
        if name not in places:
            raise UndefinedStatisticError("unknown_category", f"{name!r} is not among the systems of the fit")
    a, b = places[first], places[second]
    value = fit.systems[a].adjusted - fit.systems[b].adjusted
    if not fit.covariance:
        return AdjustedDifference(value=value, interval=None, interval_reason="too_few_clusters")
    variance = fit.covariance[a][a] + fit.covariance[b][b] - 2.0 * fit.covariance[a][b]
    interval = _interval(value, max(0.0, variance) ** 0.5, fit.n_clusters, level)
    return AdjustedDifference(value=value, interval=interval, interval_reason="")


def _scale(categories: Sequence[float], prior_sd: float) -> Floats:
    scale = np.asarray(categories, dtype=np.float64)
    if scale.size < 2 or not bool((np.diff(scale) > 0).all()):
        raise UndefinedStatisticError("unknown_category", "the scale needs at least two rising numbers")
    if not (np.isfinite(prior_sd) and prior_sd > 0):
        raise UndefinedStatisticError("unusable_value", f"the spread {prior_sd} of the prior is not positive")
    return scale


def _require_scores(values: Floats) -> None:
    if values.size == 0:
        raise UndefinedStatisticError("empty", "there is no score")
    if float(values.min()) == float(values.max()):
        raise UndefinedStatisticError("no_variation", "all scores are equal")


class _Study:
    """Scores with their levels numbered in each facet."""

    def __init__(self, values: Floats, columns: dict[str, list[Hashable]], scale: Floats) -> None:
        self.values, self.scale = values, scale
        self.names: dict[str, list[Hashable]] = {}
        self.numbers: dict[str, Counts] = {}
        for facet, column in columns.items():
            self.numbers[facet] = cluster_positions(column, size=values.size)[0]
            self.names[facet] = list(dict.fromkeys(column))
        self.facets = [facet for facet in ("systems", "readers", "criteria") if facet in columns]
        has_items = "items" in columns
        self.scores = Scores(
            levels=category_positions(values, scale.tolist()),
            n_levels=scale.size,
            facets=tuple(self.numbers[facet] for facet in self.facets),
            sizes=tuple(len(self.names[facet]) for facet in self.facets),
            signs=tuple(1.0 if facet == "systems" else -1.0 for facet in self.facets),
            items=self.numbers["items"] if has_items else np.zeros(values.size, dtype=np.int64),
            n_items=len(self.names["items"]) if has_items else 0,
        )

    def require_estimable(self) -> None:
        if len(self.names["readers"]) < 2:
            raise UndefinedStatisticError("too_few_readers", "severity needs two readers, there is one")
        if len(self.names["systems"]) < 2:
            raise UndefinedStatisticError("too_few_units", "an adjustment needs two systems, there is one")

    def require_connected(self, design: Floats) -> None:
        """Refuse a design whose parts nothing links, naming them."""
        split = {
            facet: parts
            for facet, parts in zip(self.facets, unconnected(self.scores, design), strict=True)
            if len(parts) > 1
        }
        if not split:
            return
        said = "; ".join(f"{facet}: {names_of(parts, self.names[facet])}" for facet, parts in split.items())
        advice = " Let them share items, or leave the items out." if self.scores.n_items else ""
        raise UndefinedStatisticError("unconnected", f"nothing links these parts of the design. {said}.{advice}")


def _described(study: _Study, model: FacetModel, *, n_missing: int, prior_sd: float, level: float) -> FacetFit:
    point = model.fit()
    curvature = model.curvature(point)
    inverse = curvature.covariance()
    moments = Moments(model.locations(point), point.rest[model.n_linear :])
    levels = {
        facet: _levels(study, facet, moments, point.rest[where], _centered_errors(inverse[where, where]))
        for facet, where in zip(study.facets, study.scores.slices, strict=True)
    }
    means, influence = _adjusted(study, model, point, curvature)
    n_clusters = len(study.names["clusters"])
    enough = n_clusters >= MINIMUM_CLUSTERS
    covariance = influence.T @ influence * n_clusters / (n_clusters - 1) if enough else np.zeros((0, 0))
    systems = tuple(
        AdjustedSystem(
            **vars(row),
            adjusted=float(means[place]),
            interval=_interval(float(means[place]), float(covariance[place, place]) ** 0.5, n_clusters, level)
            if enough
            else None,
            interval_reason="" if enough else "too_few_clusters",
        )
        for place, row in enumerate(levels["systems"])
    )
    items: tuple[FacetLevel, ...] = ()
    if study.scores.n_items:
        scaled = curvature.mixed / curvature.items[:, None]
        errors = np.sqrt(1.0 / curvature.items + np.einsum("ij,jk,ik->i", scaled, inverse, scaled))
        items = _levels(study, "items", moments, point.items, errors)
    return FacetFit(
        systems=systems,
        readers=levels["readers"],
        items=items,
        criteria=levels.get("criteria", ()),
        thresholds=tuple(point.rest[model.n_linear :].tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        prior_sd=prior_sd,
        n_scores=study.values.size,
        n_missing=n_missing,
        n_clusters=n_clusters,
    )


def _centered_errors(covariance: Floats) -> Floats:
    """Standard errors of the deviations from the facet's mean."""
    moved = covariance - covariance.mean(axis=0, keepdims=True)
    moved = moved - moved.mean(axis=1, keepdims=True)
    found: Floats = np.sqrt(np.maximum(np.diag(moved), 0.0))
    return found


def _levels(study: _Study, facet: str, moments: Moments, measures: Floats, errors: Floats) -> tuple[FacetLevel, ...]:
    numbers, names = study.numbers[facet], study.names[facet]
    infit, outfit = fit_statistics(study.scores.levels - moments.mean, moments.variance, numbers, len(names))
    count = np.bincount(numbers, minlength=len(names))
    observed = np.bincount(numbers, weights=study.values, minlength=len(names)) / count
    return tuple(
        FacetLevel(
            name=name,
            measure=float(measures[place]),
            standard_error=float(errors[place]),
            n_scores=int(count[place]),
            observed=float(observed[place]),
            infit=float(infit[place]),
            outfit=float(outfit[place]),
        )
        for place, name in enumerate(names)
    )


def _adjusted(study: _Study, model: FacetModel, point: Point, curvature: Curvature) -> tuple[Floats, Floats]:
    """Adjusted mean of each system and the influence of each cluster on it, clusters × systems."""
    scores, names = study.scores, study.names
    n_systems, n_items = scores.sizes[0], max(1, scores.n_items)
    thresholds = point.rest[model.n_linear :]
    others = _crossed(model, point)
    per_item = np.zeros((n_systems, n_items))
    slope_rest = np.zeros((point.rest.size, n_systems))
    slope_items = np.zeros((scores.n_items, n_systems))
    difficulty = point.items if scores.n_items else np.zeros(1)
    own = point.rest[0] + point.rest[1 : 1 + n_systems]
    each, share = np.arange(n_systems), 1.0 / (len(others) * n_items)
    for columns, shift in others:
        moments = Moments((own[:, None] + shift - difficulty[None, :]).ravel(), thresholds)
        mean, slope, by_threshold = _scaled(moments, study.scale)
        per_item += mean.reshape(n_systems, n_items) / len(others)
        slope = share * slope.reshape(n_systems, n_items)
        slope_rest[[0, *columns]] += np.array([1.0, *(-1.0 for _ in columns)])[:, None] * slope.sum(axis=1)
        slope_rest[1 + each, each] += slope.sum(axis=1)
        slope_rest[model.n_linear :] -= share * by_threshold.reshape(n_systems, n_items, -1).sum(axis=1).T
        if scores.n_items:
            slope_items -= slope.T
    means = per_item.mean(axis=1)
    solved = curvature.solve(Point(rest=slope_rest, items=slope_items))
    by_location, by_threshold = model.residuals(point)
    rows = by_location[:, None] * (model.design @ solved.rest[: model.n_linear])
    rows += by_threshold @ solved.rest[model.n_linear :]
    n_clusters = len(names["clusters"])
    if scores.n_items:
        rows -= by_location[:, None] * solved.items[scores.items]
    influence = np.zeros((n_clusters, n_systems))
    np.add.at(influence, study.numbers["clusters"], rows)
    if scores.n_items:
        first = np.full(n_items, -1, dtype=np.int64)
        first[scores.items[::-1]] = study.numbers["clusters"][::-1]
        np.add.at(influence, first, (per_item - means[:, None]).T / n_items)
    return means, influence


def _crossed(model: FacetModel, point: Point) -> list[tuple[list[int], float]]:
    """Every reader with every criterion: the parameters that lower the location, and by how much they move it."""
    combined: list[tuple[list[int], float]] = [([], 0.0)]
    for where in model.scores.slices[1:]:
        combined = [
            ([*columns, column], shift - float(point.rest[column]))
            for columns, shift in combined
            for column in range(where.start, where.stop)
        ]
    return combined


def _scaled(moments: Moments, scale: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean on the rubric's scale, and its slopes by location and by each threshold."""
    steps = np.arange(scale.size)
    mean = moments.shares @ scale
    slope = moments.shares @ (scale * steps) - mean * moments.mean
    around = moments.shares * (scale[None, :] - mean[:, None])
    by_threshold = np.cumsum(around[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return mean, slope, by_threshold


def _interval(value: float, error: float, n_clusters: int, level: float) -> Interval:
    from scipy.special import stdtrit

    half = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0)) * error
    return Interval(low=value - half, high=value + half, level=level, method=METHOD, n_clusters=n_clusters)
