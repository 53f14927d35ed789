"""Counts and mean of one metric over many outputs, every missing value accounted for."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scoring.metrics.evaluate import MetricRow
from scoring.metrics.registry import METRICS

MISSING = frozenset({"missing_output", "missing_reference"})
FAILED = frozenset({"failed", "error_output", "unavailable"})


@dataclass(frozen=True)
class Summary:
    """One metric over many outputs.

    Attributes:
        expected: number of rows.
        scored: rows with a number.
        missing: rows whose output or reference is not there.
        failed: rows whose output is an error, or whose computation failed or was unavailable.
        undefined: reason to count, for all rows without a number.
        mean: mean over scored rows, None when there are none.
    """

    expected: int
    scored: int
    missing: int
    failed: int
    undefined: Mapping[str, int]
    mean: float | None

    def share_of_scored(self) -> float | None:
        """For metrics of 0 and 1: the share of ones among scored rows, which is the mean."""
        return self.mean

    def share_of_expected(self) -> float | None:
        """The sum of values over all expected rows: what a missing or undefined row adds is 0."""
        return None if self.mean is None else self.mean * self.scored / self.expected


def summarize(rows: Iterable[MetricRow]) -> Summary:
    """Counts and mean of rows that belong together.

    Args:
        rows: rows of one metric, one settings hash, one region, one subject.

    Returns:
        The summary; identical pairs and other reasons are counted, never averaged.

    Raises:
        ValueError: the rows mix settings, regions or subjects, or gray levels of different ranges.
    """
    found = list(rows)
    kinds = {(row.metric, row.settings_hash, row.region, row.subject) for row in found}
    if len(kinds) > 1:
        raise ValueError(f"{len(kinds)} kinds of values cannot be averaged together: {sorted(kinds)[:2]} …")
    _check_levels(found)
    values = [row.value for row in found if row.value is not None]
    reasons = Counter(row.reason for row in found if row.reason is not None)
    return Summary(
        expected=len(found),
        scored=len(values),
        missing=sum(count for reason, count in reasons.items() if reason in MISSING),
        failed=sum(count for reason, count in reasons.items() if reason in FAILED),
        undefined=dict(sorted(reasons.items())),
        mean=math.fsum(values) / len(values) if values else None,
    )


def _check_levels(rows: list[MetricRow]) -> None:
    """Gray levels of 8 and of 16 bits are different units and have no common mean."""
    ranges = {
        row.settings["data_range"]
        for row in rows
        if row.value is not None and row.metric in METRICS and METRICS[row.metric].unit == "gray levels"
    }
    if len(ranges) > 1:
        raise ValueError(f"gray levels of {len(ranges)} data ranges have no common mean; use mae_relative")
