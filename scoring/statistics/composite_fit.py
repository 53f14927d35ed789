"""A composite fitted to the clinical mean: weights that experts' grades suggest, judged on clusters they never saw.

Fitted weights are a suggestion for a later study, never a replacement for weights declared before unblinding.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.association import Pairs, as_pairs, correlations
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import Interval, cluster_positions
from scoring.statistics.jackknife import jackknife_interval, whole_and_without_each
from scoring.statistics.ratings import Counts, Floats

MINIMUM_OUTPUTS = 20
"""No fit below this many outputs."""

CLUSTERS_PER_WEIGHT = 10
"""Clusters needed for each weight that is fitted."""

_NO_EIGENVALUE = 1e-12


@dataclass(frozen=True, kw_only=True)
class FittedWeight:
    """One component's weight.

    Attributes:
        name: the component.
        weight: 0…1; all weights sum to 1.
        low: smallest weight in the fits that leave one cluster out.
        high: largest weight in these fits.
    """

    name: str
    weight: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class OutOfCluster:
    """Correlation of the clinical mean with predictions from fits that never saw the output's cluster.

    Attributes:
        value: Pearson's r, −1…1.
        interval: Fisher's z, jackknife over clusters, the predictions held.
    """

    value: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class CompositeFit:
    """Fitted weights and how well they do on unseen clusters.

    Attributes:
        weights: in the order of the components.
        intercept: clinical mean where every component is 0, in clinical units.
        slope: clinical units per unit of the weighted sum, above 0.
        predictions: clinical mean of each output predicted without its cluster, in clinical units.
        pooled: correlation over all outputs.
        within: correlation within systems; None without systems, or with one.
        ceiling: what readers reach, as the caller gave it, for the same correlation and target; None if unknown.
        n_outputs: outputs.
        n_clusters: clusters.
        n_systems: systems, 0 if not told.
    """

    weights: tuple[FittedWeight, ...]
    intercept: float
    slope: float
    predictions: tuple[float, ...]
    pooled: OutOfCluster
    within: OutOfCluster | None
    ceiling: float | None
    n_outputs: int
    n_clusters: int
    n_systems: int


def fit_composite(
    components: ArrayLike,
    clinical: ArrayLike,
    *,
    names: Sequence[str],
    clusters: Sequence[Hashable],
    systems: Sequence[Hashable] | None = None,
    ceiling: float | None = None,
    level: float = 0.95,
) -> CompositeFit:
    """Weights ≥ 0 with sum 1 whose composite follows the clinical mean best.

    Least squares of the clinical mean on intercept and components with slopes kept at 0 or above; the slopes
    divided by their sum are the weights. Each output's prediction comes from a fit without any output of its
    cluster, and only these predictions enter the correlations.

    Args:
        components: outputs × components, transformed so that higher is better (0…1 in a composite), finite.
        clinical: clinical mean of each output, finite.
        names: name of each component.
        clusters: cluster of each output.
        systems: system of each output, for the correlation within systems.
        ceiling: human ceiling to show beside, −1…1.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `too_few_units` below 20 outputs; `too_few_clusters` below ten clusters per weight;
            `no_variation` when the clinical mean is constant or no component rises with it, or a correlation does
            not exist; `unusable_value` for a value that is not finite or a ceiling outside −1…1; `shape` for
            lengths that differ; `empty` without a component; `unstable` as `jackknife_interval`.

    References:
        Lawson and Hanson, Solving Least Squares Problems, 1995, doi:10.1137/1.9781611971217, chapter 23 (weights);
        Stone, JRSS B 36(2), 1974, doi:10.1111/j.2517-6161.1974.tb00994.x (leaving out).
    """
    table, target = _checked(components, clinical, names, ceiling)
    places, n_clusters = cluster_positions(clusters, size=target.size)
    _require_size(target.size, n_clusters, table.shape[1])
    moments = _moments_by_cluster(table, target, places, n_clusters)
    whole = moments.sum(axis=0)
    intercept, slopes = _fit(whole)
    total = float(slopes.sum())
    if total <= 0:
        raise UndefinedStatisticError("no_variation", "no component rises with the clinical mean")
    left_out = [_fit(whole - own) for own in moments]
    intercepts, by_cluster = np.array([fit[0] for fit in left_out]), np.array([fit[1] for fit in left_out])
    predictions = intercepts[places] + (table * by_cluster[places]).sum(axis=1)
    shares = by_cluster / np.where(by_cluster.sum(axis=1) > 0, by_cluster.sum(axis=1), 1.0)[:, None]
    n_systems = len(set(systems)) if systems is not None else 0
    pooled = as_pairs(predictions, target, groups=None, clusters=clusters)
    within = as_pairs(predictions, target, groups=systems, clusters=clusters) if n_systems > 1 else None
    return CompositeFit(
        weights=tuple(
            FittedWeight(
                name=name,
                weight=float(slopes[place]) / total,
                low=float(shares[:, place].min()),
                high=float(shares[:, place].max()),
            )
            for place, name in enumerate(names)
        ),
        intercept=intercept,
        slope=total,
        predictions=tuple(predictions.tolist()),
        pooled=_correlation(pooled, level=level),
        within=_correlation(within, level=level) if within else None,
        ceiling=ceiling,
        n_outputs=int(target.size),
        n_clusters=n_clusters,
        n_systems=n_systems,
    )


def _checked(
    components: ArrayLike, clinical: ArrayLike, names: Sequence[str], ceiling: float | None
) -> tuple[Floats, Floats]:
    table, target = np.asarray(components, dtype=np.float64), np.asarray(clinical, dtype=np.float64).ravel()
    if table.ndim != 2 or table.shape != (target.size, len(names)):
        raise UndefinedStatisticError(
            "shape", f"components are {table.shape}, {target.size} outputs × {len(names)} names are needed"
        )
    if not names:
        raise UndefinedStatisticError("empty", "there is no component")
    unusable = int(np.count_nonzero(~np.isfinite(table).all(axis=1) | ~np.isfinite(target)))
    if unusable:
        raise UndefinedStatisticError("unusable_value", f"{unusable} outputs lack a finite value")
    if ceiling is not None and not -1.0 <= ceiling <= 1.0:
        raise UndefinedStatisticError("unusable_value", f"a ceiling of {ceiling:g} is outside −1…1")
    return table, target


def _require_size(n_outputs: int, n_clusters: int, n_weights: int) -> None:
    if n_outputs < MINIMUM_OUTPUTS:
        raise UndefinedStatisticError(
            "too_few_units", f"a fit needs at least {MINIMUM_OUTPUTS} outputs, {n_outputs} entered"
        )
    needed = CLUSTERS_PER_WEIGHT * n_weights
    if n_clusters < needed:
        raise UndefinedStatisticError(
            "too_few_clusters",
            f"{n_weights} weights need at least {needed} clusters ({CLUSTERS_PER_WEIGHT} each), {n_clusters} entered",
        )


def _moments_by_cluster(table: Floats, target: Floats, places: Counts, n_clusters: int) -> Floats:
    """Products of 1, components and target summed in each cluster."""
    columns = np.hstack([np.ones((target.size, 1)), table, target[:, None]])
    products = columns[:, :, None] * columns[:, None, :]
    found = np.zeros((n_clusters, columns.shape[1], columns.shape[1]))
    np.add.at(found, places, products)
    return found


def _fit(moments: Floats) -> tuple[float, Floats]:
    """Intercept and slopes ≥ 0 from summed products, through a square root of the components' covariance."""
    from scipy.optimize import nnls

    size = float(moments[0, 0])
    means = moments[0, 1:] / size
    centered = moments[1:, 1:] - size * np.outer(means, means)
    values, vectors = np.linalg.eigh(centered[:-1, :-1])
    used = values > _NO_EIGENVALUE * max(float(np.trace(moments[1:-1, 1:-1])), 1e-300)
    root = np.sqrt(values[used])
    if not bool(used.any()) or float(centered[-1, -1]) <= _NO_EIGENVALUE * float(moments[-1, -1]):
        return float(means[-1]), np.zeros(means.size - 1)
    design = root[:, None] * vectors[:, used].T
    slopes = np.asarray(nnls(design, vectors[:, used].T @ centered[:-1, -1] / root)[0], dtype=np.float64)
    return float(means[-1] - slopes @ means[:-1]), slopes


def _correlation(pairs: Pairs, *, level: float) -> OutOfCluster:
    values, defined = correlations(pairs, whole_and_without_each(pairs.n_clusters), kind="pearson")
    if not bool(defined[0]):
        raise UndefinedStatisticError("no_variation", "the clinical mean or its prediction is constant")
    interval = jackknife_interval(values, defined, fisher=True, level=level)
    return OutOfCluster(value=float(values[0]), interval=interval)
