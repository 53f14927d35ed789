"""Curves of expected width over the number of items, one for each number of readers per item."""

from collections.abc import Mapping
from math import log
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 280, 48, 90, 12, 34


def width_curves(table: Mapping[str, Any]) -> dict[str, Any] | None:
    """Points and lines on a logarithmic axis of items; None without a width."""
    known = [cell for row in table["rows"] for cell in row["cells"] if cell["width"] is not None]
    if not known:
        return None
    most: float = max(cell["width"] for cell in known) * 1.05
    low, high = log(table["columns"][0]), log(table["columns"][-1])

    def x(items: int) -> float:
        share = (log(items) - low) / (high - low) if high > low else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(width: float) -> float:
        share = 1 - width / most
        return round(TOP + share * (HEIGHT - TOP - BOTTOM), 1)

    curves = []
    for row in table["rows"]:
        points = [(x(cell["items"]), y(cell["width"]), cell) for cell in row["cells"] if cell["width"] is not None]
        if points:
            curves.append(
                {
                    "k": row["readings_per_item"],
                    "line": " ".join(f"{across},{down}" for across, down, _ in points),
                    "dots": [
                        {"x": across, "y": down, "r": 5 if cell["chosen"] else 3, "words": f"{cell['width']:.3f}"}
                        for across, down, cell in points
                    ],
                    "end": points[-1][:2],
                }
            )
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "bottom": HEIGHT - BOTTOM,
        "columns": [(x(items), items) for items in table["columns"]],
        "ticks": [(y(most * share / 4), f"{most * share / 4:.2f}") for share in range(5)],
        "curves": _apart(curves),
    }


def _apart(curves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The words of the curves at their right ends, moved so that none covers another."""
    floor = TOP
    for curve in sorted(curves, key=lambda one: one["end"][1]):
        floor = max(floor + 14, curve["end"][1])
        curve["word_y"] = round(floor, 1)
    over = max((curve["word_y"] for curve in curves), default=0) - (HEIGHT - BOTTOM)
    return [curve | {"word_y": round(curve["word_y"] - max(0, over), 1)} for curve in curves]
