"""Structural similarity with a 7 x 7 uniform window, by exact sums."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, define
from scoring.metrics.pixel.planes import Planes, prepare
from scoring.metrics.pixel.windows import Workspace, window_mean

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


def _sum7(values: Pixels, step: int, space: Workspace, name: str) -> Pixels:
    """Sums over 7 x 7 windows of flat rows whose neighboring samples lie `step` apart, by doubling."""
    rows, columns = values.shape
    kind = values.dtype
    two = np.add(values[:-1], values[1:], out=space.take("two", kind, rows - 1, columns))
    seven = np.add(two[:-5], two[2:-3], out=space.take("seven", kind, rows - 6, columns))
    seven += two[4:-1]
    seven += values[6:]
    two = np.add(seven[:, :-step], seven[:, step:], out=space.take("two", kind, rows - 6, columns - step))
    total = space.take(name, kind, rows - 6, columns - 6 * step)
    np.add(two[:, : -5 * step], two[:, 2 * step : -3 * step], out=total)
    total += two[:, 4 * step : -step]
    total += seven[:, 6 * step :]
    return total


def _number_types(output: Pixels, reference: Pixels) -> tuple[type, type]:
    """Types in which window sums and window sums of products are exact; float64 where none is."""
    types = {output.dtype, reference.dtype}
    if types == {np.dtype(np.uint8)}:
        return np.uint16, np.int32
    if all(kind.kind in "ui" and kind.itemsize <= 2 for kind in types):
        return np.int64, np.int64
    return np.float64, np.float64


@dataclass(frozen=True, eq=False)
class _Map:
    """SSIM of each whole window of a tile.

    Wang's formula with numerator and denominator multiplied by 49² · 49 · 48, so that integers stay integers: up
    to 16 bits all sums are exact and only the division rounds. `offset` is taken off floating samples, where it
    cancels, for precision.
    """

    step: int
    data_range: float
    offset: float
    space: Workspace

    def __call__(self, output: Pixels, reference: Pixels) -> Pixels:
        space, step = self.space, self.step
        sums, products = _number_types(output, reference)
        x, y = space.copy("x", sums, output), space.copy("y", sums, reference)
        if self.offset:
            x -= self.offset
            y -= self.offset
        sum_x = space.copy("sum x", products, _sum7(x, step, space, "sum"))
        sum_y = space.copy("sum y", products, _sum7(y, step, space, "sum"))
        x, y = space.copy("wide x", products, x), space.copy("wide y", products, y)
        product = _sum7(np.multiply(x, y, out=space.take("product", products, *x.shape)), step, space, "sum xy")
        x *= x
        y *= y
        x += y
        squares = _sum7(x, step, space, "product")
        return self._ratio(sum_x, sum_y, product, squares)

    def _ratio(self, sum_x: Pixels, sum_y: Pixels, product: Pixels, squares: Pixels) -> Pixels:
        """The quotient from the window sums of x, y, x y and x² + y², which are used up."""
        cross = np.multiply(sum_x, sum_y, out=self.space.take("wide x", sum_x.dtype, *sum_x.shape))
        cross *= 2
        product *= 2 * AREA
        product -= cross
        means = (sum_x + AREA * self.offset, sum_y + AREA * self.offset) if self.offset else None
        sum_x *= sum_x
        sum_y *= sum_y
        norm = np.add(sum_x, sum_y, out=sum_x)
        squares *= AREA
        squares -= norm
        if means:
            cross, norm = 2 * means[0] * means[1], means[0] ** 2 + means[1] ** 2
        c1, c2 = (K1 * self.data_range) ** 2 * AREA * AREA, (K2 * self.data_range) ** 2 * AREA * (AREA - 1)
        value = self._shifted("value", product, c2)
        value *= self._shifted("factor", cross, c1)
        value /= self._shifted("factor", squares, c2)
        value /= self._shifted("factor", norm, c1)
        return value

    def _shifted(self, name: str, values: Pixels, constant: float) -> Pixels:
        shifted = self.space.copy(name, np.float64, values)
        shifted += constant
        return shifted


def _map_for(output: Pixels, reference: Pixels, *, data_range: float, space: Workspace) -> _Map:
    """The map of one frame."""
    offset = 0.0
    if _number_types(output, reference)[0] is np.float64:
        offset = float(np.mean(output, dtype=np.float64) + np.mean(reference, dtype=np.float64)) / 2
    return _Map(output.shape[2], data_range, offset, space)


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
    map_for = partial(_map_for, data_range=planes.data_range, space=Workspace())
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
