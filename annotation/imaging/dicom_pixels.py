"""Stored values of DICOM pixels: decoded, in their declared bits, color as RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import uid
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut

from annotation.imaging import jpeg_plugin
from annotation.imaging.codestream import frame_header
from annotation.imaging.dicom_file import VALUE_ERRORS, numbers, text, value, whole
from annotation.imaging.image import ImageError
from annotation.imaging.limits import MEBIBYTE, Limits

Array = npt.NDArray[Any]

_NATIVE = {
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
}
_PLUGINS = {
    uid.RLELossless: "pylibjpeg",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEGExtended12Bit: jpeg_plugin.NAME,
    uid.JPEGLossless: jpeg_plugin.NAME,
    uid.JPEGLosslessSV1: jpeg_plugin.NAME,
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.JPEG2000Lossless: "pylibjpeg",
    uid.JPEG2000: "pylibjpeg",
    uid.HTJ2KLossless: "pylibjpeg",
    uid.HTJ2KLosslessRPCL: "pylibjpeg",
    uid.HTJ2K: "pylibjpeg",
}
LOSSY = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless}
_GRAY = {"MONOCHROME1", "MONOCHROME2"}
_COLOR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
_FLOATS = {"FloatPixelData": (32, np.float32), "DoubleFloatPixelData": (64, np.float64)}


@dataclass(frozen=True, slots=True)
class Layout:
    """The Image Pixel module (PS3.3 C.7.6.3) after its numbers have been checked."""

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    allocated: int
    stored: int
    high: int
    signed: bool
    keyword: str
    syntax: uid.UID

    @property
    def expected_bytes(self) -> int:
        bits = self.rows * self.columns * self.frames * self.samples * self.allocated
        if self.photometric == "YBR_FULL_422" and self.syntax in _NATIVE:
            bits = bits * 2 // 3
        return (bits + 7) // 8


@dataclass(frozen=True, slots=True)
class Stored:
    """Decoded stored values, shape (frames, rows, columns[, 3]), with the bits they mean."""

    samples: Array
    bits: int
    signed: bool
    flags: tuple[str, ...]


def layout_of(dataset: Dataset, limits: Limits) -> Layout:
    """Check the numbers that describe the pixels, before anything of their size is allocated.

    Raises:
        ImageError: a number is missing, impossible or over the limits, or the syntax has no decoder.
    """
    syntax = uid.UID(str(dataset.file_meta.TransferSyntaxUID))
    if syntax not in _NATIVE and syntax not in _PLUGINS:
        known = syntax.name if syntax in UID_dictionary else "unregistered"
        raise ImageError("unsupported", f"no decoder for transfer syntax {known}")
    keyword = next(k for k in ("PixelData", *_FLOATS) if k in dataset)
    rows = whole(dataset, "Rows", low=1, high=65535)
    columns = whole(dataset, "Columns", low=1, high=65535)
    frames = whole(dataset, "NumberOfFrames", low=0, high=2**31 - 1, default=1) or 1
    samples = whole(dataset, "SamplesPerPixel", low=1, high=4, default=1)
    allocated = whole(dataset, "BitsAllocated", low=1, high=64)
    stored, high, signed = allocated, allocated - 1, True
    if keyword == "PixelData":
        stored = whole(dataset, "BitsStored", low=1, high=allocated, default=allocated)
        high = whole(dataset, "HighBit", low=stored - 1, high=allocated - 1, default=stored - 1)
        signed = bool(whole(dataset, "PixelRepresentation", low=0, high=1, default=0))
    photometric = text(dataset, "PhotometricInterpretation") or ""
    layout = Layout(rows, columns, frames, samples, photometric, allocated, stored, high, signed, keyword, syntax)
    _check_layout(layout, limits)
    return layout


def _check_layout(layout: Layout, limits: Limits) -> None:
    if layout.rows * layout.columns > limits.pixels:
        raise ImageError(
            "too_large", f"{layout.rows} × {layout.columns} pixels, allowed are {limits.pixels // 10**6} Mpx"
        )
    if layout.frames > limits.frames:
        raise ImageError("too_many_frames", f"{layout.frames} frames, allowed are {limits.frames}")
    size = layout.rows * layout.columns * layout.frames * layout.samples * max(8, layout.allocated) // 8
    if size > limits.decoded_bytes:
        raise ImageError(
            "too_large",
            f"{size // MEBIBYTE} MiB of pixels, allowed are {limits.decoded_bytes // MEBIBYTE} MiB",
        )
    wanted = _FLOATS[layout.keyword][0] if layout.keyword in _FLOATS else None
    allowed = (wanted,) if wanted else (1, 8, 16, 32)
    if layout.allocated not in allowed:
        raise ImageError("unsupported_pixels", f"BitsAllocated is {layout.allocated}, allowed are {allowed}")
    if layout.photometric not in _GRAY | _COLOR | {"PALETTE COLOR"}:
        raise ImageError("unsupported_pixels", "the photometric interpretation is not gray, palette, RGB or YBR")
    if (layout.samples == 3) != (layout.photometric in _COLOR) or layout.samples not in (1, 3):
        raise ImageError("bad_header", f"SamplesPerPixel is {layout.samples} with {layout.photometric}")


def stored_values(dataset: Dataset, layout: Layout) -> Stored:
    """Decode all frames and turn palette and YBR into RGB.

    Args:
        dataset: the file.
        layout: its checked description.

    Returns:
        Stored values; unused high bits are cleared, or carry the sign.

    Raises:
        ImageError: pixels shorter than the header says, or not decodable.
    """
    samples = _float_samples(dataset, layout) if layout.keyword in _FLOATS else _decode(dataset, layout)
    flags = ["lossy"] if layout.syntax in LOSSY or text(dataset, "LossyImageCompression") == "01" else []
    bits, signed = layout.stored, layout.signed
    if layout.photometric == "PALETTE COLOR":
        samples, bits, signed = _palette(dataset, samples), 8, False
        flags.append("palette")
    elif samples.ndim == 4 and samples.dtype.kind == "i":
        raise ImageError("bad_header", "color samples are declared signed")
    return Stored(samples, bits, signed, tuple(flags))


def _check_native_length(dataset: Dataset, layout: Layout) -> None:
    held = len(dataset[layout.keyword].value or b"")
    if held < layout.expected_bytes:
        raise ImageError(
            "truncated", f"pixel data shorter than header says ({held} of {layout.expected_bytes} bytes)"
        )


def _float_samples(dataset: Dataset, layout: Layout) -> Array:
    if layout.syntax not in _NATIVE or layout.samples != 1:
        raise ImageError("unsupported_pixels", "floating-point pixels are read from native gray data only")
    _check_native_length(dataset, layout)
    kind: np.dtype[Any] = np.dtype(_FLOATS[layout.keyword][1])
    kind = kind.newbyteorder(">" if layout.syntax == uid.ExplicitVRBigEndian else "<")
    flat = np.frombuffer(dataset[layout.keyword].value, kind, layout.frames * layout.rows * layout.columns)
    return flat.reshape(layout.frames, layout.rows, layout.columns).astype(kind.newbyteorder("="))


def _decode(dataset: Dataset, layout: Layout) -> Array:
    if layout.syntax in _NATIVE:
        _check_native_length(dataset, layout)
    else:
        _check_codestreams(dataset, layout)
    if layout.allocated == 1 and layout.frames > 1:
        return _unpack_bits(dataset, layout)
    jpeg_plugin.register()
    standard = layout.high == layout.stored - 1
    out: Array | None = None
    count = 0
    try:
        frames = get_decoder(layout.syntax).iter_array(
            dataset,
            decoding_plugin=_PLUGINS.get(layout.syntax, ""),
            correct_unused_bits=standard,
        )
        for frame, _ in frames:
            if count == layout.frames:
                break
            if out is None:
                out = np.empty((layout.frames, *frame.shape), frame.dtype.newbyteorder("="))
            out[count] = frame
            count += 1
    except (*VALUE_ERRORS, RuntimeError) as error:
        raise ImageError(
            "corrupt", f"frame {count + 1} of {layout.frames} cannot be decoded ({layout.syntax.name})"
        ) from error
    if out is None or count < layout.frames:
        raise ImageError("truncated", f"{count} of {layout.frames} frames are present")
    return out if standard else _shift_down(out, layout)


def _check_codestreams(dataset: Dataset, layout: Layout) -> None:
    try:
        frames = list(generate_frames(dataset.PixelData, number_of_frames=layout.frames))
    except (*VALUE_ERRORS, RuntimeError) as error:
        raise ImageError("corrupt", "the compressed frames cannot be told apart") from error
    if len(frames) < layout.frames:
        raise ImageError("truncated", f"{len(frames)} of {layout.frames} frames are present")
    if layout.syntax == uid.RLELossless:
        return
    for index, frame in enumerate(frames, start=1):
        header = frame_header(frame)
        if header is None:
            raise ImageError("corrupt", f"frame {index} of {layout.frames} has no picture header")
        if not header.conforming:
            raise ImageError("corrupt", f"the scan header of frame {index} contradicts its JPEG process")
        if (header.rows, header.columns) != (layout.rows, layout.columns):
            raise ImageError(
                "corrupt",
                f"frame {index} states {header.rows} × {header.columns} pixels,"
                f" the file {layout.rows} × {layout.columns}",
            )
        if header.components != layout.samples:
            raise ImageError(
                "corrupt",
                f"frame {index} has {header.components} components, the file says {layout.samples}",
            )


def _unpack_bits(dataset: Dataset, layout: Layout) -> Array:
    """Bit-packed frames, which follow each other without padding (PS3.5 8.1.1)."""
    count = layout.frames * layout.rows * layout.columns
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    bits = np.unpackbits(packed, count=count, bitorder="little")
    return bits.reshape(layout.frames, layout.rows, layout.columns)


def _shift_down(samples: Array, layout: Layout) -> Array:
    """Samples whose high bit is not the last of the stored ones: move them down and drop what is beside."""
    width = samples.dtype.itemsize * 8
    up = np.left_shift(samples, width - 1 - layout.high)
    return np.right_shift(up, width - layout.stored)


def _palette(dataset: Dataset, indices: Array) -> Array:
    """Index values through the red, green and blue tables, as 8-bit RGB (PS3.3 C.7.9.2).

    Indices below the first mapped value take the first entry, above the last one the last.
    """
    descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor")
    if len(descriptor) != 3 or descriptor[2] not in (8, 16):
        raise ImageError("bad_header", "the palette has no valid descriptor")
    entries, first = int(descriptor[0]) % 65536 or 65536, int(descriptor[1])
    if "RedPaletteColorLookupTableData" in dataset:
        tables = [
            _table(value(dataset, f"{color}PaletteColorLookupTableData"), entries)
            for color in ("Red", "Green", "Blue")
        ]
    else:
        tables = _segmented_tables(dataset, entries, first)
    at = np.clip(indices.astype(np.int64) - first, 0, entries - 1)
    rgb: Array = np.stack([table[at] for table in tables], axis=-1)
    return rgb


def _table(data: Any, entries: int) -> Array:
    if not isinstance(data, bytes) or len(data) < entries:
        raise ImageError("truncated", f"a palette table is shorter than its {entries} entries")
    if len(data) >= 2 * entries:
        wide = np.frombuffer(data, "<u2", entries)
        return (wide if wide.max(initial=0) <= 255 else wide >> 8).astype(np.uint8)
    return np.frombuffer(data, np.uint8, entries)


def _segmented_tables(dataset: Dataset, entries: int, first: int) -> list[Array]:
    ramp = np.arange(first, first + entries)[np.newaxis]
    try:
        rgb = apply_color_lut(ramp, dataset)[0]
    except VALUE_ERRORS as error:
        raise ImageError("bad_header", "the segmented palette cannot be expanded") from error
    if rgb.dtype.itemsize == 2:
        rgb = rgb >> 8
    return [rgb[:, channel].astype(np.uint8) for channel in range(3)]
