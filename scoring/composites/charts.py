"""Coordinates of the plot of who wins under which weights."""

from collections.abc import Mapping, Sequence
from typing import Any

CORNERS = {"pixel": (60.0, 330.0), "semantic": (440.0, 330.0), "clinical": (250.0, 30.0)}
TIER_WORDS = {"clinical": "Clinical", "semantic": "Text", "pixel": "Pixels"}


def simplex_plot(points: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Winners as letters at the place of their weights: a triangle of three tiers, a line of two; None of fewer."""
    tiers = sorted(points[0]["weights"]) if points else []
    if len(tiers) < 2:
        return None
    corners = CORNERS if len(tiers) == 3 else {tiers[0]: (60.0, 60.0), tiers[1]: (440.0, 60.0)}
    marks = []
    for point in points:
        x = sum(weight * corners[tier][0] for tier, weight in point["weights"].items())
        y = sum(weight * corners[tier][1] for tier, weight in point["weights"].items())
        said = ", ".join(f"{TIER_WORDS.get(tier, tier)} {weight:.1f}" for tier, weight in point["weights"].items())
        winners = "".join(point["winners"]) if len(point["winners"]) < 3 else "="
        marks.append(
            {
                "x": round(x, 1),
                "y": round(y, 1),
                "letter": winners or "–",
                "series": _series(point["winners"], points),
                "words": f"{said}: {', '.join(point['winners']) or 'nobody has a number'}",
            }
        )
    return {
        "width": 500,
        "height": 366 if len(tiers) == 3 else 110,
        "tiers": [TIER_WORDS.get(tier, tier) for tier in tiers],
        "marks": marks,
        "corners": [
            {"x": x, "y": y + (26 if y > 40 else -14), "words": TIER_WORDS.get(tier, tier)}
            for tier, (x, y) in corners.items()
        ],
        "rows": [
            {
                "weights": [point["weights"][tier] for tier in tiers],
                "winners": point["winners"],
                "score": point["score"],
            }
            for point in points
        ],
    }


def _series(winners: Sequence[str], points: Sequence[Mapping[str, Any]]) -> str:
    """One of three tones for the systems that win most often, beside the letter that tells."""
    if len(winners) != 1:
        return "s0"
    wins: dict[str, int] = {}
    for point in points:
        for winner in point["winners"]:
            wins[winner] = wins.get(winner, 0) + 1
    order = sorted(wins, key=lambda one: (-wins[one], one))
    place = order.index(winners[0])
    return f"s{place + 1}" if place < 3 else "s0"
