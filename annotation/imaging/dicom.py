"""DICOM files as images: modality output, per frame, in the unit the header supports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from annotation.imaging import dicom_facts as facts
from annotation.imaging.dicom_file import numbers, open_dataset, text, value
from annotation.imaging.dicom_pixels import layout_of, stored_values
from annotation.imaging.image import Image, ImageError, smallest_integer_type
from annotation.imaging.limits import Limits

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class DicomPicture:
    """A decoded file: its header, its stored values and the image made of them.

    Attributes:
        dataset: the original header; nothing of it may be stored or shown.
        samples: stored values, (frames, rows, columns[, 3]); palette and YBR already RGB, a modality LUT
            already applied.
        pairs: (slope, intercept), one for all frames or one for each.
        image: modality output.
    """

    dataset: Dataset
    samples: Array
    bits: int
    signed: bool
    pairs: list[tuple[float, float]]
    image: Image


def read_dicom(path: Path, limits: Limits) -> DicomPicture:
    """Read one DICOM file.

    Args:
        path: a file with the DICM prefix.
        limits: bounds on size, frames and nesting.

    Returns:
        Stored values and image. MONOCHROME1 stays as stored and is flagged; rescale or modality LUT is applied
        frame by frame; SEG frames are planes of 0..1.

    Raises:
        ImageError: the file is not an image, or not one that can be read; see `REASONS`.
    """
    dataset = open_dataset(path, limits)
    layout = layout_of(dataset, limits)
    stored = stored_values(dataset, layout)
    samples, bits, signed = stored.samples, stored.bits, stored.signed
    color = samples.ndim == 4
    pairs = [(1.0, 0.0)]
    table = None if color or samples.dtype.kind == "f" else facts.modality_lut(dataset)
    if table is not None:
        samples, bits, signed = table.apply(samples), table.bits, False
    elif not color:
        pairs = _segmentation(dataset, samples) or facts.rescale(dataset, layout.frames)
    image = _image(dataset, samples, bits=bits, signed=signed, pairs=pairs, flags=list(stored.flags))
    return DicomPicture(dataset, samples, bits, signed, pairs, image)


def _segmentation(dataset: Dataset, samples: Array) -> list[tuple[float, float]] | None:
    """The scale of SEG frames to 0..1 (PS3.3 C.8.20.2), or None for other files."""
    if str(value(dataset, "SOPClassUID")) != facts.SEGMENTATION:
        return None
    if text(dataset, "SegmentationType") == "FRACTIONAL":
        top = numbers(dataset, "MaximumFractionalValue")
        if not top or not top[0] > 0:
            raise ImageError("bad_header", "a fractional segmentation names no maximum")
        return [(1.0 / top[0], 0.0)]
    if samples.max(initial=0) > 1:
        raise ImageError("unsupported_pixels", "a label map segmentation has values above 1")
    return [(1.0, 0.0)]


def _image(
    dataset: Dataset,
    samples: Array,
    *,
    bits: int,
    signed: bool,
    pairs: list[tuple[float, float]],
    flags: list[str],
) -> Image:
    frames = len(samples)
    color = samples.ndim == 4
    unit = facts.unit_of(dataset, color=color, bits=bits)
    window, window_flags = facts.window_of(dataset, frames)
    spacing, spacing_flags = facts.spacing_of(dataset)
    flags += [*window_flags, *spacing_flags, *_overlay_flag(dataset)]
    if facts.modality_of(dataset) == "RTDOSE":
        flags.append("dose_gy" if text(dataset, "DoseUnits") == "GY" else "dose_relative")
    floating = samples.dtype.kind == "f"
    if floating and not np.isfinite(samples).all():
        flags.append("non_finite")
    return Image(
        pixels=samples if color else _rescaled(samples, bits, signed, pairs),
        unit=unit,
        bits=bits,
        signed=signed,
        data_range=(0.0, 1.0) if unit == "fraction" else None if floating else _range(bits, signed, pairs),
        spacing_mm=spacing,
        slice_mm=facts.slice_distance(dataset, frames),
        orientation=facts.orientation_of(dataset),
        window=None if color or unit == "gray" else window,
        suv_scale=facts.suv_scale(dataset) if unit == "bq_ml" else None,
        kind=facts.kind_of(dataset, frames),
        modality=facts.modality_of(dataset),
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        flags=tuple(flags),
    )


def _overlay_flag(dataset: Dataset) -> list[str]:
    groups = {tag.group for tag in list(dataset.keys())}
    return ["overlay_dropped"] if any(0x6000 <= group <= 0x60FF for group in groups) else []


def _stored_bounds(bits: int, signed: bool) -> tuple[int, int]:
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def _range(bits: int, signed: bool, pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """The values that the declared bits can mean, over all frames."""
    ends = [bound * slope + intercept for slope, intercept in pairs for bound in _stored_bounds(bits, signed)]
    return min(ends), max(ends)


def _rescaled(samples: Array, bits: int, signed: bool, pairs: list[tuple[float, float]]) -> Array:
    """Stored values times slope plus intercept; integers stay integers where the numbers are whole."""
    if pairs == [(1.0, 0.0)]:
        return samples
    whole = all(math.floor(number) == number and abs(number) < 2**31 for pair in pairs for number in pair)
    if whole and samples.dtype.kind != "f":
        low, high = _stored_bounds(bits, signed)
        declared = low <= int(samples.min()) and int(samples.max()) <= high
        kind = smallest_integer_type(*_range(bits if declared else 8 * samples.itemsize, signed, pairs))
        work: Any = np.int64 if kind.itemsize > 4 else np.int32 if kind.itemsize < 4 else kind
    else:
        kind = np.dtype(np.float32 if samples.dtype.itemsize <= 2 else np.float64)
        work = np.float64
    out = np.empty(samples.shape, kind)
    for index, frame in enumerate(samples):
        slope, intercept = pairs[index if len(pairs) > 1 else 0]
        number = float if work is np.float64 else int
        out[index] = (frame.astype(work) * number(slope) + number(intercept)).astype(kind)
    return out
