"""Checksums: of stored bytes, of pixels, and of what must not be readable any more."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.imaging.image import Image

_BAND_ROWS = 256  # hashed at once, so that a large picture needs little memory besides its own


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data` as 64 hexadecimal digits; the address of a stored asset."""
    return hashlib.sha256(data).hexdigest()


def sha256_pixels(image: Image) -> str:
    """SHA-256 of the sample values, whatever file or integer width carried them.

    Args:
        image: any image. Integer samples are hashed as little-endian 32-bit integers (64-bit where a value
            needs it), others as 64-bit floats, after the shape; spacing, window and unit do not count.

    Returns:
        64 hexadecimal digits, equal for equal values in equal places.
    """
    integral = image.pixels.dtype.kind in "iub"
    digest = hashlib.sha256(repr((image.pixels.shape, "integer" if integral else "float")).encode())
    kind = "<f8"
    if integral:
        kind = "<i4" if _fits_32_bits(image.pixels) else "<i8"
    for frame in image.pixels:
        for top in range(0, len(frame), _BAND_ROWS):
            digest.update(np.ascontiguousarray(frame[top : top + _BAND_ROWS], dtype=kind).tobytes())
    return digest.hexdigest()


def _fits_32_bits(pixels: npt.NDArray[Any]) -> bool:
    if pixels.dtype.itemsize < 4:
        return True
    return int(pixels.min()) >= -(2**31) and int(pixels.max()) < 2**31


def keyed_hash(value: str, *, key: bytes, purpose: str) -> str:
    """HMAC-SHA-256 of an identifier, so that equal ones meet without being readable.

    Args:
        value: the identifier.
        key: secret of this installation; with an empty key anyone could try all identifiers, so it is refused.
        purpose: keeps hashes of one identifier for two uses apart.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: the key is empty.
    """
    if not key:
        raise ValueError("the key of a keyed hash is empty")
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()
