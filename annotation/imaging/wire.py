"""How the parent and its decoding process talk: length-prefixed JSON, then raw bytes. Never pickles.

A message is 4 bytes (big-endian length of the JSON), the JSON object, and the blobs whose lengths stand under
its key "blobs", one after another. The parent trusts none of it: lengths are bounded before they are read.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from annotation.imaging.image import Image

HEAD_BYTES = 16 << 20
HEADER_KEYS = (
    "version", "rows", "cols", "frames", "channels", "bits", "signed", "encoding", "offsets", "units", "slope",
    "intercept", "spacing_mm", "slice_mm", "window", "quantiles", "inverted", "kind",
)  # fmt: skip
TYPES = ("|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8")
_FIELDS = (
    "unit", "bits", "signed", "data_range", "spacing_mm", "slice_mm", "orientation", "window", "suv_scale",
    "kind", "modality", "inverted", "flags",
)  # fmt: skip


class WireError(ValueError):
    """The other side sent something that is not a message."""


def pack(head: dict[str, Any], blobs: list[bytes]) -> list[bytes]:
    """A message as pieces to be written in order."""
    text = json.dumps({**head, "blobs": [len(blob) for blob in blobs]}, allow_nan=True).encode()
    return [struct.pack(">I", len(text)), text, *blobs]


def unpack(read: Callable[[int], bytes], *, largest: int) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message.

    Args:
        read: returns exactly so many bytes.
        largest: bound on the sum of the blobs, in bytes.

    Raises:
        WireError: not a message, or over the bound.
    """
    length = struct.unpack(">I", read(4))[0]
    if length > HEAD_BYTES:
        raise WireError(f"a head of {length} bytes")
    try:
        head = json.loads(read(length))
    except ValueError as error:
        raise WireError("the head is not JSON") from error
    if not isinstance(head, dict):
        raise WireError("the head is not an object")
    sizes = head.pop("blobs", None)
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise WireError("blobs have no lengths")
    if sum(sizes) > largest:
        raise WireError(f"{sum(sizes)} bytes of blobs")
    return head, [read(size) for size in sizes]


def facts_of(image: Image) -> dict[str, Any]:
    """Everything of an image but its pixels, ready for JSON, with size and type of the pixels."""
    kind = image.pixels.dtype.newbyteorder("<").str
    return {"shape": list(image.pixels.shape), "dtype": kind, **{name: getattr(image, name) for name in _FIELDS}}


def image_from(facts: dict[str, Any], pixels: bytes) -> Image:
    """The image again.

    Raises:
        WireError: a fact is missing or does not fit the pixels.
    """
    try:
        if facts["dtype"] not in TYPES:
            raise WireError(f"samples of type {facts['dtype']!r}")
        kind = np.dtype(facts["dtype"])
        shape = tuple(int(side) for side in facts["shape"])
        if min(shape) < 1:
            raise WireError(f"a shape of {shape}")
        array = np.frombuffer(pixels, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)
        values = {name: _hashable(facts[name]) for name in _FIELDS}
        return Image(pixels=array, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("the facts do not describe the pixels") from error


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
