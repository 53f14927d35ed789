"""Mean absolute error, in gray levels and as a share of the data range."""

import math

from scoring.metrics.base import Pixels, define
from scoring.metrics.pixel.planes import mean_of, prepare


def mae(
    output: Pixels, reference: Pixels, *, data_range: float, region: Pixels | None = None, side: str = "inside"
) -> float:
    """Mean absolute difference over pixels and channels.

    Args:
        output: generated picture, shape (H, W), (H, W, 3) or (frames, H, W, 1 or 3).
        reference: reference picture, same shape and intensity unit.
        data_range: span of possible intensities; the upper bound of the value, not used in it.
        region: optional mask; only its pixels (or the others) are compared.
        side: `inside` or `outside` of the region.

    Returns:
        Gray levels, 0 to `data_range`; lower is better; 0 for identical pictures.

    Raises:
        UndefinedMetricError: `geometry_mismatch`, `unsupported_pixels`, `non_finite`, `empty_region`.
        ValueError: the data range is not a finite number above 0.
    """
    return mean_of(prepare(output, reference, data_range=data_range, region=region, side=side), squared=False)


def mae_relative(
    output: Pixels, reference: Pixels, *, data_range: float, region: Pixels | None = None, side: str = "inside"
) -> float:
    """Mean absolute difference as a share of the data range, 0 to 1; lower is better.

    Comparable between items of different bit depth, which `mae` is not. Arguments and errors as `mae`.
    """
    return mae(output, reference, data_range=data_range, region=region, side=side) / data_range


METRIC = define(
    mae,
    facts={"color": "channels pooled", "arithmetic": "float64"},
    code="mae",
    version="1",
    label="MAE",
    tier="pixel",
    direction="lower",
    unit="gray levels",
    bounds=(0.0, math.inf),
    needs=frozenset({"output", "reference"}),
    citation="Willmott and Matsuura 2005, doi:10.3354/cr030079",
    formats=frozenset({"image_editing", "multimodal_generation"}),
    regional=True,
)

METRIC_RELATIVE = define(
    mae_relative,
    facts={"color": "channels pooled", "arithmetic": "float64"},
    code="mae_relative",
    version="1",
    label="MAE / range",
    tier="pixel",
    direction="lower",
    unit="",
    bounds=(0.0, 1.0),
    needs=frozenset({"output", "reference"}),
    citation="Willmott and Matsuura 2005, doi:10.3354/cr030079",
    formats=frozenset({"image_editing", "multimodal_generation"}),
    regional=True,
)
