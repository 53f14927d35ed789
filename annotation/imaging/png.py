"""PNG from pixels and nothing else: no text, profile, time or resolution can be carried over."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

PNG_LEVEL = 3  # of photographs 3 % smaller than level 6 in half the time, of gray pictures 9 % larger


def encode_png(pixels: npt.NDArray[Any], *, level: int = PNG_LEVEL) -> bytes:
    """A PNG holding only the pixels: chunks IHDR, IDAT, IEND.

    Args:
        pixels: (rows, columns) of bool, uint8 or uint16, or (rows, columns, 3) of uint8 or uint16.
        level: zlib level, 0..9.

    Returns:
        The file; the same bytes for the same pixels, level and library versions.

    Raises:
        ValueError: PNG has no such sample type.
    """
    if pixels.dtype.name not in ("bool", "uint8", "uint16"):
        raise ValueError(f"PNG cannot hold samples of type {pixels.dtype.name}")
    pixels = np.ascontiguousarray(pixels)
    if pixels.ndim == 3 and pixels.dtype == np.uint16:
        import imagecodecs

        return bytes(imagecodecs.png_encode(pixels, level=level))
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, format="PNG", compress_level=level)
    return out.getvalue()
