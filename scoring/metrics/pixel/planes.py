"""Two pictures made ready for a pixel metric: checked, in one layout, cut to a region."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoring.metrics.base import Mask, Pixels, UndefinedMetricError

STRIP_ROWS = 64
"""Rows handled at a time: small enough to stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Checked pictures.

    Attributes:
        output: shape (frames, rows, columns, channels).
        reference: same shape.
        data_range: span of possible intensities, above 0.
        mask: shape (frames, rows, columns), True where pixels are compared; None for everywhere.
    """

    output: Pixels
    reference: Pixels
    data_range: float
    mask: Mask | None


def _layout(image: Pixels, name: str) -> Pixels:
    """One array as (frames, rows, columns, channels); booleans become 0 and 1."""
    array = np.asarray(image)
    if array.dtype.kind not in "buif":
        raise UndefinedMetricError("unsupported_pixels", f"The {name} has pixels of type {array.dtype}.")
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    match array.ndim, array.shape[-1] if array.ndim else 0:
        case 2, _:
            planes = array[None, :, :, None]
        case 3, 3:
            planes = array[None]
        case 4, 1 | 3:
            planes = array
        case _:
            raise UndefinedMetricError(
                "unsupported_pixels",
                f"The {name} has shape {array.shape}; expected (rows, columns), (rows, columns, 3) "
                "or (frames, rows, columns, channels).",
            )
    if not planes.size:
        raise UndefinedMetricError("unsupported_pixels", f"The {name} has no pixel: shape {array.shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        count = int(array.size - np.isfinite(array).sum())
        raise UndefinedMetricError("non_finite", f"{count} of {array.size} pixels of the {name} are not finite.")
    return planes


def _region_mask(region: Pixels, shape: tuple[int, ...], side: str) -> Mask:
    mask: Mask = np.asarray(region) != 0
    if mask.ndim == 2:
        mask = np.broadcast_to(mask, (shape[0], *mask.shape))
    if mask.shape != shape:
        raise UndefinedMetricError(
            "geometry_mismatch",
            f"The region is {mask.shape[-2]} x {mask.shape[-1]}, the picture {shape[-2]} x {shape[-1]}.",
        )
    if side == "outside":
        mask = ~mask
    elif side != "inside":
        raise ValueError(f"side '{side}' is neither 'inside' nor 'outside'")
    if not mask.any():
        raise UndefinedMetricError("empty_region", f"No pixel lies {side} the region.")
    return mask


def prepare(
    output: Pixels, reference: Pixels, *, data_range: float, region: Pixels | None = None, side: str = "inside"
) -> Planes:
    """Check two pictures and bring them into one layout.

    Args:
        output: generated picture, shape (rows, columns), (rows, columns, 3) or
            (frames, rows, columns, channels with 1 or 3).
        reference: reference picture, same shape.
        data_range: span of possible intensities, above 0.
        region: mask, shape (rows, columns) or (frames, rows, columns); non-zero is inside.
        side: `inside` or `outside` of the region.

    Returns:
        The checked planes; nothing is copied.

    Raises:
        UndefinedMetricError: `geometry_mismatch`, `unsupported_pixels`, `non_finite`, `empty_region`.
        ValueError: the data range is not a finite number above 0, or the side is unknown.
    """
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"data_range must be a finite number above 0, not {data_range}")
    ours, theirs = _layout(output, "output"), _layout(reference, "reference")
    if ours.shape != theirs.shape:
        raise UndefinedMetricError(
            "geometry_mismatch",
            f"The output is {describe_shape(ours)}, the reference {describe_shape(theirs)}.",
        )
    mask = None if region is None else _region_mask(region, ours.shape[:3], side)
    return Planes(ours, theirs, float(data_range), mask)


def describe_shape(planes: Pixels) -> str:
    """Size of (frames, rows, columns[, channels]) pixels for people: rows x columns, then what is unusual."""
    words = f"{planes.shape[1]} x {planes.shape[2]}"
    if planes.shape[0] > 1:
        words += f" x {planes.shape[0]} frames"
    if planes.ndim == 4 and planes.shape[3] > 1:
        words += f" x {planes.shape[3]} channels"
    return words


def absolute_differences(planes: Planes) -> Iterator[Pixels]:
    """Distances of output and reference in pieces of rows; uint8 for 8-bit pictures, else float64.

    Exact for integers of up to 32 bits.
    """
    if planes.mask is not None:
        yield _distance(planes.output[planes.mask], planes.reference[planes.mask])
        return
    for ours, theirs in zip(planes.output, planes.reference, strict=True):
        for start in range(0, ours.shape[0], STRIP_ROWS):
            rows = slice(start, start + STRIP_ROWS)
            yield _distance(ours[rows], theirs[rows])


def _distance(output: Pixels, reference: Pixels) -> Pixels:
    if output.dtype == np.uint8 and reference.dtype == np.uint8:
        return np.asarray(np.maximum(output, reference) - np.minimum(output, reference))
    return np.abs(np.subtract(output, reference, dtype=np.float64))


def mean_of(planes: Planes, *, squared: bool) -> float:
    """Mean absolute or squared difference over all compared pixels and channels, in gray levels or their square."""
    total, count = 0.0, 0
    for piece in absolute_differences(planes):
        if piece.dtype == np.uint8:
            columns = np.multiply(piece, piece, dtype=np.uint16) if squared else piece
            total += int(
                columns.sum(axis=0, dtype=np.uint64 if len(piece) > STRIP_ROWS else np.uint32).sum(dtype=int)
            )
        else:
            flat = piece.ravel()
            total += float(np.einsum("i,i->", flat, flat) if squared else flat.sum())
        count += piece.size
    return total / count
