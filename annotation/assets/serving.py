"""Answers that carry pixels: the frames header, the frames with HTTP ranges, the thumbnail.

Permission is the caller's; the address and the ETag say nothing about the file. `etag_scope` is the opaque
thing the address belongs to (a reading, an item page), so that one picture under two addresses shares no tag.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from annotation.assets.models import Asset
from annotation.assets.storage import CHANGED, damage_of, frames_path, thumbnail_path

R = TypeVar("R", bound=HttpResponseBase)

BLOCK_BYTES = 1 << 20
DATA_TYPE = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def entity_tag(asset: Asset, *, part: str, etag_scope: str) -> str:
    """A validator that changes with the bytes and the scope, and equals no checksum anybody can compute."""
    value = f"{etag_scope}\0{asset.sha256}\0{part}"
    return f'"{salted_hmac("annotation.assets.etag", value, algorithm="sha256").hexdigest()[:32]}"'


def frames_header_response(asset: Asset, *, data_url: str, etag_scope: str) -> HttpResponse:
    """What the viewer needs before the frames: size, window, spacing, units, offsets, and where the frames are."""
    response = JsonResponse(asset.frames_header | {"data": data_url})
    response["ETag"] = entity_tag(asset, part="header", etag_scope=etag_scope)
    response["Cache-Control"] = "private, no-cache"
    return response


def frames_data_response(request: HttpRequest, asset: Asset, *, etag_scope: str) -> HttpResponseBase:
    """The frames, whole or one range of them; 304 when the client has them, 416 for a range outside."""
    tag = entity_tag(asset, part="frames", etag_scope=etag_scope)
    if damage_of(asset) == CHANGED:
        return _damaged()
    if _has_tag(request.headers.get("If-None-Match", ""), tag):
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = _file_response(request, frames_path(asset), tag, length=_declared_length(asset))
    return _with_validators(response, tag)


def thumbnail_response(asset: Asset, *, etag_scope: str) -> HttpResponse:
    tag = entity_tag(asset, part="thumbnail", etag_scope=etag_scope)
    try:
        response = HttpResponse(thumbnail_path(asset).read_bytes(), content_type="image/png")
    except FileNotFoundError:
        return _missing()
    response["Content-Disposition"] = "inline"
    return _with_validators(response, tag)


def _with_validators(response: R, tag: str) -> R:
    if response.status_code in {200, 206, 304}:
        response["ETag"] = tag
        response["Cache-Control"] = "private, max-age=600"
        response["Accept-Ranges"] = "bytes"
    return response


def _declared_length(asset: Asset) -> int | None:
    """The bytes that the frames header promises; None when it names no offsets."""
    offsets = asset.frames_header.get("offsets")
    return int(offsets[-1]) if offsets else None


def _missing() -> HttpResponse:
    return HttpResponse("The bytes of this image are missing from the store.", status=404, content_type="text/plain")


def _damaged() -> HttpResponse:
    """410: the pixels that were stored are gone, and what lies there instead is not shown."""
    return HttpResponse("This image failed its checksum and is not shown.", status=410, content_type="text/plain")


def _file_response(request: HttpRequest, path: Path, tag: str, *, length: int | None) -> HttpResponseBase:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return _missing()
    size = path.stat().st_size
    if length is not None and size != length:
        file.close()
        return _missing()
    asked = request.headers.get("Range", "") if request.headers.get("If-Range", tag) == tag else ""
    span = _span(asked, size)
    if span is None:
        return _streamed(file, 0, size)
    start, end = span
    if start >= end:
        file.close()
        refused = HttpResponse(status=416, content_type="text/plain")
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    response = _streamed(file, start, end - start, status=206)
    response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def _streamed(file: BinaryIO, start: int, length: int, *, status: int = 200) -> StreamingHttpResponse:
    blocks = _blocks(file, start, length)
    response = StreamingHttpResponse(blocks, status=status, content_type=DATA_TYPE)
    response["Content-Length"] = str(length)
    return response


def _span(header: str, size: int) -> tuple[int, int] | None:
    """First byte asked for and the byte after the last one; None for the whole file.

    No header, several ranges or an unknown unit mean the whole file, as RFC 9110 section 14.2 allows.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


def _blocks(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0:
            block = file.read(min(BLOCK_BYTES, length))
            if not block:
                return
            length -= len(block)
            yield block


def _has_tag(header: str, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tag in tags or header.strip() == "*"
