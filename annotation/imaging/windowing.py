"""Window center and width: from values in a unit to what a screen shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.imaging.image import Image

_SAMPLE = 1_000_000  # pixels that are enough for the ends of a band

FUNCTIONS = ("linear", "linear_exact", "sigmoid")


def apply_window(
    pixels: npt.NDArray[Any], center: float, width: float, *, function: str = "linear", high: float = 255.0
) -> npt.NDArray[np.float64]:
    """Display values of samples under a window.

    Args:
        pixels: values of any shape, in the unit of `center` and `width`.
        center: window center.
        width: window width; at least 1 for 'linear', above 0 for the others.
        function: 'linear', 'linear_exact' or 'sigmoid'.
        high: the brightest display value; the darkest is 0.

    Returns:
        Floats in 0..`high`, same shape; below the window 0, above it `high` (a sigmoid only nears them).
        NaN becomes 0.

    Raises:
        ValueError: the width is too small or the function is unknown.

    References:
        DICOM PS3.3 C.11.2.1.2.1 (linear), C.11.2.1.3.1 (sigmoid), C.11.2.1.3.2 (linear exact).

    Example:
        >>> apply_window(np.array([-1024, 40, 3071]), 40, 400).round(1).tolist()
        [0.0, 127.8, 255.0]
    """
    if function not in FUNCTIONS:
        raise ValueError(f"window function {function!r} is none of {', '.join(FUNCTIONS)}")
    if not (width >= 1 if function == "linear" else width > 0):
        raise ValueError(f"window width {width} is too small for {function}")
    values = np.asarray(pixels, dtype=np.float64)
    if function == "sigmoid":
        with np.errstate(over="ignore"):
            shown = high / (1.0 + np.exp(-4.0 * (values - center) / width))
    elif function == "linear_exact":
        shown = ((values - center) / width + 0.5) * high
    elif width == 1:
        shown = np.where(values > center - 0.5, high, 0.0)
    else:
        shown = ((values - (center - 0.5)) / (width - 1.0) + 0.5) * high
    return np.clip(np.nan_to_num(shown, nan=0.0, posinf=high, neginf=0.0), 0.0, high)


def default_window(image: Image) -> tuple[float, float]:
    """The window a picture opens with: its own, the full range of display gray, or the 0.5–99.5 % band.

    Args:
        image: a one-channel image.

    Returns:
        (center, width) in the image's unit; width is above 0 even for a constant picture.
    """
    if image.window is not None:
        return image.window
    if image.unit in ("gray", "fraction") and image.data_range is not None:
        low, high = image.data_range
    else:
        middle = image.pixels[image.frames // 2]
        step = 1 + int((middle.size / _SAMPLE) ** 0.5)
        middle = middle[::step, ::step]
        finite = middle[np.isfinite(middle)] if middle.dtype.kind == "f" else middle
        low, high = (float(q) for q in np.quantile(finite, (0.005, 0.995))) if finite.size else (0.0, 1.0)
    return (low + high) / 2.0, (high - low) or 1.0


def to_display(
    image: Image, frame: int, *, window: tuple[float, float] | None = None, step: int = 1
) -> npt.NDArray[np.uint8]:
    """One frame as 8-bit display gray or RGB, MONOCHROME1 turned so that it looks as intended.

    Args:
        image: any image.
        frame: index of the frame.
        window: (center, width), or the default window. Ignored for RGB.
        step: take only every so many rows and columns.

    Returns:
        uint8 array (rows, columns) or (rows, columns, 3).
    """
    pixels = image.pixels[frame][::step, ::step]
    if image.channels == 3:
        deep = pixels if image.bits <= 8 else np.rint(pixels * (255.0 / (2**image.bits - 1)))
        color: npt.NDArray[np.uint8] = deep.astype(np.uint8, copy=False)
        return color
    center, width = window or default_window(image)
    shown = np.rint(apply_window(pixels, center, width, function="linear_exact"))
    return (255.0 - shown if image.inverted else shown).astype(np.uint8)
