"""Peak signal-to-noise ratio."""

import math

from scoring.metrics.base import Pixels, UndefinedMetricError, define
from scoring.metrics.pixel.planes import mean_of, prepare


def mean_squared_error(
    output: Pixels, reference: Pixels, *, data_range: float, region: Pixels | None = None, side: str = "inside"
) -> float:
    """Mean of squared differences over pixels and channels, in squared gray levels; lower is better.

    Arguments and errors as `psnr`, but 0 is returned for identical pictures.
    """
    return mean_of(prepare(output, reference, data_range=data_range, region=region, side=side), squared=True)


def psnr(
    output: Pixels, reference: Pixels, *, data_range: float, region: Pixels | None = None, side: str = "inside"
) -> float:
    """Peak signal-to-noise ratio of an output against its reference.

    `10 log10(data_range² / MSE)`, the mean over all pixels and channels together.

    Args:
        output: generated picture, shape (H, W), (H, W, 3) or (frames, H, W, 1 or 3).
        reference: reference picture, same shape and intensity unit.
        data_range: span of possible intensities in that unit; never guessed from the type.
        region: optional mask; only its pixels (or the others) are compared.
        side: `inside` or `outside` of the region.

    Returns:
        Decibels; higher is better; no bounds.

    Raises:
        UndefinedMetricError: `identical` when no pixel differs; `geometry_mismatch`,
            `unsupported_pixels`, `non_finite`, `empty_region`.
        ValueError: the data range is not a finite number above 0.
    """
    error = mean_squared_error(output, reference, data_range=data_range, region=region, side=side)
    if error == 0:
        raise UndefinedMetricError("identical", "No pixel differs, so the ratio to the error has no finite value.")
    return 10 * math.log10(data_range / error * data_range)


METRIC = define(
    psnr,
    facts={"color": "channels pooled", "arithmetic": "float64"},
    code="psnr",
    version="1",
    label="PSNR",
    tier="pixel",
    direction="higher",
    unit="dB",
    bounds=(-math.inf, math.inf),
    needs=frozenset({"output", "reference"}),
    citation="Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522",
    formats=frozenset({"image_editing", "multimodal_generation"}),
    regional=True,
)
