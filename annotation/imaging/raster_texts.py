"""Names of everything in a raster file that is not pixels. Names only: their content is never returned."""

from __future__ import annotations

import struct

import PIL.Image
import PIL.TiffTags

_INFO = {
    "exif": "Exif",
    "icc_profile": "ICCProfile",
    "xmp": "XMP",
    "comment": "Comment",
    "photoshop": "Photoshop",
    "dpi": "Resolution",
    "mp": "MultiPicture",
}
_PNG_CHUNKS = {
    b"tEXt": "Text",
    b"zTXt": "Text",
    b"iTXt": "Text",
    b"eXIf": "Exif",
    b"iCCP": "ICCProfile",
    b"pHYs": "Resolution",
    b"tIME": "Time",
}
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"bKGD"}
_TIFF_PIXELS = {
    254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339,
    347, 530, 531, 532,
}  # fmt: skip
_TRAILING = "TrailingBytes"


def texts_of(picture: PIL.Image.Image, data: bytes) -> tuple[str, ...]:
    """What a rebuilt file will not carry over.

    Args:
        picture: the opened picture.
        data: the whole file.

    Returns:
        Sorted names out of a fixed vocabulary and the TIFF standard's tag names; 'OtherChunk' for the rest.
    """
    names = {name for key, name in _INFO.items() if key in picture.info}
    if len(picture.getexif()):
        names.add("Exif")
    if picture.format == "PNG":
        names |= _png(data)
    elif picture.format == "TIFF":
        names |= _tiff(picture)
    elif _runs_on(picture.format, data):
        names.add(_TRAILING)
    return tuple(sorted(names))


def _runs_on(kind: str | None, data: bytes) -> bool:
    if kind == "WEBP":
        return len(data) > 8 + int(struct.unpack_from("<I", data, 4)[0]) + 1
    return not data.rstrip(b"\0").endswith(b"\xff\xd9")


def _png(data: bytes) -> set[str]:
    names, at = set(), 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind not in _PNG_PIXELS:
            names.add(_PNG_CHUNKS.get(kind, "OtherChunk"))
        at += 12 + length
        if kind == b"IEND":
            break
    return names | {_TRAILING} if at < len(data) else names


def _tiff(picture: PIL.Image.Image) -> set[str]:
    names = set()
    for tag in picture.tag_v2:  # type: ignore[attr-defined]
        if tag not in _TIFF_PIXELS:
            name = PIL.TiffTags.lookup(tag).name
            names.add(name if name and name != "unknown" else "OtherChunk")
    return names
