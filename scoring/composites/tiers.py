"""The tiers beside the composite: each component over everything it has, with its own n and interval."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from scoring.agreement.resampling import drawn_clusters
from scoring.composites.declaration import CombiningError, Component, Declaration, OutputRow, check_rows
from scoring.composites.scores import row_weights
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    cluster_positions,
    percentile_interval,
    require_clusters,
)
from scoring.statistics.summary import standard_deviation

_SPREADS_IN_INTERVAL = 3.92
"""A 95 % interval spans about this many standard errors."""


@dataclass(frozen=True, kw_only=True)
class TierColumn:
    """Raw mean of one component of one system in one format, over all outputs that have it.

    Attributes:
        system: key of the system.
        format: format.
        code: component.
        tier: its tier.
        mean: mean in the raw unit with the declared weighting; None without a value.
        n: outputs in the mean.
        n_clusters: clusters in the mean.
        n_identical: outputs identical to the reference, which are no number and left out of the mean.
        reasons: why the others have no value → outputs; failures included.
        interval: 95 % cluster-bootstrap interval, None with a reason.
        interval_reason: why there is none.
    """

    system: str
    format: str
    code: str
    tier: str
    mean: float | None
    n: int
    n_clusters: int
    n_identical: int
    reasons: Mapping[str, int]
    interval: Interval | None
    interval_reason: str


def tier_columns(
    declaration: Declaration,
    rows: Sequence[OutputRow],
    *,
    system: str,
    format_name: str,
    seed: int,
    draws: int = DRAWS,
    level: float = 0.95,
) -> list[TierColumn]:
    """Columns of one system in one format, in declared order. Rows outside the graded sample enter too.

    Raises:
        CombiningError: a row or format that the declaration does not know.
    """
    check_rows(declaration, rows)
    if format_name not in declaration.formats:
        raise CombiningError(f"format {format_name!r} is not declared by composite {declaration.code}")
    own = [row for row in rows if row.system == system and row.format == format_name]
    return [
        _column(
            declaration, component, own, system=system, format_name=format_name, seed=seed, draws=draws, level=level
        )
        for component in declaration.components_of(format_name)
    ]


def cannot_rank(columns: Sequence[TierColumn]) -> bool:
    """Whether systems differ less on a component than its own cluster noise ("low spread: cannot rank").

    Args:
        columns: the same component of every system.

    Returns:
        True when the standard deviation of the systems' means is below the mean standard error read from the
        intervals. False when there are fewer than two systems with an interval: nothing can be said then.
    """
    known = [(one.mean, one.interval) for one in columns if one.mean is not None and one.interval is not None]
    if len(known) < 2:
        return False
    errors = [(interval.high - interval.low) / _SPREADS_IN_INTERVAL for _, interval in known]
    return standard_deviation([mean for mean, _ in known]) < fsum(errors) / len(errors)


def _column(
    declaration: Declaration,
    component: Component,
    rows: Sequence[OutputRow],
    *,
    system: str,
    format_name: str,
    seed: int,
    draws: int,
    level: float,
) -> TierColumn:
    code = component.code
    known = [row for row in rows if row.status == "ok" and row.values.get(code) and code not in row.identical]
    raws = [fsum(row.values[code]) / len(row.values[code]) for row in known]
    weights = row_weights(declaration, known) if known else []
    interval, reason = None, ""
    try:
        interval = _interval(known, raws, weights, seed=seed, draws=draws, level=level)
    except UndefinedStatisticError as error:
        reason = str(error)
    return TierColumn(
        system=system,
        format=format_name,
        code=code,
        tier=component.tier,
        mean=fsum(weight * raw for weight, raw in zip(weights, raws, strict=True)) if known else None,
        n=len(known),
        n_clusters=len({row.cluster for row in known}),
        n_identical=sum(row.status == "ok" and code in row.identical for row in rows),
        reasons=dict(Counter(why for why in (_why_absent(row, code) for row in rows) if why)),
        interval=interval,
        interval_reason=reason,
    )


def _why_absent(row: OutputRow, code: str) -> str:
    if row.status != "ok":
        return row.status
    if code in row.identical or row.values.get(code):
        return ""
    return row.reasons.get(code, "no value")


def _interval(
    rows: Sequence[OutputRow],
    raws: Sequence[float],
    weights: Sequence[float],
    *,
    seed: int,
    draws: int,
    level: float,
) -> Interval:
    order = sorted(range(len(rows)), key=lambda place: (rows[place].cluster, rows[place].item))
    places, n_clusters = cluster_positions([rows[place].cluster for place in order], size=len(order))
    require_clusters(n_clusters)
    weight = np.array([weights[place] for place in order])
    value = np.array([raws[place] for place in order])
    sums = np.bincount(places, weights=weight * value, minlength=n_clusters)
    sizes = np.bincount(places, weights=weight, minlength=n_clusters)
    drawn = drawn_clusters(n_clusters, draws=draws, seed=seed)
    means = (drawn @ sums) / (drawn @ sizes)
    return percentile_interval(
        means,
        np.ones(draws, dtype=np.bool_),
        level=level,
        n_clusters=n_clusters,
        seed=seed,
        method="cluster bootstrap",
    )
