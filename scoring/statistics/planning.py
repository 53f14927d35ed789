"""How many items a study needs: expected width of its intervals, by formula and by simulation.

A grade is system mean + item + system × item + reader + residual. Readers are fixed, as in the printed intervals: in
a crossed study their severity moves the mean of all items alike and widens nothing, with k of R readers per item it
does. An item is a cluster unless several items share a case or an input image.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Literal

import numpy as np

from scoring.statistics.alpha import Level, value_counts, weighted_alphas
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import MINIMUM_CLUSTERS, require_clusters
from scoring.statistics.planning_grades import Components, StudySize, drawn_grades
from scoring.statistics.ratings import Floats

Quantity = Literal["mean", "difference", "alpha"]

LEAST_EXPECTED = 5.0
"""A category expected less often than this per system and stratum is not planned for."""

MOST_CLUSTERS = 20_000
_PANELS = 12
_CLUSTERS_PER_PANEL = 250
_DRAWS_PER_PANEL = 100
_GUESSES = 8


@dataclass(frozen=True, kw_only=True)
class ExpectedWidth:
    """Width that a 95 % interval (or another level) can be expected to have.

    Attributes:
        quantity: "mean", "difference" (paired, two systems) or "alpha".
        width: high − low by simulation on the scale with its steps and ends; in units of the scale, alpha's own.
        closed_form: the same by formula without steps and ends; None for alpha.
        value: the quantity's expected value in the simulation (alpha; mean; 0 for a difference).
        size: the study.
        level: coverage aimed at.
        seed: seed of the simulation.
    """

    quantity: Quantity
    width: float
    closed_form: float | None
    value: float
    size: StudySize
    level: float
    seed: int


def expected_width(
    quantity: Quantity,
    *,
    components: Components,
    size: StudySize,
    seed: int,
    level: float = 0.95,
    measured: Level = "ordinal",
) -> ExpectedWidth:
    """Expected width of the interval of a mean, a paired difference or alpha.

    The simulation draws panels of readers and clusters of items, rounds grades to whole steps and clips them to
    the scale. The spread between clusters gives the width of a mean; alpha is computed in resampled studies.

    Args:
        quantity: "mean" of one system, "difference" of two on the same items, or "alpha".
        components: variances of a grade.
        size: the study.
        seed: seed of the simulation; the same inputs give the same width.
        level: coverage aimed at.
        measured: level of measurement of alpha.

    Returns:
        The width by simulation, with that by formula where one exists.

    Raises:
        UndefinedStatisticError: `too_few_clusters` below ten clusters; `unusable_value` for a negative variance,
            an empty scale or k outside 1…R; `no_pairs` for alpha with one reading per item; `no_variation` when
            simulated grades never differ.
    """
    _check(quantity, components, size)
    spread, value = _simulation(quantity, components, size, seed=seed, measured=measured)
    return _width(quantity, spread(size.n_clusters), value, components, size, seed=seed, level=level)


def closed_form_width(
    quantity: Quantity, *, components: Components, size: StudySize, level: float = 0.95
) -> float | None:
    """Width by formula, without the steps and ends of the scale; None for alpha.

    A cluster mean of m items with k of R readers each has variance item + (system × item + residual / k +
    reader / k × (1 − k / R)) / m; in a paired difference item and reader cancel and the rest counts twice. The
    width is 2 t √(variance / n) with n − 1 degrees of freedom.

    Raises:
        UndefinedStatisticError: as `expected_width`.
    """
    _check(quantity, components, size)
    k, items = size.readings_per_item, size.items_per_cluster
    if quantity == "alpha":
        return None
    if quantity == "difference":
        variance = 2.0 * (components.system_item + components.residual / k) / items
    else:
        severity = components.reader / k * (1.0 - k / size.n_readers)
        variance = components.item + (components.system_item + components.residual / k + severity) / items
    return _t_width(sqrt(variance), size.n_clusters, level)


def smallest_study(
    quantity: Quantity,
    *,
    width: float,
    components: Components,
    size: StudySize,
    seed: int,
    level: float = 0.95,
    measured: Level = "ordinal",
) -> ExpectedWidth:
    """Fewest clusters whose expected (simulated) width is at most the wished one.

    Args:
        quantity: as `expected_width`.
        width: wished width, high − low.
        components: variances of a grade.
        size: the study; its number of clusters is replaced.
        seed: seed of the simulation.
        level: coverage aimed at.
        measured: level of measurement of alpha.

    Raises:
        UndefinedStatisticError: as `expected_width`; `out_of_reach` when 20,000 clusters do not suffice, naming
            the width they give; `unusable_value` for a width that is not above 0.
    """
    size = replace(size, n_clusters=MINIMUM_CLUSTERS)
    _check(quantity, components, size)
    if not width > 0:
        raise UndefinedStatisticError("unusable_value", f"a width of {width:g} cannot be reached; it must be above 0")
    spread, value = _simulation(quantity, components, size, seed=seed, measured=measured)

    def found(n_clusters: int) -> ExpectedWidth:
        sized = replace(size, n_clusters=n_clusters)
        return _width(quantity, spread(n_clusters), value, components, sized, seed=seed, level=level)

    if (most := found(MOST_CLUSTERS)).width > width:
        raise UndefinedStatisticError(
            "out_of_reach",
            f"{MOST_CLUSTERS:,} clusters still give a width of {most.width:.3g}, {width:g} is wished",
        )
    low, high, best, last = MINIMUM_CLUSTERS - 1, MOST_CLUSTERS, most, found(MINIMUM_CLUSTERS)
    for step in range(100):
        n_clusters = last.size.n_clusters
        low, high, best = (low, n_clusters, last) if last.width <= width else (n_clusters, high, best)
        if high - low <= 1:
            break
        guess = ceil(n_clusters * (last.width / width) ** 2) if step < _GUESSES else (low + high) // 2
        last = found(min(high - 1, max(low + 1, guess)))
    return best


def require_frequent(n_outputs: int, *, share: float, category: str, where: str = "system and stratum") -> float:
    """Expected count of a binary or error category, refused where it is too rare to be compared.

    Args:
        n_outputs: graded outputs per system and stratum.
        share: share of outputs expected in the category, 0…1.
        category: its name, for the message.
        where: what the outputs are counted per, for the message.

    Returns:
        The expected count, at least 5.

    Raises:
        UndefinedStatisticError: `rare_category` below 5, with the number of outputs that is needed;
            `unusable_value` for a share outside 0…1.
    """
    if not 0.0 <= share <= 1.0:
        raise UndefinedStatisticError("unusable_value", f"a share of {share:g} is outside 0…1")
    expected = n_outputs * share
    if expected >= LEAST_EXPECTED:
        return expected
    needed = f"{ceil(LEAST_EXPECTED / share - 1e-9):,} are needed" if share > 0 else "no number suffices"
    raise UndefinedStatisticError(
        "rare_category",
        f"“{category}” is expected in {share:.1%} of outputs, {expected:.1f} of {n_outputs} per {where}; below "
        f"{LEAST_EXPECTED:.0f} a comparison says nothing: {needed} per {where}".replace("% of", " % of"),
    )


def _check(quantity: Quantity, components: Components, size: StudySize) -> None:
    require_clusters(size.n_clusters)
    parts = (components.item, components.system_item, components.reader, components.residual)
    if min(parts) < 0 or not all(np.isfinite(parts)):
        raise UndefinedStatisticError("unusable_value", "a variance is negative or not finite")
    if not components.low < components.high:
        raise UndefinedStatisticError("unusable_value", f"the scale {components.low:g}…{components.high:g} is empty")
    if not 1 <= size.readings_per_item <= size.n_readers or size.items_per_cluster < 1:
        raise UndefinedStatisticError(
            "unusable_value",
            f"{size.readings_per_item} readings per item by {size.n_readers} readers, "
            f"{size.items_per_cluster} items per cluster",
        )
    if quantity == "alpha" and size.readings_per_item < 2:
        raise UndefinedStatisticError("no_pairs", "agreement needs two readings per item")


def _simulation(
    quantity: Quantity, components: Components, size: StudySize, *, seed: int, measured: Level
) -> tuple[Callable[[int], float], float]:
    """Standard error as a function of the number of clusters, and the expected value."""
    generator = np.random.Generator(np.random.PCG64(seed))
    panels = [
        drawn_grades(components, size, generator, systems=2, clusters=_CLUSTERS_PER_PANEL) for _ in range(_PANELS)
    ]
    if quantity == "alpha":
        return _alpha_simulation(panels, size, seed=seed, measured=measured)
    means = [np.nanmean(panel, axis=(2, 3)) for panel in panels]
    if quantity == "difference":
        variance, value = float(np.mean([np.var(m[0] - m[1], ddof=1) for m in means])), 0.0
    else:
        variance, value = float(np.mean([np.var(m, axis=1, ddof=1) for m in means])), float(np.mean(means))
    return lambda n_clusters: sqrt(variance / n_clusters), value


def _alpha_simulation(
    panels: list[Floats], size: StudySize, *, seed: int, measured: Level
) -> tuple[Callable[[int], float], float]:
    tables = [value_counts(panel[0].reshape(-1, size.n_readers).T) for panel in panels]
    once = np.ones((1, _CLUSTERS_PER_PANEL * size.items_per_cluster))
    values = [weighted_alphas(counts, values, once, measured) for counts, values in tables]
    if not all(bool(defined[0]) for _, defined in values):
        raise UndefinedStatisticError("no_variation", "simulated grades do not vary")
    even = np.full(_CLUSTERS_PER_PANEL, 1.0 / _CLUSTERS_PER_PANEL)

    def spread(n_clusters: int) -> float:
        generator = np.random.Generator(np.random.PCG64(seed))
        variances = []
        for counts, scale in tables:
            drawn = generator.multinomial(n_clusters, even, size=_DRAWS_PER_PANEL).astype(np.float64)
            weights = np.repeat(drawn, size.items_per_cluster, axis=1)
            alphas, defined = weighted_alphas(counts, scale, weights, measured)
            variances.append(float(np.var(alphas[defined], ddof=1)))
        return sqrt(float(np.mean(variances)))

    return spread, float(np.mean([alphas[0] for alphas, _ in values]))


def _width(
    quantity: Quantity,
    error: float,
    value: float,
    components: Components,
    size: StudySize,
    *,
    seed: int,
    level: float,
) -> ExpectedWidth:
    return ExpectedWidth(
        quantity=quantity,
        width=_t_width(error * sqrt(size.n_clusters), size.n_clusters, level),
        closed_form=closed_form_width(quantity, components=components, size=size, level=level),
        value=value,
        size=size,
        level=level,
        seed=seed,
    )


def _t_width(deviation: float, n_clusters: int, level: float) -> float:
    from scipy.special import stdtrit

    quantile = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0))
    return 2.0 * quantile * deviation / sqrt(n_clusters)
