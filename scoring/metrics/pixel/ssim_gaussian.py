"""Structural similarity with the Gaussian window of the original paper."""

from functools import partial

import numpy as np

from scoring.metrics.base import Pixels, define
from scoring.metrics.pixel.planes import prepare
from scoring.metrics.pixel.ssim import K1, K2, apply_color
from scoring.metrics.pixel.windows import TileMap, window_mean

WINDOW = 11
HALF = WINDOW // 2
SIGMA = 1.5


def _kernel() -> Pixels:
    positions = np.arange(WINDOW) - HALF
    weights = np.exp(-0.5 * (positions / SIGMA) ** 2)
    return np.asarray(weights / weights.sum())


def _smooth(values: Pixels, kernel: Pixels, step: int) -> Pixels:
    """Gaussian mean of each whole window of flat rows whose neighboring samples lie `step` apart."""
    rows, last = values.shape[0] - WINDOW + 1, WINDOW - 1
    down = values[HALF : HALF + rows] * kernel[HALF]
    for tap in range(HALF):
        down += kernel[tap] * (values[tap : tap + rows] + values[last - tap : last - tap + rows])
    width = down.shape[1] - last * step
    across = down[:, HALF * step : HALF * step + width] * kernel[HALF]
    for tap in range(HALF):
        right = (last - tap) * step
        across += kernel[tap] * (down[:, tap * step : tap * step + width] + down[:, right : right + width])
    return np.asarray(across)


def _tile_map(x: Pixels, y: Pixels, *, kernel: Pixels, step: int, data_range: float) -> Pixels:
    """SSIM of each whole window of a tile, float64 throughout."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = _smooth(x, kernel, step), _smooth(y, kernel, step)
    cross, norm = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance = _smooth(x * y, kernel, step) - cross
    variance = _smooth(x * x + y * y, kernel, step) - norm
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    return np.asarray((2 * cross + c1) * (2 * covariance + c2) / ((norm + c1) * (variance + c2)))


def _map_for(output: Pixels, reference: Pixels, data_range: float) -> TileMap:
    return partial(_tile_map, kernel=_kernel(), step=output.shape[2], data_range=data_range)


def ssim_gaussian(
    output: Pixels,
    reference: Pixels,
    *,
    data_range: float,
    color: str,
    region: Pixels | None = None,
    side: str = "inside",
) -> float:
    """Structural similarity, Gaussian window (sigma 1.5, 11 x 11), population covariance, border left out.

    Args:
        output: generated picture, shape (H, W), (H, W, 3) or (frames, H, W, 1 or 3).
        reference: reference picture, same shape and intensity unit.
        data_range: span of possible intensities in that unit; never guessed from the type.
        color: `channel mean` or `luminance`, as in `ssim`.
        region: optional mask; only windows wholly inside (or outside) it count.
        side: `inside` or `outside` of the region.

    Returns:
        -1 to 1; higher is better; 1 for identical pictures. Frames are averaged.

    Raises:
        UndefinedMetricError: `smaller_than_window` below 11 pixels; `region_smaller_than_window`;
            `geometry_mismatch`, `unsupported_pixels`, `non_finite`, `empty_region`.
        ValueError: the data range or the color handling is not valid.
    """
    planes = apply_color(prepare(output, reference, data_range=data_range, region=region, side=side), color)
    return window_mean(planes, WINDOW, partial(_map_for, data_range=planes.data_range), side=side)


METRIC = define(
    ssim_gaussian,
    parameters={"color": "channel mean"},
    facts={
        "window": "Gaussian 11x11",
        "sigma": SIGMA,
        "covariance": "population",
        "k1": K1,
        "k2": K2,
        "border": "cropped",
    },
    code="ssim_gaussian",
    version="1",
    label="SSIM (Gaussian 11x11)",
    tier="pixel",
    direction="higher",
    unit="",
    bounds=(-1.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Wang, Bovik, Sheikh and Simoncelli 2004, doi:10.1109/TIP.2003.819861",
    formats=frozenset({"image_editing", "multimodal_generation"}),
    regional=True,
)
