"""The picture a pixel metric starts from: native pixels with their declared intensity range."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, UndefinedMetricError


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels as stored, and what is declared about them.

    Attributes:
        pixels: shape (rows, columns), (rows, columns, 3), (frames, rows, columns) or
            (frames, rows, columns, 3); kept as (frames, rows, columns[, 3]), read-only. A
            three-dimensional array whose last axis is 3 is one color picture.
        data_range: span of possible intensities as declared by item or file (255 for 8 bits); None
            when nothing declares it. Never taken from the type or the values.
        low: smallest possible intensity.
        declared: the item itself states the range, so that two ranges may be brought onto one scale.
        opacity: alpha channel, same rows and columns, or None.
        inverted: smallest value is white (MONOCHROME1).
        unit: unit of the intensities, empty when unknown.
        flags: facts from decoding, of which `lossy` matters here.
    """

    pixels: Pixels
    data_range: float | None
    low: float = 0.0
    declared: bool = False
    opacity: Pixels | None = None
    inverted: bool = False
    unit: str = ""
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        array = np.asarray(self.pixels)
        if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3):
            array = array[None]
        if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3) or not array.size:
            raise UndefinedMetricError(
                "unsupported_pixels",
                f"Pixels of shape {np.shape(self.pixels)} are neither (frames, rows, columns) nor "
                "(frames, rows, columns, 3).",
            )
        if array.dtype.kind not in "buif":
            raise UndefinedMetricError("unsupported_pixels", f"Pixels of type {array.dtype} are not compared.")
        if self.data_range is not None and not (math.isfinite(self.data_range) and self.data_range > 0):
            raise ValueError(f"data_range must be a finite number above 0, not {self.data_range}")
        array = array.view(np.uint8) if array.dtype.kind == "b" else array.view()
        array.flags.writeable = False
        object.__setattr__(self, "pixels", array)

    @property
    def size(self) -> tuple[int, ...]:
        """(frames, rows, columns)."""
        return tuple(self.pixels.shape[:3])

    @property
    def is_color(self) -> bool:
        return bool(self.pixels.ndim == 4)


def as_picture(image: Any) -> Picture:
    """A `Picture` from any object with pixels and a declared range.

    Args:
        image: a `Picture`, or an object such as `annotation.imaging.image.Image` with `pixels`
            (frames, rows, columns[, 3]), `data_range` as (low, high), a span or None, and optionally
            `inverted`, `unit` and `flags`.

    Returns:
        The picture; pixels are shared, not copied.

    Raises:
        UndefinedMetricError: `unsupported_pixels`.
    """
    if isinstance(image, Picture):
        return image
    declared = image.data_range
    low, span = 0.0, declared
    if isinstance(declared, Iterable):
        lowest, highest = declared
        low, span = float(lowest), float(highest) - float(lowest)
    return Picture(
        pixels=np.asarray(image.pixels),
        data_range=None if span is None else float(span),
        low=low,
        inverted=bool(getattr(image, "inverted", False)),
        unit=str(getattr(image, "unit", "")),
        flags=tuple(getattr(image, "flags", ())),
    )
