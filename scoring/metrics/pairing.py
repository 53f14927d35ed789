"""Make an output and its reference comparable, or say why they are not.

Two policies. `pair/1` never changes a pixel without saying so: other size, other range, transparency are
reasons, not repairs. `pair/official-1` repeats what the benchmark's own evaluator does. `pair/1-resize`
is `pair/1` with Lanczos resizing of an output whose aspect ratio differs by less than 1 %.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.metrics.base import Pixels, UndefinedMetricError
from scoring.metrics.pictures import Picture, as_picture
from scoring.metrics.pixel.planes import describe_shape
from scoring.metrics.pixel.ssim import luminance

POLICIES = ("pair/1", "pair/1-resize", "pair/official-1")
COLOR_TOLERANCE_LEVELS = 2.0
ASPECT_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class Pair:
    """An output and its reference, ready to be compared.

    Attributes:
        output: read-only, shape (frames, rows, columns) or (frames, rows, columns, 3).
        reference: read-only, same shape.
        data_range: span of possible intensities of both.
        policy: the pairing policy that was applied.
        region: optional mask (rows, columns) or (frames, rows, columns), non-zero inside.
        flags: remarks that hold for every metric of the pair, sorted.
    """

    output: Pixels
    reference: Pixels
    data_range: float
    policy: str = "pair/1"
    region: Pixels | None = None
    flags: tuple[str, ...] = ()


def pair(output: Any, reference: Any, *, policy: str = "pair/1", region: Pixels | None = None) -> Pair:
    """Pair an output with its reference under a named policy.

    Args:
        output: what the system made; a `Picture` or an object like it (see `as_picture`).
        reference: what it is compared with.
        policy: one of `POLICIES`.
        region: optional mask of the reference's size.

    Returns:
        The pair, with flags `color_added`, `coerced`, `flat`, `lossy`.

    Raises:
        UndefinedMetricError: `geometry_mismatch`, `range_mismatch`, `undeclared` (no data range),
            `alpha`, `unsupported_pixels`, `non_finite`.
        ValueError: the policy is unknown.
    """
    if policy not in POLICIES:
        raise ValueError(f"pairing policy '{policy}' is unknown; known: {', '.join(POLICIES)}")
    ours, theirs = as_picture(output), as_picture(reference)
    if policy == "pair/official-1":
        return _official_pair(ours, theirs, region)
    flags: set[str] = set()
    if "lossy" in ours.flags and "lossy" not in theirs.flags:
        flags.add("lossy")
    for picture, name in ((ours, "output"), (theirs, "reference")):
        _check_transparency(picture, name)
    ours_pixels, theirs_pixels, data_range = _one_range(ours, theirs, flags)
    ours_pixels, theirs_pixels = _one_color(ours_pixels, theirs_pixels, data_range, flags)
    ours_pixels = _one_size(ours_pixels, theirs_pixels, resize=policy == "pair/1-resize")
    if _is_flat(theirs_pixels, data_range):
        flags.add("flat")
    return _finished(ours_pixels, theirs_pixels, data_range, policy=policy, region=region, flags=flags)


def _finished(
    output: Pixels, reference: Pixels, data_range: float, *, policy: str, region: Pixels | None, flags: set[str]
) -> Pair:
    output, reference = output.view(), reference.view()
    output.flags.writeable = reference.flags.writeable = False
    return Pair(output, reference, data_range, policy, region, tuple(sorted(flags)))


def _check_transparency(picture: Picture, name: str) -> None:
    if picture.opacity is None:
        return
    opacity = np.asarray(picture.opacity)
    full = opacity.max() if opacity.dtype.kind == "f" else np.iinfo(opacity.dtype).max
    transparent = int((opacity < full).sum())
    if transparent:
        raise UndefinedMetricError(
            "alpha", f"{transparent} of {opacity.size} pixels of the {name} are not fully opaque."
        )


def _one_range(output: Picture, reference: Picture, flags: set[str]) -> tuple[Pixels, Pixels, float]:
    """Both sides upright (white is high) and on one declared range."""
    for picture, name in ((output, "output"), (reference, "reference")):
        if picture.data_range is None:
            raise UndefinedMetricError("undeclared", f"The {name} declares no intensity range.")
    ours_range, theirs_range = float(output.data_range or 0), float(reference.data_range or 0)
    for picture, name in ((output, "output"), (reference, "reference")):
        _check_span(picture, name)
    if output.unit and reference.unit and not _same_unit(output.unit, reference.unit):
        raise UndefinedMetricError(
            "range_mismatch", f"The output is in '{output.unit}', the reference in '{reference.unit}'."
        )
    ours, theirs = _upright(output), _upright(reference)
    if (ours_range, output.low) == (theirs_range, reference.low):
        return ours, theirs, theirs_range
    if not (output.declared and reference.declared):
        raise UndefinedMetricError(
            "range_mismatch",
            f"The output's range is {_span(output)}, the reference's {_span(reference)}; "
            "the item does not declare both.",
        )
    flags.add("coerced")
    return (ours - output.low) / ours_range, (theirs - reference.low) / theirs_range, 1.0


def _same_unit(first: str, second: str) -> bool:
    shown = {"gray", "rgb"}
    return first == second or {first, second} <= shown


def _span(picture: Picture) -> str:
    assert picture.data_range is not None
    return f"{picture.low:g} to {picture.low + picture.data_range:g}"


def _check_span(picture: Picture, name: str) -> None:
    """Refuse values that cannot lie in the declared range, and values that are no number."""
    assert picture.data_range is not None
    pixels = picture.pixels
    if pixels.dtype == np.uint8 and picture.data_range >= 255:
        return
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        count = int(pixels.size - np.isfinite(pixels).sum())
        raise UndefinedMetricError("non_finite", f"{count} of {pixels.size} pixels of the {name} are not finite.")
    lowest, highest = float(pixels.min()), float(pixels.max())
    if highest - lowest > picture.data_range * (1 + 1e-6):
        raise UndefinedMetricError(
            "range_mismatch",
            f"The {name}'s values span {lowest:g} to {highest:g}, more than its range of {picture.data_range:g}.",
        )


def _upright(picture: Picture) -> Pixels:
    if not picture.inverted:
        return picture.pixels
    assert picture.data_range is not None
    total = 2 * picture.low + picture.data_range
    if picture.pixels.dtype.kind != "f" and total.is_integer():
        turned = int(total) - picture.pixels.astype(np.int64)
        return turned.astype(np.uint16) if turned.min() >= 0 and turned.max() <= 65535 else turned
    return np.asarray(total - picture.pixels)


def _gray_of(pixels: Pixels) -> Pixels | None:
    """The single channel of a color array with R = G = B, else None."""
    if not _equal_channels(pixels[:, ::8, ::8]):
        return None
    return np.ascontiguousarray(pixels[..., 0]) if _equal_channels(pixels) else None


def _equal_channels(pixels: Pixels) -> bool:
    first = pixels[..., 0]
    return np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])


def simplest(pixels: Pixels) -> Pixels:
    """Color pixels with three equal channels as one channel; all others unchanged."""
    if pixels.ndim == 3:
        return pixels
    gray = _gray_of(pixels)
    return pixels if gray is None else gray


def _one_color(output: Pixels, reference: Pixels, data_range: float, flags: set[str]) -> tuple[Pixels, Pixels]:
    """Both sides with the same number of channels."""
    output, reference = simplest(output), simplest(reference)
    if output.ndim == reference.ndim:
        return output, reference
    if reference.ndim == 4:
        return np.repeat(output[..., None], 3, axis=3), reference
    spread = output.max(axis=3).astype(np.float64) - output.min(axis=3)
    if spread.max() > COLOR_TOLERANCE_LEVELS * data_range / 255:
        flags.add("color_added")
    return luminance(output), reference


def _one_size(output: Pixels, reference: Pixels, *, resize: bool) -> Pixels:
    if output.shape == reference.shape:
        return output
    sizes = f"The output is {describe_shape(output)}, the reference {describe_shape(reference)}"
    rows, columns = output.shape[1:3]
    aspect = (columns * reference.shape[1]) / (rows * reference.shape[2])
    if not resize or output.shape[0] != reference.shape[0]:
        raise UndefinedMetricError("geometry_mismatch", f"{sizes}.")
    if abs(aspect - 1) >= ASPECT_TOLERANCE:
        raise UndefinedMetricError("geometry_mismatch", f"{sizes}; their aspect ratios differ by 1 % or more.")
    return np.stack([resized(frame, reference.shape[1], reference.shape[2]) for frame in output])


def resized(frame: Pixels, rows: int, columns: int) -> Pixels:
    """One (rows, columns[, 3]) frame resized by Pillow's Lanczos filter, type kept."""
    from PIL import Image

    size = (columns, rows)
    if frame.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(frame)).resize(size, Image.Resampling.LANCZOS))
    if frame.ndim == 3:
        return np.stack([resized(frame[..., channel], rows, columns) for channel in range(3)], axis=-1)
    wide = Image.fromarray(frame.astype(np.float32)).resize(size, Image.Resampling.LANCZOS)
    values = np.asarray(wide, dtype=np.float64)
    if frame.dtype.kind == "f":
        return values
    limits = np.iinfo(frame.dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(frame.dtype)


def _is_flat(reference: Pixels, data_range: float) -> bool:
    """Whether the standard deviation is below one gray level of 255.

    A sample's sum of squares bounds the whole's from below, so that most pictures are told by 1 pixel of 64.
    """
    level = data_range / 255
    sample = reference[:, ::8, ::8].astype(np.float64)
    if sample.var() * sample.size >= level**2 * reference.size:
        return False
    return bool(reference.std(dtype=np.float64) < level)


def _official_pair(output: Picture, reference: Picture, region: Pixels | None) -> Pair:
    """8-bit RGB by clipping, output stretched to the reference's size, alpha dropped, range 255."""
    ours, theirs = _eight_bit_color(output.pixels), _eight_bit_color(reference.pixels)
    if ours.shape[0] != theirs.shape[0]:
        raise UndefinedMetricError(
            "geometry_mismatch", f"The output is {describe_shape(ours)}, the reference {describe_shape(theirs)}."
        )
    if ours.shape != theirs.shape:
        ours = np.stack([resized(frame, theirs.shape[1], theirs.shape[2]) for frame in ours])
    return _finished(ours, theirs, 255.0, policy="pair/official-1", region=region, flags=set())


def _eight_bit_color(pixels: Pixels) -> Pixels:
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UndefinedMetricError("non_finite")
    clipped = pixels if pixels.dtype == np.uint8 else np.clip(pixels, 0, 255).astype(np.uint8)
    return clipped if clipped.ndim == 4 else np.repeat(clipped[..., None], 3, axis=3)
