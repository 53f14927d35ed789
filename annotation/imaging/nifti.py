"""NIfTI-1 and NIfTI-2 volumes, checked from the header before any voxel is read.

Own reader: the header is 348 or 540 bytes, and a bomb must be refused before a library sees it.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from annotation.imaging.image import Image, ImageError, smallest_integer_type
from annotation.imaging.limits import MEBIBYTE, Limits

Array = npt.NDArray[Any]

TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
    256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_REFUSED = {
    32: "complex",
    1792: "complex",
    2048: "complex",
    128: "RGB",
    2304: "RGBA",
    1536: "128-bit float",
    1: "1-bit",
}
_MILLIMETERS = {1: 1000.0, 3: 0.001}
_LARGEST_SIDE = 32767


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """The fields of a NIfTI header that mean something for pixels."""

    version: int
    order: str
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    offset: int
    slope: float
    intercept: float
    cal: tuple[float, float]
    units: int
    qform: int
    sform: int
    quaternion: tuple[float, ...]
    srow: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices times volumes, rows, columns): the file's first axis runs along columns."""
        sides = [*self.dim[1 : self.dim[0] + 1], 1, 1, 1]
        return math.prod(sides[2:]), sides[1], sides[0]


@dataclass(frozen=True, slots=True)
class NiftiPicture:
    """A decoded volume: header, stored values in file order, image, and what follows the voxels."""

    header: NiftiHeader
    samples: Array
    image: Image
    texts: tuple[str, ...]


