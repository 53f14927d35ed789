"""A DICOM file as a data set, after everything that can be refused without decoding has been refused."""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from annotation.imaging.image import ImageError
from annotation.imaging.limits import MEBIBYTE, Limits

# pydicom puts values it finds odd into warnings and log lines; a value can be a patient's name.
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").propagate = False
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

_LONG_LENGTH = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"}
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
HEADER_BYTES = 32 * MEBIBYTE  # what a deflated data set may inflate to beside its pixels
_FIRST_PIXEL_TAG = 0x7FE00001
_SIDES = {"Rows": 65535, "Columns": 65535, "NumberOfFrames": 2**31 - 1, "SamplesPerPixel": 4}
_SIZES: list[BaseTag | int] = [Tag(keyword) for keyword in ("BitsAllocated", *_SIDES)]

# What pydicom raises when a stored value is not what its VR says.
VALUE_ERRORS = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, NotImplementedError,
    struct.error, EOFError, OSError, UnicodeError, LookupError,
)  # fmt: skip


def open_dataset(path: Path, limits: Limits) -> Dataset:
    """Parse a DICOM file with the standard's prefix and a transfer syntax; never by force.

    Args:
        path: the file.
        limits: bounds on inflated size and nesting.

    Returns:
        The data set, its pixels not decoded.

    Raises:
        ImageError: not DICOM, no transfer syntax, no image, cut short, nested or inflated beyond the limits.
    """
    data = path.read_bytes()
    if data[128:132] != b"DICM":
        raise ImageError("not_an_image", "no DICM prefix at byte 128")
    start, syntax = _file_meta(data)
    if not syntax:
        raise ImageError("bad_header", "the DICOM file names no transfer syntax")
    end = len(data)
    if syntax == DeflatedExplicitVRLittleEndian:
        end = start + _inflated_size(data[start:], limits)
    try:
        dataset = pydicom.dcmread(io.BytesIO(data))
    except RecursionError as error:
        raise ImageError("corrupt", f"sequences are nested deeper than {limits.depth}") from error
    except EOFError as error:
        raise ImageError("truncated", "the file ends inside a data element") from error
    if dataset.file_meta.get("MediaStorageSOPClassUID") == _MEDIA_DIRECTORY:
        raise ImageError("not_an_image", "a DICOMDIR lists files and holds no pixels")
    _check_elements(dataset, end, limits, 1)
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise ImageError("not_an_image", f"no pixels: {_class_name(dataset)}")
    return dataset


def _file_meta(data: bytes) -> tuple[int, str]:
    """Where group 0002 ends, and the transfer syntax it names (PS3.10 7.1)."""
    at, syntax = 132, ""
    while at + 8 <= len(data) and data[at : at + 2] == b"\x02\x00":
        element = struct.unpack_from("<H", data, at + 2)[0]
        if data[at + 4 : at + 6] in _LONG_LENGTH:
            if at + 12 > len(data):
                break
            length, value = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            length, value = struct.unpack_from("<H", data, at + 6)[0], at + 8
        if value + length > len(data):
            raise ImageError("truncated", "the DICOM file ends inside its meta information")
        if element == 0x0010:
            syntax = data[value : value + length].rstrip(b"\0 ").decode("ascii", "replace")
        at = value + length
    return at, syntax


def _inflated_size(deflated: bytes, limits: Limits) -> int:
    """Size of a deflated data set, found in pieces so that a bomb is never held in memory.

    What it may grow to follows from the picture it declares: the header is read from the first bytes that come out,
    and everything beyond the header and the native pixels has 32 MiB.
    """
    stream, size, rest, head = zlib.decompressobj(-zlib.MAX_WBITS), 0, deflated, bytearray()
    most = limits.decoded_bytes
    try:
        while rest and not stream.eof:
            piece = stream.decompress(rest, MEBIBYTE)
            rest = stream.unconsumed_tail
            size += len(piece)
            if len(head) < HEADER_BYTES:
                head += piece
                if len(head) >= HEADER_BYTES:
                    most = min(most, _declared_bytes(bytes(head)) + HEADER_BYTES)
            if size > most:
                raise ImageError(
                    "too_large", f"the deflated data set grows beyond the {most // MEBIBYTE} MiB that it may need"
                )
    except zlib.error as error:
        raise ImageError("corrupt", "the deflated data set cannot be inflated") from error
    if not stream.eof:
        raise ImageError("truncated", "the deflated data set is cut short")
    return size


