"""The courtroom: every metric and judge × task × modality against the experts, and what so many trials mean.

Each cell is the correlation that the stated limit is about, with its 95 % interval and one that holds for all cells
together (Bonferroni): of many trials some come out well by chance, and only the second interval may be read cell by
cell. A cell without enough outputs says so and is never 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import atanh, tanh
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.formats import taxonomy
from scoring.agreement.ratings import Ratings
from scoring.calibration.limits import Limit
from scoring.calibration.measures import Floats, Held, Measure
from scoring.calibration.telling import correlation_told
from scoring.statistics import ExpertCorrelation, Interval, Refusal, UndefinedStatisticError, expert_correlation
from scoring.statistics.calibration import chosen, expert_means

LEVEL = 0.95
PERFECT = 1.0 - 1e-12
ALL = ""
Told = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """A task, a modality, both, or everything."""

    task: str
    modality: str
    kept: NDArray[np.bool_]

    @property
    def kind(self) -> str:
        if self.task and self.modality:
            return "both"
        return "task" if self.task else "modality" if self.modality else "all"


@dataclass(frozen=True, eq=False)
class _Trial:
    """What all cells share: columns, experts and their means, the limit."""

    found: Held
    experts: Ratings
    means: Floats
    limit: Limit

    def cell(self, measure: Measure, group: Group) -> ExpertCorrelation | Refusal:
        kept = group.kept & ~np.isnan(self.means)
        values = self.found.values[measure.key][kept]
        try:
            return expert_correlation(
                values,
                self.means[kept],
                kind=self.limit.kind,
                scope=self.limit.scope,
                systems=chosen(self.found.letters, kept),
                clusters=chosen(self.experts.clusters, kept),
                higher_is_better=self.found.goes_up(measure, self.experts),
                level=LEVEL,
            )
        except UndefinedStatisticError as refusal:
            return Refusal(reason=refusal.reason, message=str(refusal))


def try_all(found: Held, experts: Ratings, limit: Limit) -> Told:
    """All cells on one criterion, each with what entered."""
    measures = found.beside(experts)
    groups = list(_groups(found))
    means = expert_means(experts.values)
    trial = _Trial(found, experts, means, limit)
    tried = {
        (group.task, group.modality, measure.key): trial.cell(measure, group)
        for group in groups
        for measure in measures
    }
    family = sum(isinstance(one, ExpertCorrelation) and one.interval is not None for one in tried.values())
    return {
        "criterion": {"code": experts.code, "label": experts.label},
        "measures": [
            {"key": one.key, "label": one.label, "tier": one.tier, "about": one.about, "circular": list(one.circular)}
            for one in measures
        ],
        "groups": [
            {
                "task": group.task,
                "task_label": taxonomy.task_label(group.task) if group.task else "",
                "modality": group.modality,
                "modality_label": taxonomy.modality_label(group.modality) if group.modality else "",
                "kind": group.kind,
                "n_outputs": int(group.kept.sum()),
                "n_graded": int((group.kept & ~np.isnan(means)).sum()),
                "cells": [
                    cell_told(
                        tried[group.task, group.modality, one.key], family, limit.limit,
                        missing=found.missing(one, group.kept & ~np.isnan(means)),
                        n_graded=int((group.kept & ~np.isnan(means)).sum()),
                    )
                    for one in measures
                ],
            }
            for group in groups
        ],
        "family": family,
        "expected_by_chance": family * (1 - LEVEL) / 2,
        "simultaneous_level": 1 - (1 - LEVEL) / family if family else None,
    }  # fmt: skip


def _groups(found: Held) -> Iterator[Group]:
    """Everything, each task, each modality, and each pair of them that occurs."""
    tasks = np.array([unit.task for unit in found.units], dtype=object)
    modalities = np.array([unit.modality for unit in found.units], dtype=object)
    everything = np.ones(len(found.units), dtype=np.bool_)
    yield Group(ALL, ALL, everything)
    for task in sorted(set(tasks.tolist())):
        yield Group(task, ALL, tasks == task)
    for modality in sorted(set(modalities.tolist()) - {ALL}):
        yield Group(ALL, modality, modalities == modality)
    for task, modality in sorted({(unit.task, unit.modality) for unit in found.units if unit.modality}):
        yield Group(task, modality, (tasks == task) & (modalities == modality))


def cell_told(
    cell: ExpertCorrelation | Refusal,
    family: int,
    limit: float,
    *,
    missing: dict[str, int] | None = None,
    n_graded: int = 0,
) -> Told:
    """One cell; its verdict rests on the interval that holds for all cells together."""
    told = correlation_told(cell) | {"missing": missing or {}}
    if isinstance(cell, Refusal):
        n_both = n_graded - sum((missing or {}).values())
        return told | {
            "n_outputs": n_both,
            "all_low": None,
            "all_high": None,
            "verdict": "refused",
            "why": cell.reason,
        }
    if cell.interval is None:
        return told | {"all_low": None, "all_high": None, "verdict": "undecided", "why": cell.interval_reason}
    low, high = widened(cell.interval, family)
    verdict = "meets" if low >= limit else "misses" if high < limit else "open"
    return told | {"all_low": low, "all_high": high, "verdict": verdict, "why": ""}


def widened(interval: Interval, family: int) -> tuple[float, float]:
    """The limits of a jackknife interval of a correlation at the level that holds for a family of intervals.

    Both go through Fisher's z with Student's t on clusters − 1, so that the second is the first times a ratio of
    quantiles.

    Args:
        interval: of one correlation.
        family: how many intervals there are; 1 changes nothing.
    """
    from scipy.special import stdtrit

    if interval.high - interval.low <= 1 - PERFECT or max(abs(interval.low), abs(interval.high)) >= 1:
        return interval.low, interval.high
    tail = (1 - interval.level) / 2
    df = interval.n_clusters - 1
    ratio = float(stdtrit(df, 1 - tail / max(1, family)) / stdtrit(df, 1 - tail))
    low, high = atanh(interval.low), atanh(interval.high)
    center, half = (low + high) / 2, (high - low) / 2 * ratio
    return tanh(center - half), tanh(center + half)


def sorted_groups(groups: Sequence[Told], by: str, place: int | None, *, falling: bool) -> list[Told]:
    """Groups of one kind, by name or by the value of one measure; cells without a value come last.

    Args:
        groups: as `try_all` gave them.
        by: task, modality or both.
        place: which measure; None for names.
        falling: the highest first.
    """
    shown = [group for group in groups if group["kind"] == by]
    if place is None:
        return sorted(shown, key=lambda group: (group["task_label"], group["modality_label"]), reverse=falling)
    with_value = [group for group in shown if group["cells"][place]["value"] is not None]
    without = [group for group in shown if group["cells"][place]["value"] is None]
    return sorted(with_value, key=lambda group: float(group["cells"][place]["value"]), reverse=falling) + without
