"""What the browser's viewer receives: a header of display facts and one file of compressed frames.

Gray: 16-bit little-endian samples as row-wise differences modulo 2^16, all low bytes and then all high bytes,
deflated in zlib format, one stream a frame. Color: one 8-bit PNG a frame. Nothing of a file's own header is
passed on; the keys of the header are the allow-list `HEADER_KEYS`.
"""

from __future__ import annotations

import io
import itertools
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from annotation.imaging.image import Image
from annotation.imaging.png import PNG_LEVEL, encode_png
from annotation.imaging.windowing import to_display
from annotation.imaging.wire import HEADER_KEYS

Array = npt.NDArray[Any]

VERSION = 1
STORED_LEVEL = 4  # noisy CT: 1 % larger than level 6 in 40 % of its time
GRAY_ENCODING = "delta-split-deflate"
COLOR_ENCODING = "png"
QUANTILES = 129
_BAND_ROWS = 512
_UNITS = {"suv": "SUV"}


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """A header for `frames.json`, the bytes it points into, and flags.

    Flags: 'quantized' when samples were rounded to 65,536 levels (value = stored · slope + intercept, off by at
    most half a slope), 'reduced_to_8_bit' for deeper color, 'non_finite' when NaN or infinity became the
    lowest or highest value.
    """

    header: dict[str, Any]
    data: bytes
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Samples:
    """16-bit samples with value = sample · slope + intercept."""

    array: Array
    slope: float
    intercept: float
    flags: tuple[str, ...] = ()


def encode_frames(image: Image, *, level: int = 6, pictures: list[bytes] | None = None) -> EncodedFrames:
    """Encode an image for the viewer.

    Args:
        image: any image.
        level: zlib level; `STORED_LEVEL` for what is stored, 1 for what is made on request.
        pictures: PNGs of the frames of an 8-bit color image, if they exist already.

    Returns:
        Header, data and flags; the same bytes for the same image and level. Integers that span at most 65,535
        are kept exactly; wider and floating-point samples are quantized. Quantiles are of values in the unit
        of the image; for color of luminance (Rec. 601).
    """
    if image.channels == 3:
        return _color(image, level, pictures)
    samples = _sixteen_bits(image.pixels)
    parts = [_deflated(frame, level) for frame in samples.array]
    header = _header(image, parts)
    window = image.window
    header |= {
        "channels": 1,
        "bits": 16,
        "signed": samples.array.dtype.kind == "i",
        "encoding": GRAY_ENCODING,
        "slope": _plain(samples.slope),
        "intercept": _plain(samples.intercept),
        "window": None if window is None else {"center": _plain(window[0]), "width": _plain(window[1])},
        "quantiles": [_short(q * samples.slope + samples.intercept) for q in _quantiles(samples.array)],
    }
    return EncodedFrames({key: header[key] for key in HEADER_KEYS}, b"".join(parts), samples.flags)


def decode_frames(header: dict[str, Any], data: bytes) -> Array:
    """Undo `encode_frames`: values in the unit of the header, (frames, rows, columns[, 3]).

    Args:
        header: as `encode_frames` made it.
        data: the frames it points into.

    Returns:
        Integers where slope and intercept are whole, else float64; uint8 for color.
    """
    offsets = header["offsets"]
    parts = [data[start:end] for start, end in itertools.pairwise(offsets)]
    if header["encoding"] == COLOR_ENCODING:
        return np.stack([np.asarray(PIL.Image.open(io.BytesIO(part), formats=["PNG"])) for part in parts])
    rows, columns = header["rows"], header["cols"]
    out = np.empty((len(parts), rows, columns), np.int64)
    for index, part in enumerate(parts):
        pair = np.frombuffer(zlib.decompress(part), np.uint8).reshape(2, rows, columns).astype(np.uint16)
        total = np.cumsum(pair[0] | pair[1] << 8, axis=1, dtype=np.uint16)
        out[index] = total.view(np.int16) if header["signed"] else total
    values: Array = out * header["slope"] + header["intercept"]
    return values


