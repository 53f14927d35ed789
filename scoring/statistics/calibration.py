"""A metric or judge against the experts: correlations pooled and within systems, gaps, and the verdict.

Pooling over systems inflates: a measure that only tells good systems from bad ones correlates with the experts and
does not tell good outputs from bad ones. Both numbers are made here, and every verdict says which one it used.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.association import KINDS, Kind, as_pairs, correlations
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import DRAWS, Interval, bootstrap_interval, cluster_positions
from scoring.statistics.jackknife import interval_or_reason, whole_and_without_each
from scoring.statistics.ratings import Floats

Scope = Literal["pooled", "within system"]
SCOPES: tuple[Scope, ...] = ("pooled", "within system")

MINIMUM_OUTPUTS = 20
"""No correlation is given below this many outputs."""

ACCEPTABLE = 0.7
"""The limit that the lower end of the interval has to reach, unless another is declared."""

_SLACK = 1e-9


@dataclass(frozen=True, kw_only=True)
class ExpertCorrelation:
    """How a measure goes with the experts over outputs.

    Attributes:
        kind: "pearson", "spearman" or "kendall" (tau-b).
        scope: "pooled" over systems or "within system".
        value: −1…1; higher is better, also for a measure whose lower values are better.
        interval: its interval over clusters, None where there is none.
        interval_reason: why there is none (`too_few_clusters`, `unstable`), "" where there is one.
        n_outputs: outputs that entered.
        n_missing: outputs without a value of the measure or of the experts.
        n_alone: outputs left out because they are the only one of their system (within systems only).
        n_systems: systems that entered (1 when pooled).
        n_clusters: clusters that entered.
    """

    kind: Kind
    scope: Scope
    value: float
    interval: Interval | None
    interval_reason: str
    n_outputs: int
    n_missing: int
    n_alone: int
    n_systems: int
    n_clusters: int

    @property
    def name(self) -> str:
        """The coefficient and its scope, as printed beside every number."""
        return f"{'Kendall tau-b' if self.kind == 'kendall' else self.kind.capitalize()}, {self.scope}"


def expert_means(ratings: ArrayLike) -> Floats:
    """Mean of the readers who graded each output, readers × outputs → outputs; NaN where nobody did."""
    table = np.atleast_2d(np.asarray(ratings, dtype=np.float64))
    graded = ~np.isnan(table)
    counts = graded.sum(axis=0)
    means: Floats = np.where(graded, table, 0.0).sum(axis=0) / np.where(counts > 0, counts, 1)
    means[counts == 0] = np.nan
    return means


def expert_correlation(
    measure: ArrayLike,
    experts: ArrayLike,
    *,
    kind: Kind,
    scope: Scope,
    systems: Sequence[Hashable],
    clusters: Sequence[Hashable],
    higher_is_better: bool = True,
    level: float = 0.95,
) -> ExpertCorrelation:
    """Correlation of a measure with the experts, pooled or within systems, with its interval over clusters.

    Within systems means: Pearson of values centered at their system's mean; Spearman of each system's mid-ranks
    brought to −1…1 (probability-scale residuals); tau-b over the pairs of outputs of one system. The interval leaves
    out one cluster at a time on Fisher's z; percentiles of a cluster bootstrap cover 92 % at 30 clusters where 95 %
    is meant, this 94–97 %.

    Args:
        measure: values of the metric or judge, one per output; NaN where absent.
        experts: the experts' values, e.g. `expert_means`; NaN where absent.
        kind: "pearson", "spearman" or "kendall".
        scope: "pooled" or "within system".
        systems: system of each output.
        clusters: cluster of each output.
        higher_is_better: direction of the measure; the experts' is always upward.
        level: coverage aimed at.

    Returns:
        The correlation with what entered. Below ten clusters it stands without an interval.

    Raises:
        UndefinedStatisticError: `too_few_units` below 20 outputs, `no_variation` when one side does not vary (within
            any system), `unusable_value` for an infinite value, `shape` for different lengths, `unknown_category`
            for a kind or scope that does not exist.

    References:
        See `association.correlations` and `jackknife.jackknife_interval`.
    """
    require_known(kind, scope)
    first, second = paired_columns(measure, experts, systems, clusters)
    both = ~np.isnan(first) & ~np.isnan(second)
    kept = both & ~alone(both, systems) if scope == "within system" else both
    require_outputs(int(kept.sum()))
    turned = first if higher_is_better else -first
    within = chosen(systems, kept) if scope == "within system" else None
    pairs = as_pairs(turned[kept], second[kept], groups=within, clusters=chosen(clusters, kept))
    values, defined = correlations(pairs, whole_and_without_each(pairs.n_clusters), kind=kind)
    if not bool(defined[0]):
        where = "within any system" if within else "over the outputs"
        raise UndefinedStatisticError("no_variation", f"the measure or the experts do not vary {where}")
    interval, reason = interval_or_reason(values, defined, fisher=True, level=level)
    return ExpertCorrelation(
        kind=kind,
        scope=scope,
        value=float(values[0]),
        interval=interval,
        interval_reason=reason,
        n_outputs=int(kept.sum()),
        n_missing=int((~both).sum()),
        n_alone=int((both & ~kept).sum()),
        n_systems=pairs.n_groups,
        n_clusters=pairs.n_clusters,
    )


def paired_columns(
    measure: ArrayLike, experts: ArrayLike, systems: Sequence[Hashable], clusters: Sequence[Hashable]
) -> tuple[Floats, Floats]:
    """Both columns as floats.

    Raises:
        UndefinedStatisticError: `shape` when the four lengths differ, `unusable_value` for an infinite value.
    """
    first, second = np.asarray(measure, dtype=np.float64).ravel(), np.asarray(experts, dtype=np.float64).ravel()
    lengths = (first.size, second.size, len(systems), len(clusters))
    if len(set(lengths)) > 1:
        raise UndefinedStatisticError(
            "shape", "{} values of the measure, {} of the experts, {} systems, {} clusters".format(*lengths)
        )
    if bool(np.isinf(first).any() or np.isinf(second).any()):
        raise UndefinedStatisticError("unusable_value", "a value is infinite")
    return first, second


def chosen(names: Sequence[Hashable], kept: NDArray[np.bool_]) -> list[Hashable]:
    """The names of the rows that are kept."""
    return [name for name, enters in zip(names, kept.tolist(), strict=True) if enters]


def alone(both: NDArray[np.bool_], systems: Sequence[Hashable]) -> NDArray[np.bool_]:
    """Outputs that are the only one of their system among those with both values."""
    places, n_systems = cluster_positions(systems, size=len(systems))
    counts = np.bincount(places[both], minlength=n_systems)
    single: NDArray[np.bool_] = both & (counts[places] == 1)
    return single


def require_outputs(n_outputs: int) -> None:
    """Refuse a correlation over too few outputs.

    Raises:
        UndefinedStatisticError: `too_few_units`, naming both numbers.
    """
    if n_outputs < MINIMUM_OUTPUTS:
        raise UndefinedStatisticError(
            "too_few_units", f"a correlation needs at least {MINIMUM_OUTPUTS} outputs, {n_outputs} entered"
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the lower end of a correlation's interval reaches a limit.

    Attributes:
        outcome: "meets", "misses", or "undecided" where there is no interval.
        limit: what has to be reached.
        correlation: the correlation that was asked.
    """

    outcome: Literal["meets", "misses", "undecided"]
    limit: float
    correlation: ExpertCorrelation

    def __str__(self) -> str:
        named = f"{self.correlation.name}: {self.correlation.value:.3f}"
        interval = self.correlation.interval
        if interval is None:
            return f"{named} without an interval: the limit of {self.limit:g} is undecided"
        side = "reaches" if self.outcome == "meets" else "stays below"
        return (
            f"{named} ({interval.level:.0%}: {interval.low:.3f} to {interval.high:.3f}): "
            f"the lower end {side} the limit of {self.limit:g}"
        ).replace("%", " %")


