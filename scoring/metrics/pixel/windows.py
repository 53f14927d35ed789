"""Means over the windows of two pictures, tile by tile, so that everything stays in the processor's cache."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.metrics.base import Mask, Pixels, UndefinedMetricError
from scoring.metrics.pixel.planes import Planes

TILE_ROWS = 128
TILE_SAMPLES = 384

TileMap = Callable[[Pixels, Pixels], Pixels]
"""From the samples of a tile, output and reference, (rows, columns x channels), to one value per window."""


class Workspace:
    """Arrays that are used again for every tile: asking the system for memory costs as much as the sums."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, np.dtype[Any]], Pixels] = {}

    def take(self, name: str, kind: npt.DTypeLike, rows: int, columns: int) -> Pixels:
        """An array of this name, type and size with undefined content, valid until the name is taken again."""
        key = (name, np.dtype(kind))
        held = self._held.get(key)
        if held is None or held.size < rows * columns:
            held = self._held[key] = np.empty(rows * columns, dtype=kind)
        return held[: rows * columns].reshape(rows, columns)

    def copy(self, name: str, kind: npt.DTypeLike, values: Pixels) -> Pixels:
        """The values in an array of this name and type."""
        copied = self.take(name, kind, *values.shape)
        np.copyto(copied, values, casting="unsafe")
        return copied


def check_window(planes: Planes, window: int) -> None:
    """Refuse pictures smaller than the window.

    Raises:
        UndefinedMetricError: `smaller_than_window`.
    """
    rows, columns = planes.output.shape[1:3]
    if min(rows, columns) < window:
        raise UndefinedMetricError(
            "smaller_than_window", f"The picture is {rows} x {columns}, the window {window} x {window}."
        )


def whole_windows(mask: Mask, window: int) -> Mask:
    """Where a whole window lies in the mask, shape (rows - window + 1, columns - window + 1)."""
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.cumsum(mask, axis=0), axis=1, out=table[1:, 1:])
    counts = table[window:, window:] - table[:-window, window:] - table[window:, :-window] + table[:-window, :-window]
    return np.asarray(counts == window * window)


def window_mean(
    planes: Planes, window: int, map_for: Callable[[Pixels, Pixels], TileMap], *, side: str = "inside"
) -> float:
    """Mean of a map over all whole windows, channels and frames.

    Args:
        planes: the pictures; with a mask only windows that lie wholly in it count.
        window: side of the window.
        map_for: makes the tile's function from one frame of output and reference.
        side: word for the message when no window fits.

    Returns:
        The mean.

    Raises:
        UndefinedMetricError: `smaller_than_window`, `region_smaller_than_window`.
    """
    check_window(planes, window)
    total, count = 0.0, 0
    for index in range(planes.output.shape[0]):
        output, reference = planes.output[index], planes.reference[index]
        kept = None if planes.mask is None else whole_windows(planes.mask[index], window)
        frame_total, frame_count = _frame_sum(output, reference, window, map_for(output, reference), kept)
        total += frame_total
        count += frame_count
    if not count:
        raise UndefinedMetricError(
            "region_smaller_than_window", f"No whole window of {window} x {window} lies {side} the region."
        )
    return total / count


def _frame_sum(
    output: Pixels, reference: Pixels, window: int, tile_map: TileMap, kept: Mask | None
) -> tuple[float, int]:
    """Sum and number of the map's values over one frame (rows, columns, channels)."""
    rows, columns, channels = output.shape
    width = TILE_SAMPLES // channels
    total, count = 0.0, 0
    for top in range(0, rows - window + 1, TILE_ROWS):
        bottom = min(top + TILE_ROWS + window - 1, rows)
        for left in range(0, columns - window + 1, width):
            right = min(left + width + window - 1, columns)
            area = (slice(top, bottom), slice(left, right))
            chosen = None if kept is None else kept[top : bottom - window + 1, left : right - window + 1]
            if chosen is not None and not chosen.any():
                continue
            flat = (bottom - top, (right - left) * channels)
            values = tile_map(
                np.ascontiguousarray(output[area].reshape(flat)), np.ascontiguousarray(reference[area].reshape(flat))
            )
            if chosen is not None:
                values = values.reshape(*chosen.shape, channels)[chosen]
            total += float(values.sum())
            count += values.size
    return total, count
