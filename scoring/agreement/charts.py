"""Coordinates of the charts of numbers with intervals; every mark has its number in a table beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any

WIDTH, MARGIN = 160, 8
HEAT_STEPS = 7
MOST_WORDS_IN_CELLS = 16
LINES = {"lower": "lower limit", "bias": "bias", "upper": "upper limit"}


@dataclass(frozen=True)
class Dot:
    """One value with its interval on a line of `WIDTH` pixels."""

    value: float
    x: float
    x_low: float | None
    x_high: float | None
    words: str
    grid: tuple[float, ...]


def place(value: float, low: float, high: float, *, width: float = WIDTH, margin: float = MARGIN) -> float:
    """Pixel of a value on an axis from low to high; values outside stay at its ends."""
    share = (value - low) / (high - low) if high != low else 0.5
    return round(margin + min(1.0, max(0.0, share)) * (width - 2 * margin), 1)


def dot(
    value: float | None, interval: tuple[float | None, float | None], *, low: float, high: float, digits: int = 2
) -> Dot | None:
    """The mark of a value; None when there is no value."""
    if value is None:
        return None
    start, end = interval
    words = f"{value:.{digits}f}"
    if start is not None and end is not None:
        words += f" ({start:.{digits}f} to {end:.{digits}f})"
    return Dot(
        value=value,
        x=place(value, low, high),
        x_low=None if start is None else place(start, low, high),
        x_high=None if end is None else place(end, low, high),
        words=words,
        grid=tuple(place(low + share * (high - low), low, high) for share in (0, 0.25, 0.5, 0.75, 1)),
    )


def axis(low: float, high: float, digits: int = 2) -> list[tuple[float, str]]:
    """Tick places with their words."""
    values = [low + share * (high - low) for share in (0, 0.5, 1)]
    return [(place(value, low, high), tidy(value, digits)) for value in values]


def tidy(value: float, digits: int = 2) -> str:
    """A number of an axis without idle zeros."""
    words = f"{value:.{digits}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def around(ends: Sequence[float | None], low: float, high: float) -> tuple[float, float]:
    """The part of a scale that these values need, in half steps; the whole scale where there is no value."""
    known = [end for end in ends if end is not None]
    if not known:
        return low, high
    first, last = max(low, floor(2 * min(known)) / 2), min(high, ceil(2 * max(known)) / 2)
    return (first, last) if first < last else (low, high)


def heat_map(pairs: Sequence[Mapping[str, Any]], readers: Sequence[str]) -> dict[str, Any]:
    """Cells of the lower triangle of readers × readers, shaded by weighted kappa."""
    worded = len(readers) <= MOST_WORDS_IN_CELLS
    wide, tall, left, top = (62, 34, 48, 22) if worded else (18, 18, 48, 60)
    rows = {reader: at for at, reader in enumerate(readers)}
    cells = []
    for pair in pairs:
        column, row = sorted((rows[pair["first"]], rows[pair["second"]]))
        kappa = pair["quadratic_kappa"]
        x, y = left + column * wide, top + (row - 1) * tall
        cells.append(
            {
                "x": x,
                "y": y,
                "text_x": x + wide / 2,
                "text_y": y + tall / 2 + 4,
                "step": None if kappa is None else min(HEAT_STEPS - 1, max(0, int(kappa * HEAT_STEPS))),
                "value": kappa,
                "words": f"{pair['first']} and {pair['second']}, {pair['n_shared']} shared: "
                + (f"{kappa:.3f}" if kappa is not None else pair["reason"] or "no output in common"),
            }
        )
    size = max(1, len(readers) - 1)
    return {
        "cells": cells,
        "wide": wide - 2,
        "tall": tall - 2,
        "worded": worded,
        "width": left + size * wide + 4,
        "height": top + size * tall + 4,
        "columns": [(left + at * wide + wide / 2, top - 8, reader) for at, reader in enumerate(readers[:-1])],
        "rows": [(left - 8, top + at * tall + tall / 2 + 4, reader) for at, reader in enumerate(readers[1:])],
    }


def distribution(counts: Sequence[int], levels: Sequence[float], *, top: float = 1.0) -> dict[str, Any]:
    """Bars of how often each level was used, as tall as their share; `top` is the share of full height."""
    total = sum(counts) * top
    wide, tall = max(6, min(22, 260 // max(1, len(counts)))), 40
    bars = [
        {
            "x": at * wide + 1,
            "y": round(tall - (tall - 4) * count / total, 1) if total else tall,
            "height": round((tall - 4) * count / total, 1) if total else 0,
            "words": f"{tidy(level)}: {count}",
        }
        for at, (count, level) in enumerate(zip(counts, levels, strict=True))
    ]
    return {"bars": bars, "wide": wide - 2, "width": wide * len(counts) + 2, "height": tall}


def bland_altman(found: Mapping[str, Any], *, low: float, high: float) -> dict[str, Any]:
    """Differences of two readers against their means, with bias and limits as lines."""
    width, height, left, right, margin = 640, 300, 46, 130, 14
    inner, tall = width - left - right, height - 2 * margin - 18
    lines = {name: found[name] for name in LINES if name in found}
    ends = [abs(point[1]) for point in found["points"]]
    ends += [abs(end) for line in lines.values() for end in line.values() if end is not None]
    reach: float = max([1.0, *ends]) * 1.08
    most = max((point[2] for point in found["points"]), default=1)

    def across(value: float) -> float:
        return round(left + 8 + (value - low) / (high - low) * (inner - 16), 1)

    def down(value: float) -> float:
        share: float = (value + reach) / (2 * reach)
        return round(margin + (1 - share) * tall, 1)

    step = max(1, round(reach / 3))
    return {
        "width": width,
        "height": height,
        "left": left,
        "right": left + inner,
        "inner": inner,
        "bottom": margin + tall,
        "top": margin,
        "dots": [
            {
                "x": across(mean),
                "y": down(gap),
                "r": round(2 + 7 * sqrt(n / most), 1),
                "words": f"mean {tidy(mean)}, difference {tidy(gap)}: {n} output{'' if n == 1 else 's'}",
            }
            for mean, gap, n in found["points"]
        ],
        "lines": [
            {
                "name": LINES[name],
                "y": down(line["value"]),
                "band_y": down(line["high"]) if line["high"] is not None else None,
                "band": round(down(line["low"]) - down(line["high"]), 1) if line["high"] is not None else None,
                "words": f"{line['value']:.2f}",
            }
            for name, line in lines.items()
        ],
        "x_ticks": [(across(low + at * (high - low) / 4), tidy(low + at * (high - low) / 4)) for at in range(5)],
        "y_ticks": [(down(at * step), tidy(at * step)) for at in range(-3, 4) if abs(at * step) <= reach],
        "zero": down(0.0),
    }
