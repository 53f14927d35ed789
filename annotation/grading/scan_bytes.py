"""Searching an answer for words that would tell a system: every header, text and byte, packed or not."""

import html
import io
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL.Image

from annotation.formats.problems import visible
from annotation.imaging.frames import COLOR_ENCODING
from annotation.systems.naming import find_names

AROUND = 40
SHORTEST_IN_BYTES = 6
ENCODINGS = ("utf-8", "utf-16-le")


@dataclass(frozen=True)
class Needles:
    """What is searched for: names (as whole words, however written) and keys and checksums (as they are).

    In pixels and packed bytes a word of fewer than six letters would be met by chance, so it is searched for in
    texts and headers only.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    in_bytes: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, *, names: Iterable[str], public: Iterable[str], keys: Iterable[str]) -> "Needles":
        """`public` names, of model families, are not searched for in bytes."""
        own, keys = sorted(set(filter(None, names))), sorted({key.lower() for key in keys if key})
        packed = [
            (word, word.lower().encode(encoding))
            for word in [*own, *keys]
            if len(word) >= SHORTEST_IN_BYTES
            for encoding in ENCODINGS
        ]
        return cls(tuple(sorted({*own, *public})), tuple(keys), tuple(packed))

    def in_text(self, text: str) -> Iterator[tuple[str, str]]:
        """Every word found, with what stands around it."""
        for found in find_names(text, self.names):
            yield found.written, text[max(0, found.start - AROUND) : found.end + AROUND]
        lowered = text.lower()
        for key in self.keys:
            if (at := lowered.find(key)) >= 0:
                yield key, lowered[max(0, at - AROUND) : at + len(key) + AROUND]

    def in_data(self, data: bytes) -> Iterator[tuple[str, str]]:
        lowered = data.lower()
        for word, packed in self.in_bytes:
            if (at := lowered.find(packed)) >= 0:
                yield word, lowered[max(0, at - AROUND) : at + len(packed) + AROUND].decode("utf-8", "replace")


@dataclass
class Tally:
    """What was searched and what was found, kept as JSON with a chunk of the scan."""

    answers: int = 0
    received: int = 0
    unpacked: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    hits: list[dict[str, Any]] = field(default_factory=list)

    def hit(self, where: str, found: Iterable[tuple[str, str]], **at: Any) -> None:
        for word, around in found:
            said = visible(" ".join(around.split()))[:200]
            self.hits.append({"word": visible(word)[:100], "where": where, "around": said, **at})


def search_answer(
    needles: Needles,
    tally: Tally,
    what: str,
    *,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    **at: Any,
) -> Any:
    """Search one answer; returns what its JSON says, None when it is none."""
    head = [f"{name}: {value}" for name, value in headers]
    tally.answers += 1
    tally.received += len(body) + sum(len(line) + 2 for line in head)
    tally.statuses[str(status)] = tally.statuses.get(str(status), 0) + 1
    for line in head:
        tally.hit(f"{what}, header {line.partition(':')[0]}", needles.in_text(line), **at)
    kind = next((line for line in head if line.lower().startswith("content-type:")), "")
    if "json" in kind:
        said = json.loads(body)
        for path, text in _strings(said):
            tally.hit(f"{what}, {path}", needles.in_text(text), **at)
        tally.hit(what, needles.in_data(body), **at)
        return said
    if "html" in kind or "text" in kind:
        tally.hit(what, needles.in_text(html.unescape(body.decode("utf-8", "replace"))), **at)
    tally.hit(f"{what}, bytes", needles.in_data(body), **at)
    return None


def search_frames(
    needles: Needles, tally: Tally, what: str, *, header: dict[str, Any], body: bytes, **at: Any
) -> None:
    """Search what the frames unpack to: the inflated stream, and the samples themselves."""
    offsets = header.get("offsets") or [0, len(body)]
    for number, (start, end) in enumerate(itertools.pairwise(offsets), start=1):
        for stage, data in _unpacked(header, body[start:end]):
            tally.unpacked += len(data)
            tally.hit(f"{what}, frame {number}, {stage}", needles.in_data(data), **at)


def _unpacked(header: dict[str, Any], packed: bytes) -> Iterator[tuple[str, bytes]]:
    if header.get("encoding") == COLOR_ENCODING:
        try:
            with PIL.Image.open(io.BytesIO(packed)) as picture:
                yield "its metadata", repr(sorted(picture.info.items(), key=repr)).encode()
                yield "its pixels", picture.tobytes()
        except (OSError, ValueError, SyntaxError):
            yield "as it is", packed
        return
    try:
        inflated = zlib.decompress(packed)
    except zlib.error:
        yield "as it is", packed
        return
    yield "inflated", inflated
    rows, columns = header.get("rows"), header.get("cols")
    if not isinstance(rows, int) or not isinstance(columns, int) or len(inflated) != 2 * rows * columns:
        return
    low, high = np.frombuffer(inflated, dtype=np.uint8).reshape(2, rows, columns).astype(np.uint16)
    samples = np.cumsum(low | (high << 8), axis=1, dtype=np.uint16)
    yield "its samples", samples.astype("<u2").tobytes()
    yield "its samples' low bytes", (samples & 255).astype(np.uint8).tobytes()


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON value, keys too, with the place where it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield f"{path}.{key} (name)".lstrip("."), str(key)
            yield from _strings(each, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _strings(each, f"{path}[{number}]")
    elif isinstance(value, str):
        yield path, value