def thumbnail(image: Image, size: int = 96) -> bytes:
    """A PNG of the middle frame under the default window, at most `size` pixels wide and high.

    Args:
        image: any image.
        size: longest side in pixels; smaller pictures are not enlarged.

    Returns:
        The file: 8-bit gray or RGB, pixels only.
    """
    middle = image.frames // 2
    step = max(1, max(image.rows, image.columns) // (size * 2))
    picture = PIL.Image.fromarray(np.ascontiguousarray(to_display(image, middle, step=step)))
    picture.thumbnail((size, size), PIL.Image.Resampling.BOX)
    return encode_png(np.asarray(picture), level=6)


def _header(image: Image, parts: list[bytes]) -> dict[str, Any]:
    offsets = [0]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    spacing = image.spacing_mm
    return {
        "version": VERSION,
        "rows": image.rows,
        "cols": image.columns,
        "frames": image.frames,
        "offsets": offsets,
        "units": _UNITS.get(image.unit, image.unit),
        "spacing_mm": None if spacing is None else [_plain(spacing[0]), _plain(spacing[1])],
        "slice_mm": None if image.slice_mm is None else _plain(image.slice_mm),
        "inverted": image.inverted,
        "kind": image.kind,
    }


def _color(image: Image, level: int, pictures: list[bytes] | None) -> EncodedFrames:
    deep = image.bits > 8
    if deep or pictures is None or len(pictures) != image.frames:
        level = min(level, PNG_LEVEL)
        pictures = [encode_png(to_display(image, frame), level=level) for frame in range(image.frames)]
    luminance = np.stack([_luminance(to_display(image, frame)) for frame in range(image.frames)])
    header = _header(image, pictures)
    header |= {
        "channels": 3,
        "bits": 8,
        "signed": False,
        "encoding": COLOR_ENCODING,
        "slope": 1,
        "intercept": 0,
        "window": None,
        "quantiles": [_short(q) for q in _quantiles(luminance)],
    }
    flags = ("reduced_to_8_bit",) if deep else ()
    return EncodedFrames({key: header[key] for key in HEADER_KEYS}, b"".join(pictures), flags)


def _luminance(shown: Array) -> Array:
    """Luminance of 8-bit RGB (Rec. 601), in bands of rows so that large pictures need little memory."""
    out = np.empty(shown.shape[:2], np.uint8)
    for top in range(0, len(shown), _BAND_ROWS):
        band = shown[top : top + _BAND_ROWS]
        out[top : top + _BAND_ROWS] = band @ np.array([299, 587, 114], np.int32) // 1000
    return out


def _sixteen_bits(pixels: Array) -> _Samples:
    if pixels.dtype.kind in "iub":
        low, high = int(pixels.min()), int(pixels.max())
        if low >= 0 and high <= 65535:
            return _Samples(pixels.astype(np.uint16), 1, 0)
        if low >= -32768 and high <= 32767:
            return _Samples(pixels.astype(np.int16), 1, 0)
        if high - low <= 65535:
            return _Samples((pixels.astype(np.int64) - low).astype(np.uint16), 1, low)
        return _quantized(pixels, float(low), float(high), ("quantized",))
    finite = np.isfinite(pixels)
    if finite.all():
        return _quantized(pixels, float(pixels.min()), float(pixels.max()), ("quantized",))
    known = pixels[finite]
    bottom, top = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    filled = np.nan_to_num(pixels.astype(np.float64), nan=bottom, posinf=top, neginf=bottom)
    return _quantized(filled, bottom, top, ("non_finite", "quantized"))


def _quantized(pixels: Array, low: float, high: float, flags: tuple[str, ...]) -> _Samples:
    slope = (high - low) / 65535.0
    if not (slope > 0 and math.isfinite(slope)):
        return _Samples(np.zeros(pixels.shape, np.uint16), 1.0, low, flags)
    out = np.empty(pixels.shape, np.uint16)
    for index, frame in enumerate(pixels):
        out[index] = np.rint((frame.astype(np.float64) - low) / slope).clip(0, 65535)
    return _Samples(out, slope, low, flags)


def _deflated(frame: Array, level: int) -> bytes:
    samples = np.ascontiguousarray(frame).view(np.uint16)
    delta = samples.copy()
    delta[:, 1:] -= samples[:, :-1]
    pair = delta.astype("<u2", copy=False).view(np.uint8).reshape(-1, 2)
    return zlib.compress(pair.T.tobytes(), level)


def _quantiles(samples: Array) -> list[float]:
    """The 129 equally spaced quantiles with linear interpolation, from a histogram of 65,536 bins."""
    flip = 32768 if samples.dtype.kind == "i" else 0
    counts = np.zeros(65536, np.int64)
    for frame in samples:
        for top in range(0, len(frame), _BAND_ROWS):
            band = frame[top : top + _BAND_ROWS]
            shifted = band.astype(np.int32) + flip if flip else band
            counts += np.bincount(shifted.ravel(), minlength=65536)
    rank = np.linspace(0, counts.sum() - 1, QUANTILES)
    cumulative = np.cumsum(counts)
    low = np.searchsorted(cumulative, np.floor(rank), side="right")
    high = np.searchsorted(cumulative, np.ceil(rank), side="right")
    return [float(q) for q in low + (high - low) * (rank - np.floor(rank)) - flip]


def _plain(number: float) -> float:
    """A whole number as int, so that JSON says 40 and not 40.0."""
    return int(number) if float(number).is_integer() else float(number)


def _short(number: float) -> float:
    return _plain(float(f"{number:.7g}"))
