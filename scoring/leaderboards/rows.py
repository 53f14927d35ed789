"""Rows of numbers that leaderboard and comparison share."""

from typing import Any

from scoring.composites.comparing import PairDifference
from scoring.statistics import Interval


def ends(interval: Interval | None, *, start: float = 0.0, span: float = 1.0) -> tuple[float | None, float | None]:
    """The limits on a scale that runs from `start` over `span`; a span below 0 turns it round."""
    if interval is None:
        return None, None
    low, high = sorted((start + span * interval.low, start + span * interval.high))
    return low, high


def pair_row(pair: PairDifference, *, span: float = 1.0) -> dict[str, Any]:
    """The difference of two systems, on a scale `span` times as wide as the one it was computed on."""
    low, high = ends(pair.interval, span=span)
    return {
        "first": pair.first,
        "second": pair.second,
        "n_items": pair.n_items,
        "n_clusters": pair.n_clusters,
        "difference": None if pair.difference is None else span * pair.difference,
        "low": low,
        "high": high,
        "reason": pair.reason,
        "p": pair.p,
        "p_holm": pair.p_holm,
        "exact": pair.exact,
    }
