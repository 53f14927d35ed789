"""Coordinates of the dot-and-interval charts; the number is always printed beside the mark."""

from dataclasses import dataclass

WIDTH, MARGIN = 160, 8


@dataclass(frozen=True)
class Dot:
    """One value with its interval on a line of `WIDTH` pixels."""

    value: float
    x: float
    x_low: float | None
    x_high: float | None
    words: str
    grid: tuple[float, ...]


def place(value: float, low: float, high: float) -> float:
    """Pixel of a value on an axis from low to high; values outside stay at its ends."""
    share = (value - low) / (high - low) if high != low else 0.5
    return round(MARGIN + min(1.0, max(0.0, share)) * (WIDTH - 2 * MARGIN), 1)


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
    return [(place(value, low, high), f"{value:.{digits}f}".rstrip("0").rstrip(".")) for value in values]