def _declared_bytes(head: bytes) -> int:
    """Bytes of native pixels that the first bytes of an Explicit VR Little Endian data set declare.

    Raises:
        ImageError: the numbers that describe the pixels do not stand in `head`.
    """
    reached = False

    def at_pixels(tag: Any, representation: str | None, length: int) -> bool:
        nonlocal reached
        reached = int(tag) >= _FIRST_PIXEL_TAG
        return reached

    try:
        found = read_dataset(
            io.BytesIO(head), is_implicit_VR=False, is_little_endian=True, stop_when=at_pixels, specific_tags=_SIZES
        )
    except (*VALUE_ERRORS, RecursionError) as error:
        raise ImageError("corrupt", "the header of the deflated data set cannot be read") from error
    if not reached:
        raise ImageError("too_large", f"the header of the data set is longer than {HEADER_BYTES // MEBIBYTE} MiB")
    bits = whole(found, "BitsAllocated", low=1, high=64, default=8)
    for keyword, high in _SIDES.items():
        bits *= whole(found, keyword, low=0, high=high, default=1)
    return (bits + 7) // 8


def _check_elements(dataset: Dataset, end: int, limits: Limits, level: int) -> None:
    """Refuse elements longer than the file and sequences nested too deeply, without reading values."""
    if level > limits.depth:
        raise ImageError("corrupt", f"sequences are nested deeper than {limits.depth}")
    for tag in list(dataset.keys()):
        element: Any = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            _check_length(element, end)
        for item in _sequence_items(dataset, tag, element):
            _check_elements(item, end, limits, level + 1)


def _check_length(element: RawDataElement, end: int) -> None:
    held = len(element.value) if element.value is not None else 0
    if element.length != 0xFFFFFFFF and element.length > held:
        name = keyword_for_tag(element.tag) or str(element.tag)
        if name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
            return  # counted against Rows and Columns, which gives the clearer sentence
        raise ImageError("truncated", f"element {name} is longer than the file: {element.length} bytes of {end}")


def _sequence_items(dataset: Dataset, tag: Any, element: Any) -> Iterable[Dataset]:
    representation = element.VR
    if representation is None:
        representation = dictionary_VR(tag) if dictionary_has_tag(tag) else None
    if representation != "SQ":
        return ()
    try:
        return list(dataset[tag].value or ())
    except VALUE_ERRORS as error:
        raise ImageError("corrupt", f"sequence {keyword_for_tag(tag) or tag} cannot be read") from error


def _class_name(dataset: Dataset) -> str:
    known = UID(str(value(dataset, "SOPClassUID") or "")).name
    modality = text(dataset, "Modality")
    return known if known and not known[0].isdigit() else f"modality {modality or 'unknown'}"


def value(dataset: Dataset, keyword: str) -> Any:
    """The value of an element, or None when it is absent, empty or unreadable for its VR."""
    try:
        found = dataset.get(keyword)
    except VALUE_ERRORS:
        return None
    return None if found in (None, "") else found


def text(dataset: Dataset, keyword: str) -> str | None:
    """A code string in upper case, or None."""
    found = value(dataset, keyword)
    return str(found).strip().upper() or None if isinstance(found, str) else None


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All numbers of an element; empty when it is absent or any of them cannot be read."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    many = found if isinstance(found, (list, tuple, pydicom.multival.MultiValue)) else [found]
    try:
        return tuple(float(one) for one in many)
    except (TypeError, ValueError):
        return ()


def whole(dataset: Dataset, keyword: str, *, low: int, high: int, default: int | None = None) -> int:
    """A whole number within bounds.

    Raises:
        ImageError: absent without a default, not a whole number, or outside `low`..`high`.
    """
    try:
        found = dataset.get(keyword)
        if found is None or found == "":
            if default is None:
                raise ImageError("bad_header", f"{keyword} is missing")
            return default
        number = int(found)
    except ImageError:
        raise
    except VALUE_ERRORS as error:
        raise ImageError("bad_header", f"{keyword} is not a whole number") from error
    if not low <= number <= high:
        raise ImageError("bad_header", f"{keyword} is {number}, allowed are {low} to {high}")
    return number


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty when it is absent or unreadable."""
    found = value(dataset, keyword)
    return list(found) if isinstance(found, (list, pydicom.sequence.Sequence)) else []
