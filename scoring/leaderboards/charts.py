"""Coordinates of the charts of boards; the number is always printed beside the mark."""

from collections.abc import Mapping, Sequence
from typing import Any

from scoring.agreement.charts import MARGIN, WIDTH, Dot, axis, dot, place, tidy

__all__ = ["MARGIN", "WIDTH", "Dot", "axis", "dot", "groups_plot", "place"]

ROW, LEFT, BAR, TOP = 24, 60, 14, 26


def groups_plot(systems: Sequence[Mapping[str, Any]], groups: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Systems from best to worst with intervals, and a bar beside those that no test tells apart."""
    shown = [one for one in systems if one["value"] is not None]
    ends = [end for one in shown for end in (one["low"], one["high"], one["value"]) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    line = 420
    rows = {one["code"]: TOP + at * ROW + ROW / 2 for at, one in enumerate(shown)}

    def x(value: float) -> float:
        return LEFT + place(value, low, high, width=line)

    return {
        "width": LEFT + line + 20 + BAR * max(1, len(groups)),
        "height": TOP + len(shown) * ROW + 6,
        "bottom": TOP + len(shown) * ROW,
        "ticks": [
            (x(low + share * (high - low)), tidy(low + share * (high - low))) for share in (0, 0.25, 0.5, 0.75, 1)
        ],
        "rows": [
            {
                "code": one["code"],
                "y": rows[one["code"]],
                "x": x(one["value"]),
                "x_low": None if one["low"] is None else x(one["low"]),
                "x_high": None if one["high"] is None else x(one["high"]),
            }
            for one in shown
        ],
        "bars": [
            {
                "x": LEFT + line + 14 + at * BAR,
                "y1": rows[run[0]] - 7,
                "y2": rows[run[-1]] + 7,
                "words": ", ".join(run),
            }
            for at, run in enumerate(groups)
        ],
    }