def is_nifti(head: bytes) -> bool:
    """Whether the first 348 bytes (inflated) are a NIfTI header, of any version or byte order."""
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, inflated as it is read when it is gzip."""
    with path.open("rb") as plain:
        zipped = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        if zipped:
            with gzip.GzipFile(fileobj=plain) as stream:
                yield stream  # type: ignore[misc]
        else:
            yield plain


def read_nifti(path: Path, limits: Limits) -> NiftiPicture:
    """Read one .nii or .nii.gz file.

    Args:
        path: the file.
        limits: bounds on size and number of slices.

    Returns:
        Header, stored values and image. Pixels are in file order, slices before volumes: shape
        (volumes × slices, rows = second axis, columns = first axis), values after scl_slope and scl_inter.

    Raises:
        ImageError: the header is impossible, or its data are cut short, of an unreadable type or too large.

    References:
        NIfTI-1 data format, nifti1.h (2007), nifti2.h (2011).
    """
    try:
        with opened(path) as stream:
            header, head = _read_header(stream)
            _check(header, limits)
            rest = _exactly(stream, header.offset - len(head))
            kind = np.dtype(header.order + TYPES[header.datatype])
            size = math.prod(header.shape) * kind.itemsize
            data = _exactly(stream, size)
            trailing = stream.read(MEBIBYTE + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = "truncated" if isinstance(error, EOFError) else "corrupt"
        raise ImageError(reason, "the compressed stream is cut short or damaged") from error
    if len(trailing) > MEBIBYTE:
        raise ImageError("too_large", "the file holds more data than its header says")
    samples = np.frombuffer(data, kind).reshape(header.shape).astype(kind.newbyteorder("="), copy=False)
    texts = _texts(head, header.version, rest) + (("TrailingBytes",) if trailing else ())
    return NiftiPicture(header, samples, _image(header, samples), texts)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    parts, missing = [], count
    while missing > 0:
        part = stream.read(min(missing, 16 * MEBIBYTE))
        if not part:
            raise ImageError("truncated", f"the file ends {missing} bytes before its header says")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _read_header(stream: IO[bytes]) -> tuple[NiftiHeader, bytes]:
    head = _exactly(stream, 348)
    if not is_nifti(head):
        raise ImageError("not_an_image", "no NIfTI header")
    order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
    size = struct.unpack_from(order + "i", head)[0]
    if head[4:8] in (b"n+2\0", b"ni2\0") and size == 540:
        head += _exactly(stream, 192)
        separate = head[4:8] == b"ni2\0"
        header = _version_2(head, order)
    elif size == 348:
        separate = head[344:348] == b"ni1\0"
        header = _version_1(head, order)
    else:
        raise ImageError("bad_header", f"the NIfTI header states its own size as {size}, not 348 or 540")
    if separate:
        raise ImageError("unsupported", "a NIfTI header with a separate data file (.hdr and .img)")
    return header, head


def _version_1(head: bytes, order: str) -> NiftiHeader:
    def at(form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, head, offset)

    return NiftiHeader(
        version=1,
        order=order,
        dim=at("8h", 40),
        datatype=at("h", 70)[0],
        pixdim=at("8f", 76),
        offset=_offset(at("f", 108)[0]),
        slope=at("f", 112)[0],
        intercept=at("f", 116)[0],
        cal=(at("f", 128)[0], at("f", 124)[0]),
        units=head[123],
        qform=at("h", 252)[0],
        sform=at("h", 254)[0],
        quaternion=at("6f", 256),
        srow=at("12f", 280),
    )


def _version_2(head: bytes, order: str) -> NiftiHeader:
    def at(form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, head, offset)

    return NiftiHeader(
        version=2,
        order=order,
        dim=at("8q", 16),
        datatype=at("h", 12)[0],
        pixdim=at("8d", 104),
        offset=_offset(at("q", 168)[0]),
        slope=at("d", 176)[0],
        intercept=at("d", 184)[0],
        cal=(at("d", 200)[0], at("d", 192)[0]),
        units=at("i", 500)[0],
        qform=at("i", 344)[0],
        sform=at("i", 348)[0],
        quaternion=at("6d", 352),
        srow=at("12d", 400),
    )


def _offset(value: float) -> int:
    if not math.isfinite(value) or value != int(value):
        raise ImageError("bad_header", "vox_offset is not a whole number")
    return int(value)


def _check(header: NiftiHeader, limits: Limits) -> None:
    count = header.dim[0]
    if not 1 <= count <= 7:
        raise ImageError("bad_header", f"{count} dimensions, allowed are 1 to 7")
    sides = header.dim[1 : count + 1]
    if min(sides) < 1:
        raise ImageError("bad_header", f"dimensions {sides} are not all positive")
    if max(sides) > _LARGEST_SIDE:
        raise ImageError("too_large", f"dimensions {sides}, the longest side allowed is {_LARGEST_SIDE}")
    if math.prod(sides[4:]) > 1:
        raise ImageError("unsupported_pixels", f"dimensions {sides}: more than four are in use")
    if header.datatype not in TYPES:
        name = _REFUSED.get(header.datatype, f"of code {header.datatype}")
        raise ImageError("unsupported_pixels", f"voxels are {name}")
    if not (352 if header.version == 1 else 544) <= header.offset <= 64 * MEBIBYTE:
        raise ImageError("bad_header", f"vox_offset {header.offset} lies inside the header or beyond 64 MiB")
    if math.isinf(header.slope) or (header.slope and not math.isfinite(header.intercept)):
        raise ImageError("bad_header", "scl_slope or scl_inter is infinite")
    _check_size(header, limits)


def _check_size(header: NiftiHeader, limits: Limits) -> None:
    frames, rows, columns = header.shape
    if rows * columns > limits.pixels:
        raise ImageError("too_large", f"{rows} × {columns} pixels, allowed are {limits.pixels // 10**6} Mpx")
    size = frames * rows * columns * np.dtype(TYPES[header.datatype]).itemsize
    if size > limits.decoded_bytes:
        raise ImageError(
            "too_large",
            f"{size // MEBIBYTE} MiB of voxels, allowed are {limits.decoded_bytes // MEBIBYTE} MiB",
        )
    if frames > limits.frames:
        raise ImageError("too_many_frames", f"{frames} slices, allowed are {limits.frames}")


def _texts(head: bytes, version: int, rest: bytes) -> tuple[str, ...]:
    """Names of header texts that hold something; their content is never looked at."""
    fields = {
        1: (
            ("data_type", 4, 10), ("db_name", 14, 18), ("descrip", 148, 80), ("aux_file", 228, 24),
            ("intent_name", 328, 16),
        ),
        2: (("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16), ("unused_str", 525, 15)),
    }[version]  # fmt: skip
    names = tuple(name for name, start, size in fields if head[start : start + size].strip(b"\0 "))
    return names + (("extension",) if rest.strip(b"\0") else ())


def affine_of(header: NiftiHeader) -> npt.NDArray[np.float64] | None:
    """Voxel indices to millimeters (right, anterior, superior), 4 × 4, or None when neither form is set.

    The sform is preferred, then the quaternion (nifti1.h, methods 3 and 2).
    """
    matrix = np.eye(4)
    if header.sform > 0:
        matrix[:3] = np.reshape(header.srow, (3, 4))
    elif header.qform > 0:
        b, c, d = header.quaternion[:3]
        a = math.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
        turn = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        side = -1.0 if header.pixdim[0] < 0 else 1.0
        matrix[:3, :3] = turn * np.array([header.pixdim[1], header.pixdim[2], header.pixdim[3] * side])
        matrix[:3, 3] = header.quaternion[3:6]
    else:
        return None
    return matrix if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 0 else None


def axis_codes(affine: npt.NDArray[np.float64]) -> tuple[str, str, str]:
    """Where the three voxel axes point: letters of L/R, P/A, I/S, each pair used once.

    Example:
        >>> axis_codes(np.diag([-1.0, 1.0, 1.0, 1.0]))
        ('L', 'A', 'S')
    """
    columns = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    codes = ["", "", ""]
    left = np.abs(columns)
    for _ in range(3):
        world, voxel = np.unravel_index(int(np.argmax(left)), (3, 3))
        codes[voxel] = ("LR", "PA", "IS")[world][int(columns[world, voxel] > 0)]
        left[world, :] = -1.0
        left[:, voxel] = -1.0
    return codes[0], codes[1], codes[2]


def _scaled(header: NiftiHeader, samples: Array) -> tuple[Array, tuple[float, float] | None, list[str]]:
    """Values after scaling, the range that the stored type allows, and flags."""
    slope, intercept, flags = header.slope, header.intercept, []
    if math.isnan(slope):
        flags.append("scaling_undefined")
    if math.isnan(slope) or slope == 0:
        slope, intercept = 1.0, 0.0
    floating = samples.dtype.kind == "f"
    limits = None
    if not floating:
        info = np.iinfo(samples.dtype)
        ends = sorted((info.min * slope + intercept, info.max * slope + intercept))
        limits = (float(ends[0]), float(ends[1]))
    if (slope, intercept) == (1.0, 0.0):
        return samples, limits, flags
    whole = slope == math.floor(slope) and intercept == math.floor(intercept)
    if limits is not None and whole and samples.dtype.itemsize <= 2 and max(abs(slope), abs(intercept)) < 2**31:
        scaled = samples.astype(np.int64) * int(slope) + int(intercept)
        return scaled.astype(smallest_integer_type(*limits)), limits, flags
    kind = np.float32 if samples.dtype.itemsize <= 2 or samples.dtype == np.float32 else np.float64
    return (samples * np.float64(slope) + np.float64(intercept)).astype(kind), limits, flags


def _image(header: NiftiHeader, samples: Array) -> Image:
    pixels, data_range, flags = _scaled(header, samples)
    factor = _MILLIMETERS.get(header.units & 7, 1.0)
    steps = [abs(step) * factor for step in header.pixdim[1:4]]
    sized = all(math.isfinite(step) and step > 0 for step in steps[:2]) and header.dim[0] >= 2
    affine = affine_of(header)
    low, high = header.cal
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        flags.append("non_finite")
    volumes = header.dim[4] if header.dim[0] >= 4 else 1
    if volumes > 1:
        flags.append("four_dimensional")
    return Image(
        pixels=pixels,
        unit="signal",
        bits=samples.dtype.itemsize * 8,
        signed=samples.dtype.kind != "u",
        data_range=data_range,
        spacing_mm=(steps[1], steps[0]) if sized else None,
        slice_mm=steps[2] if header.dim[0] >= 3 and math.isfinite(steps[2]) and steps[2] > 0 else None,
        orientation=axis_codes(affine) if affine is not None else None,
        window=((low + high) / 2, high - low) if math.isfinite(low + high) and high > low else None,
        kind="volume" if len(pixels) > 1 else "image",
        flags=tuple(flags),
    )
