"""Frame headers of compressed pictures, read before a decoder sees them.

A codestream that states other dimensions than the file around it is a bomb or a mix-up, and corrupted JPEG-LS
keeps its decoders busy for seconds; both are found from a few bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

_START_OF_FRAME = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_SEQUENTIAL = {0xC0, 0xC1}
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What a codestream says about itself: size in pixels, bits per sample, components.

    `conforming` is False when the first scan contradicts the process that the frame header names.
    """

    rows: int
    columns: int
    precision: int
    components: int
    conforming: bool = True


def frame_header(stream: bytes) -> FrameHeader | None:
    """Header of a JPEG, lossless JPEG, JPEG-LS or JPEG 2000 codestream.

    Args:
        stream: the codestream of one frame; a JP2 file wrapper is looked through.

    Returns:
        The header, or None when none is found (the decoder then decides).

    References:
        ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1.
    """
    if stream[:2] == b"\xff\xd8":
        return _jpeg(stream)
    start = 0 if stream[:4] == b"\xff\x4f\xff\x51" else stream.find(b"\xff\x4f\xff\x51", 0, 4096)
    return _jpeg2000(stream, start) if start >= 0 else None


def _jpeg(stream: bytes) -> FrameHeader | None:
    header, sequential, at = None, False, 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        if marker in (_END_OF_IMAGE, _START_OF_SCAN):
            break
        if marker in _START_OF_FRAME and at + 10 <= len(stream):
            precision, rows, columns, components = struct.unpack_from(">BHHB", stream, at + 4)
            header = FrameHeader(rows, columns, precision, components)
            sequential = marker in _SEQUENTIAL
        at += 2 + int(struct.unpack_from(">H", stream, at + 2)[0])
    if header is not None and sequential and not _whole_block_scan(stream, at):
        return replace(header, conforming=False)
    return header


def _whole_block_scan(stream: bytes, at: int) -> bool:
    """Whether a sequential scan covers coefficients 0 to 63, as T.81 table B.3 demands."""
    if at + 5 > len(stream) or stream[at + 1] != _START_OF_SCAN:
        return True
    ends = at + 5 + 2 * stream[at + 4]
    return stream[ends : ends + 2] == b"\x00\x3f"


def _jpeg2000(stream: bytes, start: int) -> FrameHeader | None:
    if start + 43 > len(stream):
        return None
    width, height, left, top = struct.unpack_from(">IIII", stream, start + 8)
    components, depth = struct.unpack_from(">HB", stream, start + 40)
    return FrameHeader(height - top, width - left, (depth & 0x7F) + 1, components)
