"""The decoding process: reads one request after another from standard input, answers on standard output.

It opens only the file it is told to, writes no file, and holds itself to the limits of each request. When it
dies the parent starts another.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from annotation.imaging.deidentify import clean_source
from annotation.imaging.fingerprint import sha256_pixels
from annotation.imaging.frames import STORED_LEVEL, encode_frames, thumbnail
from annotation.imaging.image import Image, ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.reading import read_image, read_source
from annotation.imaging.wire import facts_of, pack, unpack

_REQUEST_BYTES = 1 << 20

Answer = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    """Serve until standard input closes."""
    source = sys.stdin.buffer
    sink = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_CORE, 0)
    _send(sink, ({"ready": True}, []))
    while True:
        try:
            request, _ = unpack(lambda count: _exactly(source, count), largest=_REQUEST_BYTES)
        except EOFError:
            return
        _send(sink, _answer(request))


def _send(sink: BinaryIO, answer: Answer) -> None:
    for piece in pack(*answer):
        sink.write(piece)
    sink.flush()


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _answer(request: dict[str, Any]) -> Answer:
    limits = Limits(**{field.name: request["limits"][field.name] for field in fields(Limits)})
    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    _bound(resource.RLIMIT_AS, limits.memory_bytes)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _bound(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + request["seconds"]) + 2)
    try:
        if request["act"] == "read":
            return _read(path, limits, request["alpha"])
        return _prepare(path, limits, request["alpha"], bytes.fromhex(request["key"]))
    except ImageError as error:
        return {"reason": error.reason, "message": error.message}, []
    except MemoryError:
        return {"reason": "too_large", "message": "decoding needs more memory than allowed"}, []
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, OSError, struct.error) as error:
        return {"reason": "corrupt", "message": f"cannot be prepared ({type(error).__name__})"}, []


def _bound(which: int, value: int) -> None:
    """Lower a soft limit; systems that cannot (RLIMIT_AS on macOS) go on without it."""
    try:
        hard = resource.getrlimit(which)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (soft, hard))
    except (OSError, ValueError):
        return


def _read(path: Path, limits: Limits, alpha: str) -> Answer:
    image = read_image(path, limits=limits, alpha=alpha)
    kind = image.pixels.dtype.newbyteorder("<")
    return {"facts": facts_of(image)}, [image.pixels.astype(kind, copy=False).tobytes()]


def _prepare(path: Path, limits: Limits, alpha: str, key: bytes) -> Answer:
    cleaned = clean_source(read_source(path, limits=limits, alpha=alpha), key=key)
    image = cleaned.image
    pictures = _stored_pictures(cleaned.media_type, cleaned.data, image)
    frames = encode_frames(image, level=STORED_LEVEL, pictures=pictures)
    facts = facts_of(image)
    facts["flags"] = sorted({*image.flags, *frames.flags})
    head = {
        "facts": facts,
        "media_type": cleaned.media_type,
        "suffix": cleaned.suffix,
        "frames_header": frames.header,
        "removed": cleaned.removed,
        "case_key": cleaned.case_key,
        "series_key": cleaned.series_key,
        "burned_in": cleaned.burned_in,
        "risk": cleaned.risk,
        "pixel_digest": sha256_pixels(image),
    }
    return head, [cleaned.data, frames.data, thumbnail(image)]


def _stored_pictures(media_type: str, data: bytes, image: Image) -> list[bytes] | None:
    """A stored 8-bit color PNG is byte for byte what the viewer gets; it need not be made twice."""
    return [data] if media_type == "image/png" and image.channels == 3 and image.bits == 8 else None
