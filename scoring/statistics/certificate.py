"""What a calibration certificate says of one metric or judge on one criterion: each part a value or a refusal."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from scoring.statistics.association import KINDS, Kind
from scoring.statistics.calibration import (
    ACCEPTABLE,
    SCOPES,
    ExpertCorrelation,
    Gaps,
    Scope,
    Verdict,
    expert_correlation,
    expert_means,
    gaps,
    paired_columns,
    require_one_scale,
    verdict,
)
from scoring.statistics.ceiling import Ceiling, human_ceiling, judge_kappa
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import DRAWS
from scoring.statistics.limits import LimitsOfAgreement, limits_of_agreement
from scoring.statistics.ratings import as_ratings

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A part that does not exist for these data.

    Attributes:
        reason: stable code of `UndefinedStatisticError`.
        message: why, in words.
    """

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A metric or judge against the experts.

    Attributes:
        verdict: the declared correlation held against the limit.
        correlations: every coefficient in both scopes.
        ceilings: the same beside what readers reach against the same target.
        limits: bias and limits of agreement; refused where the measure is not on the experts' scale.
        gaps: distribution of absolute gaps; refused likewise.
        kappa: quadratic-weighted kappa; refused likewise, and where a value is not a level of the scale.
        n_outputs: outputs with a value and at least one grade.
        n_without_value: graded outputs without a value.
        n_without_grade: outputs with a value that nobody graded.
        n_readers: readers with a grade.
    """

    verdict: Verdict | Refusal
    correlations: Mapping[tuple[Kind, Scope], ExpertCorrelation | Refusal]
    ceilings: Mapping[tuple[Kind, Scope], Ceiling | Refusal]
    limits: LimitsOfAgreement | Refusal
    gaps: Gaps | Refusal
    kappa: Ceiling | Refusal
    n_outputs: int
    n_without_value: int
    n_without_grade: int
    n_readers: int


def certify(
    measure: ArrayLike,
    ratings: ArrayLike,
    *,
    systems: Sequence[Hashable],
    clusters: Sequence[Hashable],
    categories: Sequence[float],
    seed: int,
    scale: tuple[float, float] | None = None,
    readers: Sequence[Hashable] | None = None,
    higher_is_better: bool = True,
    deciding: tuple[Kind, Scope] = ("spearman", "within system"),
    limit: float = ACCEPTABLE,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Certificate:
    """All parts of a calibration certificate.

    Args:
        measure: values of the metric or judge, one per output; NaN where absent.
        ratings: the experts' first final grades of one criterion, readers × outputs; NaN where absent.
        systems: system of each output.
        clusters: cluster of each output.
        categories: the declared scale of the criterion, rising.
        seed: seed of the resamples.
        scale: declared ends of the measure's scale; None for a metric that has none in common with readers.
        readers: names of the readers, default 0, 1, ….
        higher_is_better: direction of the measure.
        deciding: which correlation the verdict is about; declared before the data are seen.
        limit: what its lower end has to reach.
        draws: number of resamples.
        level: coverage aimed at.

    Returns:
        The parts. One that does not exist holds the reason and leaves the others as they are.

    Raises:
        UndefinedStatisticError: `shape` for different lengths, `empty` without a grade, `unusable_value` for an
            infinite value, `unknown_category` for an empty scale or a deciding correlation that does not exist.
    """
    table, values = as_ratings(ratings), np.asarray(measure, dtype=np.float64).ravel()
    if not categories or deciding[0] not in KINDS or deciding[1] not in SCOPES:
        raise UndefinedStatisticError("unknown_category", f"the scale is empty or there is no correlation {deciding}")
    ends = (float(categories[0]), float(categories[-1]))
    experts = expert_means(table)
    paired_columns(values, experts, systems, clusters)
    shared: dict[str, Any] = {
        "systems": systems,
        "clusters": clusters,
        "higher_is_better": higher_is_better,
        "level": level,
    }
    drawn: dict[str, Any] = {"clusters": clusters, "seed": seed, "draws": draws, "level": level}
    correlations = _each(partial(expert_correlation, values, experts, **shared))
    limits: Callable[[], LimitsOfAgreement] = partial(limits_of_agreement, values, experts, **drawn)
    near: Callable[[], Gaps] = partial(gaps, values, experts, judge_scale=ends, expert_scale=ends, **drawn)
    levels: Callable[[], Ceiling] = partial(
        judge_kappa, values, table, categories=categories, clusters=clusters, readers=readers, level=level
    )
    decided = correlations[deciding]
    graded, valued = ~np.isnan(experts), ~np.isnan(values)
    return Certificate(
        verdict=decided if isinstance(decided, Refusal) else verdict(decided, limit=limit),
        correlations=correlations,
        ceilings=_each(partial(human_ceiling, values, table, readers=readers, **shared)),
        limits=_on_one_scale(limits, scale, ends),
        gaps=_on_one_scale(near, scale, ends),
        kappa=_on_one_scale(levels, scale, ends),
        n_outputs=int((graded & valued).sum()),
        n_without_value=int((graded & ~valued).sum()),
        n_without_grade=int((~graded & valued).sum()),
        n_readers=int((~np.isnan(table)).any(axis=1).sum()),
    )


def _part(act: Callable[[], Value]) -> Value | Refusal:
    try:
        return act()
    except UndefinedStatisticError as refusal:
        return Refusal(reason=refusal.reason, message=str(refusal))


def _each(act: Callable[..., Value]) -> dict[tuple[Kind, Scope], Value | Refusal]:
    return {(kind, scope): _part(partial(act, kind=kind, scope=scope)) for kind, scope in product(KINDS, SCOPES)}


def _on_one_scale(
    act: Callable[[], Value], scale: tuple[float, float] | None, ends: tuple[float, float]
) -> Value | Refusal:
    """A part made of differences from the experts, which mean nothing across scales."""
    if scale is None:
        return Refusal(reason="unknown_category", message="the measure has no scale in common with the experts")
    refused = _part(partial(require_one_scale, scale, ends))
    return refused if isinstance(refused, Refusal) else _part(act)
