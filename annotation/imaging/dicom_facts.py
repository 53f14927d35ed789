"""What a DICOM header says about its pixels: rescale, unit, window, spacing, orientation, kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from annotation.imaging.dicom_file import items, numbers, text, value
from annotation.imaging.image import ImageError

_MOVING = {"US", "IVUS", "XA", "RF", "ES", "GM", "XC", "OP", "ECG", "CF"}
_DISPLAY_GRAY = {"US", "IVUS", "ES", "XC", "GM", "OP", "OT", "SC", "SM"}
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"

Pair = tuple[float, float]


def modality_of(dataset: Dataset) -> str | None:
    """The DICOM modality code, or None when it is absent or no code at all."""
    code = text(dataset, "Modality")
    return code if code and len(code) <= 16 and code.replace("_", "").isalnum() and code.isascii() else None


def group_item(dataset: Dataset, sequence: str, frame: int = 0) -> Dataset | None:
    """One functional group macro of a frame, shared or its own (PS3.3 C.7.6.16)."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    shared = items(dataset, "SharedFunctionalGroupsSequence")
    for groups in (per_frame[frame : frame + 1], shared[:1]):
        for group in groups:
            found = items(group, sequence)
            if found:
                return found[0]
    return None


def rescale(dataset: Dataset, frames: int) -> list[Pair]:
    """(slope, intercept) of every frame, or one pair for all (PS3.3 C.11.1, C.7.6.16.2.9).

    Raises:
        ImageError: a slope is 0 or not finite, or an intercept is not finite.
    """
    grid = numbers(dataset, "DoseGridScaling")
    if grid and modality_of(dataset) == "RTDOSE":
        pairs = [(grid[0], 0.0)]
    elif group_item(dataset, "PixelValueTransformationSequence") is not None:
        pairs = [
            _pair(group_item(dataset, "PixelValueTransformationSequence", frame) or dataset)
            for frame in range(frames)
        ]
    else:
        pairs = [_pair(dataset)]
    for slope, intercept in pairs:
        if slope == 0 or not (math.isfinite(slope) and math.isfinite(intercept)):
            raise ImageError("bad_header", f"rescale slope {slope:g} and intercept {intercept:g} give no values")
    return pairs[:1] if len(set(pairs)) == 1 else pairs


