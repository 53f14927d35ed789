"""A client that keeps every byte it received, compressed ones unpacked, to be searched for words."""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any

from django.test import Client


def every_byte(answer: Any) -> bytes:
    """Status line, headers, cookies and body; a compressed body also inflated."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    head = f"{answer.status_code} {dict(answer.headers)} {answer.cookies.output()}".encode()
    return b"\n".join([head, body, *(unpacked(body) if body[:2] == b"PK" else inflated(body))])


def unpacked(body: bytes) -> list[bytes]:
    """Every part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return [archive.read(name) for name in archive.namelist()]


def inflated(body: bytes) -> list[bytes]:
    """Whatever in these bytes is a deflate stream, unpacked: frames are stored compressed one after another."""
    found, at = [], 0
    while (at := body.find(b"\x78", at)) >= 0 and len(found) < 64:
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(body[at:], 1 << 22)
        except zlib.error:
            at += 1
            continue
        if unpacker.eof or len(text) > 64:
            found.append(text)
        at = len(body) - len(unpacker.unused_data) if unpacker.eof else at + 1
    return found


@dataclass
class Witness:
    """A signed-in client that keeps all it received."""

    client: Client
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def get(self, url: str, **headers: str) -> Any:
        return self._keep(f"GET {url}", self.client.get(url, headers=headers))

    def post(self, url: str, body: Any) -> Any:
        text = body if isinstance(body, str) else json.dumps(body)
        return self._keep(f"POST {url}", self.client.post(url, text, content_type="application/json"))

    def send(self, url: str, **form: str) -> Any:
        return self._keep(f"POST {url}", self.client.post(url, form))

    def _keep(self, what: str, answer: Any) -> Any:
        self.statuses.add(answer.status_code)
        assert answer.status_code < 500, what
        if answer.streaming:
            answer.streaming_content = [b"".join(answer.streaming_content)]
            content = answer.getvalue()
            answer.streaming_content = [content]
        self.seen.append((what, every_byte(answer)))
        return answer

    def betrayals(self, words: set[str]) -> list[str]:
        """Answers that hold a forbidden word which was not in the address that the client itself typed."""
        found = []
        for what, content in self.seen:
            lowered = content.lower()
            found += [
                f"{word!r} in the answer to {what}"
                for word in words
                if word.encode() in lowered and word not in what.lower()
            ]
        return found
