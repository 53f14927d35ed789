"""The decoding process: pictures of every format, read or prepared for the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotation.imaging.child_loop import Answer, serve
from annotation.imaging.deidentify import clean_source
from annotation.imaging.fingerprint import sha256_pixels
from annotation.imaging.frames import STORED_LEVEL, encode_frames, thumbnail
from annotation.imaging.image import Image
from annotation.imaging.limits import Limits
from annotation.imaging.masking import Rectangle, masked_source
from annotation.imaging.reading import read_image, read_source
from annotation.imaging.wire import facts_of


def main() -> None:
    """Serve until standard input closes."""
    serve(_answers)


def _answers(request: dict[str, Any], path: Path, limits: Limits) -> Iterable[Answer]:
    if request["act"] == "read":
        yield _read(path, limits, request["alpha"])
    else:
        masks = [tuple(one) for one in request.get("masks", [])]
        yield _prepare(path, limits, request["alpha"], bytes.fromhex(request["key"]), masks)


def _read(path: Path, limits: Limits, alpha: str) -> Answer:
    image = read_image(path, limits=limits, alpha=alpha)
    kind = image.pixels.dtype.newbyteorder("<")
    return {"facts": facts_of(image)}, [image.pixels.astype(kind, copy=False).tobytes()]


def _prepare(path: Path, limits: Limits, alpha: str, key: bytes, masks: list[Rectangle]) -> Answer:
    source = read_source(path, limits=limits, alpha=alpha)
    if masks:
        source = masked_source(source, masks)
    cleaned = clean_source(source, key=key, masked=bool(masks))
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
        "text_risk": cleaned.text_risk,
        "pixel_digest": sha256_pixels(image),
    }
    return head, [cleaned.data, frames.data, thumbnail(image)]


def _stored_pictures(media_type: str, data: bytes, image: Image) -> list[bytes] | None:
    """A stored 8-bit color PNG is byte for byte what the viewer gets; it need not be made twice."""
    return [data] if media_type == "image/png" and image.channels == 3 and image.bits == 8 else None