def _pair(dataset: Dataset) -> Pair:
    out = []
    for keyword, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0)):
        found = numbers(dataset, keyword)
        if not found and value(dataset, keyword) is not None:
            raise ImageError("bad_header", f"{keyword} is not a number")
        out.append(found[0] if found else default)
    return out[0], out[1]


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A modality LUT: `entries` outputs from stored value `first` on, `bits` deep (PS3.3 C.11.1.1.1)."""

    entries: npt.NDArray[Any]
    first: int
    bits: int

    def apply(self, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Outputs for stored values; outside the table the nearest entry holds."""
        at = np.clip(samples.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[at]


def modality_lut(dataset: Dataset) -> LookupTable | None:
    """The modality LUT of a file, or None.

    Raises:
        ImageError: the table is there and cannot be used.
    """
    found = items(dataset, "ModalityLUTSequence")
    if not found:
        return None
    descriptor, data = numbers(found[0], "LUTDescriptor"), value(found[0], "LUTData")
    if len(descriptor) != 3 or data is None or not 1 <= descriptor[2] <= 16:
        raise ImageError("bad_header", "the modality LUT has no valid descriptor")
    count, bits = int(descriptor[0]) % 65536 or 65536, int(descriptor[2])
    if isinstance(data, bytes):
        entries = np.frombuffer(data, "<u2" if len(data) >= 2 * count else np.uint8)
    else:
        entries = np.asarray([int(one) for one in data], dtype=np.int64) & 0xFFFF
    if len(entries) < count:
        raise ImageError("truncated", f"the modality LUT has {len(entries)} of {count} entries")
    return LookupTable(entries[:count].astype(np.uint16), int(descriptor[1]), bits)


def unit_of(dataset: Dataset, *, color: bool, bits: int) -> str:
    """The unit of modality output.

    HU only for CT whose rescale is present and of type HU or unnamed; Bq/mL for PET that says so; display
    gray for 8-bit pictures of modalities without a physical scale; otherwise scanner signal.
    """
    modality = modality_of(dataset)
    if color:
        return "rgb"
    if str(value(dataset, "SOPClassUID")) == SEGMENTATION:
        return "fraction"
    if modality == "CT" and _is_hounsfield(dataset):
        return "HU"
    if modality == "PT" and text(dataset, "Units") == "BQML":
        return "bq_ml"
    if modality == "PT" and text(dataset, "Units") == "GML":
        return "suv"
    if bits <= 8 and (modality is None or modality in _DISPLAY_GRAY):
        return "gray"
    return "signal"


def _is_hounsfield(dataset: Dataset) -> bool:
    group = group_item(dataset, "PixelValueTransformationSequence")
    source = dataset if group is None else group
    kind = text(source, "RescaleType")
    return bool(numbers(source, "RescaleIntercept")) and kind in (None, "HU", "HU_MOD")


def window_of(dataset: Dataset, frames: int) -> tuple[Pair | None, list[str]]:
    """The first window of the file (its middle frame's), and flags.

    Returns:
        (center, width) or None, and 'window_invalid' for a width no function allows, 'voi_lut' for a table
        that is not applied, 'voi_sigmoid' or 'voi_linear_exact' for another function than linear.
    """
    group = group_item(dataset, "FrameVOILUTSequence", frames // 2)
    source = dataset if group is None else group
    flags = ["voi_lut"] if items(source, "VOILUTSequence") else []
    centers, widths = numbers(source, "WindowCenter"), numbers(source, "WindowWidth")
    function = text(source, "VOILUTFunction") or "LINEAR"
    if function in ("SIGMOID", "LINEAR_EXACT"):
        flags.append(f"voi_{function.lower()}")
    if not centers or not widths:
        given = value(source, "WindowWidth") is not None or value(source, "WindowCenter") is not None
        return None, [*flags, "window_invalid"] if given else flags
    center, width = centers[0], widths[0]
    smallest = 1.0 if function == "LINEAR" else 0.0
    valid = math.isfinite(center) and math.isfinite(width) and width > 0 and width >= smallest
    return ((center, width), flags) if valid else (None, [*flags, "window_invalid"])


def spacing_of(dataset: Dataset) -> tuple[Pair | None, list[str]]:
    """(between rows, between columns) in mm, and flags.

    The spacing of a projection's detector is used when nothing else is there, with the flag
    'spacing_at_detector': lengths in the patient are shorter by an unknown magnification.
    """
    group = group_item(dataset, "PixelMeasuresSequence")
    given = numbers(dataset if group is None else group, "PixelSpacing") or numbers(dataset, "PixelSpacing")
    flags = []
    if not given:
        given = numbers(dataset, "ImagerPixelSpacing")
        flags = ["spacing_at_detector"] if given else []
    if not given:
        return None, []
    if len(given) != 2 or not all(math.isfinite(one) and one > 0 for one in given):
        return None, ["spacing_invalid"]
    return (given[0], given[1]), flags


def slice_distance(dataset: Dataset, frames: int) -> float | None:
    """Distance between slices in mm: from positions, spacing between slices, or slice thickness."""
    first, second = (_position(dataset, frame) for frame in (0, 1))
    if frames > 1 and first and second:
        distance = math.dist(first, second)
        if distance > 0:
            return distance
    offsets = numbers(dataset, "GridFrameOffsetVector")
    if len(offsets) > 1 and offsets[1] != offsets[0]:
        return abs(offsets[1] - offsets[0])
    group = group_item(dataset, "PixelMeasuresSequence")
    for source in (dataset, group):
        for keyword in ("SpacingBetweenSlices", "SliceThickness"):
            found = numbers(source, keyword) if source is not None else ()
            if found and math.isfinite(found[0]) and abs(found[0]) > 0:
                return abs(found[0])
    return None


def _position(dataset: Dataset, frame: int) -> tuple[float, ...]:
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    for group in per_frame[frame : frame + 1]:
        for plane in items(group, "PlanePositionSequence"):
            found = numbers(plane, "ImagePositionPatient")
            return found if len(found) == 3 else ()
    return ()


def orientation_of(dataset: Dataset) -> tuple[float, ...] | None:
    """Six direction cosines of rows and columns (PS3.3 C.7.6.2.1.1), or None."""
    group = group_item(dataset, "PlaneOrientationSequence")
    found = numbers(dataset if group is None else group, "ImageOrientationPatient")
    return found if len(found) == 6 and all(math.isfinite(one) for one in found) else None


def kind_of(dataset: Dataset, frames: int) -> str:
    """'image' for one frame; 'sequence' where frames are moments; else 'volume'."""
    if frames == 1:
        return "image"
    timed = numbers(dataset, "FrameTime") or numbers(dataset, "CineRate") or numbers(dataset, "FrameTimeVector")
    return "sequence" if timed or modality_of(dataset) in _MOVING else "volume"


def suv_scale(dataset: Dataset) -> float | None:
    """Factor from Bq/mL to body-weight SUV, or None when the file does not say enough.

    Only for images corrected for decay to the start of the acquisition (DecayCorrection START), which is what
    nearly all scanners write: SUV = activity · weight / (dose · 2^(−elapsed / half-life)).

    References:
        QIBA FDG-PET/CT profile, 'vendor-neutral pseudo-code for SUV calculation'.
    """
    doses = items(dataset, "RadiopharmaceuticalInformationSequence")
    if text(dataset, "DecayCorrection") != "START" or not doses:
        return None
    dose, half_life = numbers(doses[0], "RadionuclideTotalDose"), numbers(doses[0], "RadionuclideHalfLife")
    weight = numbers(dataset, "PatientWeight")
    injected = _seconds(value(doses[0], "RadiopharmaceuticalStartTime"))
    scanned = _seconds(value(dataset, "SeriesTime"))
    if injected is None or scanned is None or not (dose and half_life and weight):
        return None
    elapsed = (scanned - injected) % 86400.0
    if min(dose[0], half_life[0], weight[0]) <= 0:
        return None
    return float(weight[0] * 1000.0 / (dose[0] * 2.0 ** (-elapsed / half_life[0])))


def _seconds(time: Any) -> float | None:
    digits = str(time or "").strip()
    try:
        return int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60 + float(digits[4:] or 0)
    except ValueError:
        return None
