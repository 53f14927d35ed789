"""Damage to files and to JSON, drawn from a seed: the same seed and number give the same bytes."""

import copy
import json
import random
import struct
from typing import Any

INTERESTING = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    127,
    128,
    255,
    256,
    4096,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
TOKENS = (
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"NaN", b"-1", b"1e999", b"%s%n", b"../../", b"\xff\xfe",
    b"\xef\xbb\xbf", b"\0", b"\\ud800", b'"', b"{", b"[" * 40, b"<script>", b"PK\x03\x04", b"DICM",
    b"\xfe\xff\x00\xe0",
)  # fmt: skip
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, -(2**63), 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf"), "", " ",
    "\0",
    "a\ud800b", "x" * 300, "x" * 70_000, "../../etc/passwd", "http://169.254.169.254/", "<script>alert(1)</script>",
    "=cmd|'/c calc'!A0", "NaN", "\u202eexe", [], {}, [[]], [None], {"": None}, {"a": {"b": {"c": [1, 2]}}},
    ["x"] * 300, {str(n): n for n in range(300)}, "na", "A", "B", "none", "severe", [{"code": "omitted"}],
)  # fmt: skip


def draw_of(seed: int | str, number: int) -> random.Random:
    return random.Random(f"{seed}/{number}")


def mutated(data: bytes, other: bytes, draw: random.Random) -> bytes:
    """One to eight changes: bits, bytes, numbers, blocks, tokens, a cut, a splice with another file."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        if not changed:
            break
        draw.choice(CHANGES)(changed, other, draw)
    return bytes(changed)


def _bit(data: bytearray, other: bytes, draw: random.Random) -> None:
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _byte(data: bytearray, other: bytes, draw: random.Random) -> None:
    data[draw.randrange(len(data))] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))


def _number(data: bytearray, other: bytes, draw: random.Random) -> None:
    form = draw.choice(("<H", ">H", "<I", ">I", "<Q"))
    size = struct.calcsize(form)
    at = draw.randrange(len(data))
    data[at : at + size] = struct.pack(form, draw.choice(INTERESTING) % (1 << 8 * size))


def _head(data: bytearray, other: bytes, draw: random.Random) -> None:
    """A number among the first 400 bytes, where headers are."""
    at = draw.randrange(min(len(data), 400))
    value = draw.choice(INTERESTING)
    data[at : at + 4] = struct.pack(draw.choice(("<I", ">I")), value % 2**32)


def _remove(data: bytearray, other: bytes, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    del data[at : at + draw.choice((1, 2, 4, 16, 200))]


def _repeat(data: bytearray, other: bytes, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    data[at:at] = data[at : at + draw.choice((1, 4, 32, 300))] * draw.choice((1, 2, 20))


def _token(data: bytearray, other: bytes, draw: random.Random) -> None:
    at, token = draw.randrange(len(data)), draw.choice(TOKENS)
    end = at + len(token) if draw.random() < 0.5 else at
    data[at:end] = token


def _cut(data: bytearray, other: bytes, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def _splice(data: bytearray, other: bytes, draw: random.Random) -> None:
    if other:
        at = draw.randrange(len(data))
        data[at:] = other[draw.randrange(len(other)) :]


CHANGES = (_bit, _bit, _byte, _byte, _number, _number, _head, _head, _remove, _repeat, _token, _cut, _splice)


def mutated_value(value: Any, draw: random.Random) -> Any:
    """The same JSON with one to four places replaced, removed, doubled or moved."""
    changed = json.loads(json.dumps(value))
    for _ in range(draw.choice((1, 1, 2, 4))):
        changed = _changed(changed, draw)
    return changed


def _changed(value: Any, draw: random.Random) -> Any:
    if draw.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return copy.deepcopy(draw.choice(HOSTILE))
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = draw.choice(keys)
    act = draw.random()
    if act < 0.1:
        del value[key]
    elif act < 0.2 and isinstance(value, dict):
        value[draw.choice(("", "id", "user", "a" * 200, "\0", "__class__", "version"))] = copy.deepcopy(
            draw.choice(HOSTILE)
        )
    else:
        value[key] = _changed(value[key], draw)
    return value


def mutated_json(value: Any, draw: random.Random) -> bytes:
    """JSON text of a changed value, now and then damaged as text too."""
    text = json.dumps(mutated_value(value, draw)).encode("utf-8", "surrogatepass")
    return mutated(text, b"", draw) if draw.random() < 0.3 else text
