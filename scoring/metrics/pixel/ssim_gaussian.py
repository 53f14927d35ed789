"""Structural similarity with the Gaussian window of the original paper."""

from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, UndefinedMetricError, define
from scoring.metrics.pixel.planes import prepare
from scoring.metrics.pixel.ssim import K1, K2, apply_color, check_window, whole_windows

WINDOW = 11
SIGMA = 1.5


def _kernel() -> Pixels:
    positions = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-0.5 * (positions / SIGMA) ** 2)
    return np.asarray(weights / weights.sum())


def _smooth(values: Pixels, correlate1d: Any, kernel: Pixels) -> Pixels:
    """Gaussian mean of each whole window of one (rows, columns) plane."""
    border = WINDOW // 2
    down = correlate1d(values, kernel, axis=0)[border:-border]
    return np.asarray(correlate1d(down, kernel, axis=1)[:, border:-border])


def gaussian_map(output: Pixels, reference: Pixels, data_range: float) -> Pixels:
    """SSIM map of one (rows, columns) plane: one float64 per whole 11 x 11 window."""
    from scipy.ndimage import correlate1d

    x, y = output.astype(np.float64), reference.astype(np.float64)
    kernel = _kernel()
    mean_x, mean_y = _smooth(x, correlate1d, kernel), _smooth(y, correlate1d, kernel)
    cross, norm = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance = _smooth(x * y, correlate1d, kernel) - cross
    variance = _smooth(x * x + y * y, correlate1d, kernel) - norm
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    return np.asarray((2 * cross + c1) * (2 * covariance + c2) / ((norm + c1) * (variance + c2)))


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
    check_window(planes, WINDOW)
    total, count = 0.0, 0
    for frame in range(planes.output.shape[0]):
        kept = None if planes.mask is None else whole_windows(planes.mask[frame], WINDOW)
        for channel in range(planes.output.shape[3]):
            values = gaussian_map(
                planes.output[frame, :, :, channel], planes.reference[frame, :, :, channel], planes.data_range
            )
            values = values if kept is None else values[kept]
            total += float(values.sum())
            count += values.size
    if not count:
        raise UndefinedMetricError(
            "region_smaller_than_window", f"No whole window of {WINDOW} x {WINDOW} lies {side} the region."
        )
    return total / count


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
