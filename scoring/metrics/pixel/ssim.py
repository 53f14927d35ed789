"""Structural similarity with a 7 x 7 uniform window, by exact sums in strips."""

from collections.abc import Iterator

import numpy as np

from scoring.metrics.base import Mask, Pixels, UndefinedMetricError, define
from scoring.metrics.pixel.planes import STRIP_ROWS, Planes, prepare

WINDOW = 7
AREA = WINDOW * WINDOW
K1, K2 = 0.01, 0.03


def luminance(pixels: Pixels) -> Pixels:
    """Rec. 601 luminance of (..., 3) pixels, the rounding Pillow's mode L has for integers."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if pixels.dtype.kind == "f":
        return np.asarray(0.299 * red.astype(np.float64) + 0.587 * green + 0.114 * blue)
    wide = red.astype(np.int64) * 19595 + green.astype(np.int64) * 38470 + blue.astype(np.int64) * 7471
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


def _sum7(values: Pixels, step: int) -> Pixels:
    """Sums over 7 x 7 windows of flat rows whose neighboring samples lie `step` apart."""
    two = values[:-1] + values[1:]
    four = two[:-2] + two[2:]
    seven = four[:-3] + two[4:-1]
    seven += values[6:]
    two = seven[:, :-step] + seven[:, step:]
    four = two[:, : -2 * step] + two[:, 2 * step :]
    total = four[:, : -3 * step] + two[:, 4 * step : -step]
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


def _strip_map(x: Pixels, y: Pixels, *, step: int, products: type, offset: float, data_range: float) -> Pixels:
    """SSIM of each whole window of one strip; `offset` was subtracted from both sides beforehand."""
    sum_x: Pixels = _sum7(x, step).astype(products)
    sum_y: Pixels = _sum7(y, step).astype(products)
    x, y = x.astype(products), y.astype(products)
    product = _sum7(x * y, step)
    x *= x
    y *= y
    x += y
    squares = _sum7(x, step)
    cross = sum_x * sum_y
    norm = sum_x * sum_x
    norm += sum_y * sum_y
    covariance = 2 * (AREA * product - cross) + (K2 * data_range) ** 2 * AREA * (AREA - 1)
    variance = (AREA * squares - norm) + (K2 * data_range) ** 2 * AREA * (AREA - 1)
    if offset:
        mean_x, mean_y = sum_x + AREA * offset, sum_y + AREA * offset
        cross, norm = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance *= 2 * cross + (K1 * data_range) ** 2 * AREA * AREA
    variance *= norm + (K1 * data_range) ** 2 * AREA * AREA
    covariance /= variance
    return np.asarray(covariance)


def map_strips(output: Pixels, reference: Pixels, data_range: float) -> Iterator[Pixels]:
    """SSIM map of one frame in strips of rows.

    Args:
        output: shape (rows, columns, channels), both sides at least 7.
        reference: same shape.
        data_range: span of possible intensities.

    Yields:
        float64 of shape (up to 64 rows, columns - 6, channels), one value per whole window. Integers
        of up to 16 bits are summed exactly; the only rounding is in the final division.
    """
    rows, columns, channels = output.shape
    sums, products = _number_types(output, reference)
    offset = 0.0
    if products is np.float64:
        offset = float(np.mean(output, dtype=np.float64) + np.mean(reference, dtype=np.float64)) / 2
    for start in range(0, rows - WINDOW + 1, STRIP_ROWS):
        stop = min(start + STRIP_ROWS + WINDOW - 1, rows)
        x: Pixels = output[start:stop].reshape(stop - start, columns * channels).astype(sums)
        y: Pixels = reference[start:stop].reshape(stop - start, columns * channels).astype(sums)
        if offset:
            x, y = x - offset, y - offset
        strip = _strip_map(x, y, step=channels, products=products, offset=offset, data_range=data_range)
        yield strip.reshape(stop - start - WINDOW + 1, columns - WINDOW + 1, channels)


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
    check_window(planes, WINDOW)
    total, count = 0.0, 0
    for frame in range(planes.output.shape[0]):
        kept = None if planes.mask is None else whole_windows(planes.mask[frame], WINDOW)
        start = 0
        for strip in map_strips(planes.output[frame], planes.reference[frame], planes.data_range):
            values = strip if kept is None else strip[kept[start : start + len(strip)]]
            start += len(strip)
            total += float(values.sum())
            count += values.size
    if not count:
        raise UndefinedMetricError(
            "region_smaller_than_window", f"No whole window of {WINDOW} x {WINDOW} lies {side} the region."
        )
    return total / count


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
