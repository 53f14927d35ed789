"""The frozen picture that every reader of this room returns, and the one error it raises.

An `Image` holds modality output: sample values after rescale or modality LUT, in a named unit. It says what
its file declared (bit depth, range, spacing, window) and never guesses any of it from the samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

UNITS = ("HU", "signal", "gray", "rgb", "suv", "bq_ml", "fraction")
KINDS = ("image", "volume", "sequence")

REASONS = {
    "unreadable": "the file cannot be opened",
    "not_a_file": "a folder, pipe or device, not a file",
    "empty": "a file of 0 bytes",
    "not_an_image": "the content is none of DICOM, NIfTI, PNG, JPEG, TIFF, WebP, or holds no pixels",
    "unsupported": "a format or transfer syntax without a decoder here",
    "unsupported_pixels": "pixels of a kind that cannot be shown as gray or RGB (CMYK, complex, several pages)",
    "alpha": "transparent pixels and no policy to composite them",
    "bad_header": "the header contradicts itself or holds an impossible value",
    "truncated": "the file ends before its pixels do",
    "corrupt": "the pixels or the structure cannot be decoded",
    "too_large": "more bytes, pixels or memory than the limits allow",
    "too_many_frames": "more frames than the limits allow",
    "timeout": "decoding took longer than the limits allow",
    "crashed": "the decoding process died",
}


class ImageError(ValueError):
    """A file that is not read, with a short code and a sentence for a person.

    Args:
        reason: one of `REASONS`.
        message: what is wrong, with value and limit; never a value that could name a patient.

    Raises:
        AssertionError: `reason` is not in the closed list (a mistake in the program).
    """

    def __init__(self, reason: str, message: str = "") -> None:
        self.reason = reason
        self.message = message or REASONS.get(reason, reason)
        assert reason in REASONS, reason
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        return ImageError, (self.reason, self.message)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One decoded picture, volume or sequence.

    Attributes:
        pixels: read-only array, shape (frames, rows, columns) for one channel or (frames, rows, columns, 3)
            for RGB. Modality output in `unit`; MONOCHROME1 is *not* inverted.
        unit: 'HU', 'signal' (arbitrary scanner units), 'gray' (display gray), 'rgb', 'suv', 'bq_ml' or
            'fraction' (0..1, masks included).
        bits: declared depth of a stored sample (BitsStored, PNG bit depth), 1..64.
        signed: whether stored samples are signed.
        data_range: (low, high) that the declared depth allows, in `unit`; None for floating-point samples,
            which declare no range. Never taken from the samples.
        spacing_mm: (between rows, between columns) in millimeters, or None.
        slice_mm: distance between frames in millimeters, or None.
        orientation: six direction cosines (DICOM PS3.3 C.7.6.2.1.1), or three axis codes such as
            ('L', 'A', 'S') for columns, rows and slices of a NIfTI volume, or None.
        window: default (center, width) in `unit`, DICOM PS3.3 C.11.2.1.2, or None.
        suv_scale: factor from Bq/mL to body-weight SUV in g/mL, or None.
        kind: 'image', 'volume' (frames are places) or 'sequence' (frames are moments).
        modality: DICOM modality code, or None where the file declares none.
        inverted: MONOCHROME1, the lowest value is shown white.
        flags: what a person should know ('lossy', 'palette', 'window_invalid' …), sorted.

    Raises:
        ValueError: shape, unit or kind is outside its closed list.
    """

    pixels: npt.NDArray[Any]
    unit: str
    bits: int
    signed: bool
    data_range: tuple[float, float] | None
    spacing_mm: tuple[float, float] | None = None
    slice_mm: float | None = None
    orientation: tuple[float, ...] | tuple[str, str, str] | None = None
    window: tuple[float, float] | None = None
    suv_scale: float | None = None
    kind: str = "image"
    modality: str | None = None
    inverted: bool = False
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r} is none of {', '.join(UNITS)}")
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        shape = self.pixels.shape
        if not (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)) or 0 in shape:
            raise ValueError(f"shape {shape} is neither (frames, rows, columns) nor (frames, rows, columns, 3)")
        view = self.pixels.view()
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)
        object.__setattr__(self, "flags", tuple(sorted(set(self.flags))))

    @property
    def frames(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def rows(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def columns(self) -> int:
        return int(self.pixels.shape[2])

    @property
    def channels(self) -> int:
        return 3 if self.pixels.ndim == 4 else 1


def smallest_integer_type(low: float, high: float) -> np.dtype[Any]:
    """The narrowest of uint8, int16, uint16, int32, int64 that holds `low` to `high`.

    Example:
        >>> smallest_integer_type(-1024, 3071)
        dtype('int16')
    """
    for name in ("uint8", "int16", "uint16", "int32"):
        info = np.iinfo(name)
        if info.min <= low and high <= info.max:
            return np.dtype(name)
    return np.dtype("int64")
