"""What grades are made of when a study is planned: variance components, typical ones, and simulated panels."""

from dataclasses import dataclass, replace
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.ratings import Floats

_STEPS = 200
_WIDEST = 1e4


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variances of a grade on its scale, in squared units of the scale.

    Attributes:
        item: between items, shared by all systems: hard and easy items.
        system_item: between items for one system beside that; does not cancel in a paired difference.
        reader: between readers: severity.
        residual: a reader's deviation on one output.
        mean: mean grade of a typical system.
        low: lowest value of the scale.
        high: highest value.
        source: where the numbers come from, in words for the page.
    """

    item: float
    system_item: float
    reader: float
    residual: float
    mean: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, kw_only=True)
class StudySize:
    """What a study would hold.

    Attributes:
        n_clusters: clusters.
        items_per_cluster: items that share a cluster (their item variance is taken as one and the same).
        readings_per_item: readers who grade each item, k.
        n_readers: readers in the study, R ≥ k.
    """

    n_clusters: int
    items_per_cluster: int = 1
    readings_per_item: int = 2
    n_readers: int = 2


_RADPREF = (
    "RadPref: 3 radiologists, 200 reports, 1–5 (reader 0.003, residual 0.407, output 2.177 by analysis of variance); "
    "a fifth of the output variance is given to the item, the most that the demo's VQA grades show"
)
TYPICAL = {
    "T1": Components(
        item=0.435, system_item=1.742, reader=0.003, residual=0.407, mean=3.0, low=1, high=5, source=_RADPREF
    ),
    "T1b": Components(
        item=2.204,
        system_item=8.819,
        reader=0.013,
        residual=2.060,
        mean=5.5,
        low=1,
        high=10,
        source=f"{_RADPREF}; times (9/4)² for the scale 1–10",
    ),
    "T4": Components(
        item=0.248,
        system_item=0.993,
        reader=0.217,
        residual=0.755,
        mean=1.2,
        low=0,
        high=10,
        source="ReXVal: 6 radiologists, 200 reports, significant errors per report (reader means 0.48–1.76; "
        "ICC(A,1) 0.561 and ICC(C,1) 0.622 give total 2.21 and output 1.24); a fifth of it is given to the item",
    ),
    "T6": Components(
        item=0.130,
        system_item=0.675,
        reader=0.001,
        residual=0.139,
        mean=3.5,
        low=1,
        high=5,
        source="the demo's 12 editing items × 3 systems × 2 readers, mean of the three criteria; invented grades, "
        "so put in your pilot's components",
    ),
}
"""Components to start from, by rubric. A pilot's own are better."""


def typical_components(rubric: str) -> Components:
    """Components to start planning from.

    Raises:
        UndefinedStatisticError: `unknown_category` for a rubric without known ones, naming those that have some.
    """
    if rubric not in TYPICAL:
        raise UndefinedStatisticError(
            "unknown_category", f"no variances are known for rubric {rubric}; there are some for {', '.join(TYPICAL)}"
        )
    return TYPICAL[rubric]


def drawn_grades(
    components: Components, size: StudySize, generator: np.random.Generator, *, systems: int, clusters: int
) -> Floats:
    """Grades of one panel of readers: systems × clusters × items × readers, NaN where not read.

    Normal grades are rounded to whole steps and clipped to the scale; `underlying` makes their mean and total
    variance come out as declared. Every item is read by the same k readers for all systems.

    Args:
        components: variances of a grade.
        size: items per cluster, readers, and readings per item.
        generator: source of the draws.
        systems: systems.
        clusters: clusters of the panel.
    """
    hidden = underlying(components)
    shape = (systems, clusters, size.items_per_cluster, size.n_readers)
    grades = hidden.mean + sqrt(hidden.residual) * generator.normal(size=shape)
    grades += sqrt(hidden.item) * generator.normal(size=(1, clusters, 1, 1))
    grades += sqrt(hidden.system_item) * generator.normal(size=(*shape[:3], 1))
    grades += sqrt(hidden.reader) * generator.normal(size=size.n_readers)
    grades = np.clip(np.round(grades), components.low, components.high)
    order = generator.random(size=(1, *shape[1:])).argsort(axis=3)
    read: NDArray[np.bool_] = np.broadcast_to(order < size.readings_per_item, shape)
    return np.where(read, grades, np.nan)


def underlying(components: Components) -> Components:
    """Components of the normal grade that has the declared mean and total variance once rounded and clipped.

    The ends of a scale narrow what is observed, and the declared variances were observed. All parts grow by one
    factor. Where no normal grade spreads that widely on the scale, the widest is taken.
    """
    parts = (components.item, components.system_item, components.reader, components.residual)
    total = sum(parts)
    if total <= 0:
        return components
    mean, variance = components.mean, total
    for _ in range(_STEPS):
        found, spread = _on_scale(mean, variance, components.low, components.high)
        if abs(components.mean - found) + abs(total - spread) < 1e-6 * total:
            break
        mean += components.mean - found
        variance = min(_WIDEST * total, variance * min(2.0, max(0.5, total / max(spread, 1e-3 * total))))
    item, system_item, reader, residual = (part * variance / total for part in parts)
    return replace(components, item=item, system_item=system_item, reader=reader, residual=residual, mean=mean)


def _on_scale(mean: float, variance: float, low: float, high: float) -> tuple[float, float]:
    """Mean and variance of a normal value rounded to whole steps and clipped to the scale."""
    values = np.arange(low, high + 0.5)
    edges = [0.5 * (1.0 + erf((edge - mean) / sqrt(2.0 * variance))) for edge in values[:-1] + 0.5]
    chances = np.diff([0.0, *edges, 1.0])
    center = float(chances @ values)
    return center, float(chances @ (values - center) ** 2)
