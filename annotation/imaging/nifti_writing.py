"""A NIfTI-1 file from voxels and geometry; every other field is 0."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.imaging.nifti import NiftiHeader

_HEADER = 348
_OFFSET = 352


def nifti_bytes(header: NiftiHeader, samples: npt.NDArray[Any]) -> bytes:
    """A little-endian NIfTI-1 file.

    Args:
        header: of the original; only dimensions, type, zooms, scaling, display range, spatial units and the
            two transforms are read. The fourth and later zooms are times and are not kept.
        samples: stored values in file order.

    Returns:
        348 bytes of header, 4 bytes that say "no extension", and the voxels.
    """
    kind = samples.dtype.newbyteorder("<")
    out = bytearray(_OFFSET)
    dim = [min(header.dim[0], 4), *header.dim[1:5], 1, 1, 1]
    dim[dim[0] + 1 :] = [1] * (7 - dim[0])
    pixdim = [-1.0 if header.pixdim[0] < 0 else 1.0, *header.pixdim[1:4], 0.0, 0.0, 0.0, 0.0]
    slope, intercept = (header.slope, header.intercept) if math.isfinite(header.slope) else (0.0, 0.0)
    struct.pack_into("<i", out, 0, _HEADER)
    struct.pack_into("<8h", out, 40, *dim)
    struct.pack_into("<2h", out, 70, header.datatype, samples.dtype.itemsize * 8)
    struct.pack_into("<8f", out, 76, *pixdim)
    struct.pack_into("<3f", out, 108, _OFFSET, slope, intercept if math.isfinite(intercept) else 0.0)
    out[123] = header.units & 7
    if all(math.isfinite(one) for one in header.cal):
        struct.pack_into("<2f", out, 124, header.cal[1], header.cal[0])
    struct.pack_into("<2h", out, 252, _code(header.qform), _code(header.sform))
    struct.pack_into("<6f", out, 256, *(header.quaternion if header.qform > 0 else (0.0,) * 6))
    struct.pack_into("<12f", out, 280, *(header.srow if header.sform > 0 else (0.0,) * 12))
    out[344:348] = b"n+1\0"
    return bytes(out) + np.ascontiguousarray(samples, dtype=kind).tobytes()


def _code(code: int) -> int:
    """Transform codes 1 to 4 of nifti1.h; any other positive number says no more than "scanner" (1)."""
    return code if 0 <= code <= 4 else int(code > 0)