def verdict(correlation: ExpertCorrelation, *, limit: float = ACCEPTABLE) -> Verdict:
    """Hold the lower end of the interval against a limit.

    Raises:
        UndefinedStatisticError: `unusable_value` for a limit outside −1…1.
    """
    if not -1.0 <= limit <= 1.0:
        raise UndefinedStatisticError("unusable_value", f"the limit {limit} is outside −1…1")
    if correlation.interval is None:
        return Verdict(outcome="undecided", limit=limit, correlation=correlation)
    outcome: Literal["meets", "misses"] = "meets" if correlation.interval.low >= limit else "misses"
    return Verdict(outcome=outcome, limit=limit, correlation=correlation)


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Distribution of the absolute gaps between a judge and the experts, in points of their common scale.

    Attributes:
        mean: mean absolute gap.
        median: the middle gap.
        largest: the largest gap.
        counts: gaps of exactly 0, then above 0 up to 1 point, above 1 up to 2, …, to the width of the scale.
        share_within: share of gaps of at most `points`.
        points: what counts as near, 1 by default.
        share_interval: cluster-bootstrap interval of the share, None where there is none.
        interval_reason: why there is none, "" where there is one.
        n_outputs: outputs with both values.
        n_missing: outputs with one of them absent.
        n_clusters: clusters that entered.
    """

    mean: float
    median: float
    largest: float
    counts: tuple[int, ...]
    share_within: float
    points: float
    share_interval: Interval | None
    interval_reason: str
    n_outputs: int
    n_missing: int
    n_clusters: int


def gaps(
    judge: ArrayLike,
    experts: ArrayLike,
    *,
    judge_scale: tuple[float, float],
    expert_scale: tuple[float, float],
    clusters: Sequence[Hashable],
    seed: int,
    points: float = 1.0,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Gaps:
    """Distribution of |judge − experts|.

    Args:
        judge: the judge's values; NaN where absent.
        experts: the experts' values; NaN where absent.
        judge_scale: declared ends of the judge's scale.
        expert_scale: declared ends of the experts' scale.
        clusters: cluster of each output.
        seed: seed of the resamples.
        points: a gap of at most this much counts as near.
        draws: number of resamples.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `unknown_category` when the scales differ or a value lies outside, `empty` without an
            output that has both values, `shape` for different lengths, `unusable_value` for an infinite value.
    """
    require_one_scale(judge_scale, expert_scale)
    first, second = paired_columns(judge, experts, clusters, clusters)
    both = ~np.isnan(first) & ~np.isnan(second)
    for name, values in (("judge", first[both]), ("experts", second[both])):
        outside = values[(values < judge_scale[0] - _SLACK) | (values > judge_scale[1] + _SLACK)]
        if outside.size:
            raise UndefinedStatisticError(
                "unknown_category",
                f"{outside[0]:g} of the {name} is outside the scale {judge_scale[0]:g}…{judge_scale[1]:g}",
            )
    if not bool(both.any()):
        raise UndefinedStatisticError("empty", "no output has a value of the judge and of the experts")
    found = np.abs(first[both] - second[both])
    near = (found <= points + _SLACK).astype(np.float64)
    kept = chosen(clusters, both)
    interval, reason = None, ""
    try:
        interval = bootstrap_interval(near, clusters=kept, seed=seed, draws=draws, level=level)
    except UndefinedStatisticError as refusal:
        reason = refusal.reason
    steps = np.maximum(0, np.ceil(found - _SLACK)).astype(np.int64)
    return Gaps(
        mean=float(found.mean()),
        median=float(np.median(found)),
        largest=float(found.max()),
        counts=tuple(np.bincount(steps, minlength=int(np.ceil(judge_scale[1] - judge_scale[0])) + 1).tolist()),
        share_within=float(near.mean()),
        points=points,
        share_interval=interval,
        interval_reason=reason,
        n_outputs=found.size,
        n_missing=int((~both).sum()),
        n_clusters=cluster_positions(kept, size=found.size)[1],
    )


def require_one_scale(judge_scale: tuple[float, float], expert_scale: tuple[float, float]) -> None:
    """Refuse differences between values of two scales; rescaling is a named step of its own.

    Raises:
        UndefinedStatisticError: `unknown_category`, naming both scales.
    """
    if tuple(judge_scale) != tuple(expert_scale):
        raise UndefinedStatisticError(
            "unknown_category",
            f"the judge is on {judge_scale[0]:g}…{judge_scale[1]:g}, the experts on "
            f"{expert_scale[0]:g}…{expert_scale[1]:g}: a difference needs one scale",
        )


def require_known(kind: str, scope: str) -> None:
    """Refuse a coefficient that does not exist.

    Raises:
        UndefinedStatisticError: `unknown_category`, naming those that do.
    """
    if kind not in KINDS or scope not in SCOPES:
        raise UndefinedStatisticError(
            "unknown_category", f"{kind!r}, {scope!r} is not one of {', '.join(KINDS)} and {', '.join(SCOPES)}"
        )
