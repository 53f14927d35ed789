"""Structural similarity with a 7 x 7 uniform window, by exact sums."""

from functools import partial
from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, define
from scoring.metrics.pixel.planes import Planes, prepare
from scoring.metrics.pixel.windows import TileMap, window_mean

WINDOW = 7
AREA = WINDOW * WINDOW
K1, K2 = 0.01, 0.03


def luminance(pixels: Pixels) -> Pixels:
    """Rec. 601 luminance of (..., 3) pixels, the rounding Pillow's mode L has for integers."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if pixels.dtype.kind == "f":
        return np.asarray(0.299 * red.astype(np.float64) + 0.587 * green + 0.114 * blue)
    wider: np.dtype[Any] = np.dtype(np.int32 if pixels.dtype.itemsize == 1 else np.int64)
    wide = red.astype(wider) * 19595 + green.astype(wider) * 38470 + blue.astype(wider) * 7471
    return np.asarray((wide + 0x8000) >> 16, dtype=pixels.dtype)


def apply_color(planes: Planes, color: str) -> Planes:
    """Reduce three channels to luminance, or keep them for a mean over channels.

    Raises:
        ValueError: the color handling is not `channel mean` or `luminance`.
    """
    if color not in {"channel mean", "luminance"}:
        raise ValueError(f"color '{color}' is neither 'channel mean' nor 'luminance'")
    if color == "channel mean" or planes.output.shape[3] == 1:
        return planes
    output, reference = luminance(planes.output)[..., None], luminance(planes.reference)[..., None]
    return Planes(output, reference, planes.data_range, planes.mask)


def _sum7(values: Pixels, step: int) -> Pixels:
    """Sums over 7 x 7 windows of flat rows whose neighboring samples lie `step` apart, by doubling."""
    two = values[:-1] + values[1:]
    seven = (two[:-2] + two[2:])[:-3]
    seven += two[4:-1]
    seven += values[6:]
    two = seven[:, :-step] + seven[:, step:]
    total = (two[:, : -2 * step] + two[:, 2 * step :])[:, : -3 * step]
    total += two[:, 4 * step : -step]
    total += seven[:, 6 * step :]
    return np.asarray(total)


def _number_types(output: Pixels, reference: Pixels) -> tuple[type, type]:
    """Types in which window sums and window sums of products are exact; float64 where none is."""
    types = {output.dtype, reference.dtype}
    if types == {np.dtype(np.uint8)}:
        return np.uint16, np.int32
    if all(kind.kind in "ui" and kind.itemsize <= 2 for kind in types):
        return np.int64, np.int64
    return np.float64, np.float64


def _tile_map(x: Pixels, y: Pixels, *, step: int, data_range: float, offset: float) -> Pixels:
    """SSIM of each whole window of a tile; `offset` is taken off both sides, where it cancels, for precision.

    Wang's formula with numerator and denominator multiplied by 49² · 49 · 48, so that integers stay integers.
    """
    sums, products = _number_types(x, y)
    x, y = x.astype(sums), y.astype(sums)
    if offset:
        x -= offset
        y -= offset
    sum_x: Pixels = _sum7(x, step).astype(products)
    sum_y: Pixels = _sum7(y, step).astype(products)
    x, y = x.astype(products), y.astype(products)
    product = _sum7(x * y, step)
    x *= x
    y *= y
    x += y
    squares = _sum7(x, step)
    cross = sum_x * sum_y
    cross *= 2
    norm = sum_x * sum_x
    norm += sum_y * sum_y
    product *= 2 * AREA
    product -= cross
    squares *= AREA
    squares -= norm
    if offset:
        sum_x += AREA * offset
        sum_y += AREA * offset
        cross, norm = 2 * sum_x * sum_y, sum_x * sum_x + sum_y * sum_y
    c1, c2 = (K1 * data_range) ** 2 * AREA * AREA, (K2 * data_range) ** 2 * AREA * (AREA - 1)
    value = np.asarray(product + c2)
    value *= cross + c1
    below = np.asarray(squares + c2)
    below *= norm + c1
    value /= below
    return value


def _map_for(output: Pixels, reference: Pixels, *, data_range: float) -> TileMap:
    """The map of one frame. Integers of up to 16 bits are summed exactly; only the division rounds."""
    offset = 0.0
    if _number_types(output, reference)[0] is np.float64:
        offset = float(np.mean(output, dtype=np.float64) + np.mean(reference, dtype=np.float64)) / 2
    return partial(_tile_map, step=output.shape[2], data_range=data_range, offset=offset)


def ssim(
    output: Pixels,
    reference: Pixels,
    *,
    data_range: float,
    color: str,
    region: Pixels | None = None,
    side: str = "inside",
) -> float:
    """Structural similarity, 7 x 7 uniform window, sample covariance, border of 3 pixels left out.

    The defaults of scikit-image's `structural_similarity`, K1 0.01, K2 0.03.

    Args:
        output: generated picture, shape (H, W), (H, W, 3) or (frames, H, W, 1 or 3).
        reference: reference picture, same shape and intensity unit.
        data_range: span of possible intensities in that unit; never guessed from the type.
        color: `channel mean` (mean of the three channels' values) or `luminance` (Rec. 601, rounded
            to integers as Pillow does). They give different numbers.
        region: optional mask. Only windows that lie wholly inside (or outside) it count, so that
            nothing beyond the region enters; for a rectangle that equals cropping first.
        side: `inside` or `outside` of the region.

    Returns:
        -1 to 1; higher is better; 1 for identical pictures. Frames are averaged.

    Raises:
        UndefinedMetricError: `smaller_than_window` below 7 pixels; `region_smaller_than_window`;
            `geometry_mismatch`, `unsupported_pixels`, `non_finite`, `empty_region`.
        ValueError: the data range or the color handling is not valid.
    """
    planes = apply_color(prepare(output, reference, data_range=data_range, region=region, side=side), color)
    map_for = partial(_map_for, data_range=planes.data_range)
    return window_mean(planes, WINDOW, map_for, side=side)


METRIC = define(
    ssim,
    parameters={"color": "channel mean"},
    facts={"window": "uniform 7x7", "covariance": "sample", "k1": K1, "k2": K2, "border": "cropped"},
    code="ssim",
    version="1",
    label="SSIM (uniform 7x7)",
    tier="pixel",
    direction="higher",
    unit="",
    bounds=(-1.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Wang, Bovik, Sheikh and Simoncelli 2004, doi:10.1109/TIP.2003.819861",
    formats=frozenset({"image_editing", "multimodal_generation"}),
    regional=True,
)
