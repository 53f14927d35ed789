"""JSON lines, strictly: every line becomes an object or a problem that names what is wrong with it.

UTF-8 only; a byte order mark is tolerated at the start of the file; blank lines are skipped. Refused by name: a line
longer than 1 MiB, bytes that are not UTF-8, a line that is not one JSON object, the same key twice, NaN and
infinities (also as 1e999), integers of more than 1,000 digits, nesting deeper than 64, lone surrogates and NUL.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Never

from annotation.formats.problems import FormatError, MissingFileError, Problem, shown

MAX_LINE_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_DIGITS = 1000
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds a JSON object; number counts from 1."""

    number: int
    data: JsonObject


class LineError(ValueError):
    """A rule that one line breaks."""

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(rule)
        self.field, self.value, self.rule = field, value, rule

    def problem(self, file: str, line: int | None) -> Problem:
        return Problem(file, line, self.field, shown(self.value), self.rule)


def read_lines(path: Path, name: str) -> Iterator[Line | Problem]:
    """Yield an object or a problem for every line that is not blank, in order, with flat memory.

    Args:
        path: the file.
        name: what problems call the file.

    Raises:
        MissingFileError: there is no such file.
        FormatError: the file cannot be opened, or is UTF-16 or UTF-32.
    """
    with open_file(path, name) as stream:
        start = 0
        number = 0
        while raw := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            length = len(raw)
            if length > MAX_LINE_BYTES and not (length == MAX_LINE_BYTES + 1 and raw.endswith(b"\n")):
                length += _skip_rest(stream)
                yield Problem(name, number, "line", f"{length:,} bytes", f"line {number} is longer than 1 MiB")
            else:
                outcome = _parsed(raw, name, number, start)
                if outcome is not None:
                    yield outcome
            start += length


def open_file(path: Path, name: str) -> BinaryIO:
    """Open a regular file for reading, or say plainly why not."""
    try:
        if not path.is_file():
            if path.exists():
                raise FormatError(f"{name}: not a regular file")
            raise MissingFileError(f"{name}: there is no such file")
        stream = path.open("rb")
        head = stream.read(4)
        stream.seek(0)
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(f"{name}: cannot be read ({error.strerror or type(error).__name__})") from error
    for mark, encoding in _OTHER_ENCODINGS.items():
        if head.startswith(mark):
            stream.close()
            raise FormatError(f"{name}: is {encoding}; only UTF-8 can be read")
    return stream


def strict_json(text: str) -> object:
    """Parse one JSON text by the rules of this module.

    Raises:
        LineError: the text breaks one of them.
    """
    try:
        value: object = _DECODER.decode(text)
    except LineError:
        raise
    except RecursionError as error:
        raise LineError("line", text[:40], f"nested deeper than {MAX_DEPTH}") from error
    except json.JSONDecodeError as error:
        where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        part = text[max(0, error.pos - 20) : error.pos + 20]
        raise LineError("line", part, f"not valid JSON: {error.msg.removesuffix(' at')} at {where}") from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise LineError("line", text[:40], f"nested deeper than {MAX_DEPTH}")
    if "\\u" in text:
        check_texts(value)
    return value


def check_texts(value: object, field: str = "line") -> None:
    """Refuse text that no database stores alike: NUL and lone surrogates, in keys and values.

    Raises:
        LineError: with the name of the outermost field.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise LineError(field, value, "must not hold NUL (U+0000)")
        if not value.isascii():
            _check_surrogates(value, field)
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_texts(key, field)
            check_texts(inner, key if field == "line" else field)
    elif isinstance(value, list):
        for inner in value:
            check_texts(inner, field)


def _check_surrogates(value: str, field: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        raise LineError(field, value, f"must not hold a lone surrogate (U+{code:04X})") from error


def _parsed(raw: bytes, name: str, number: int, start: int) -> Line | Problem | None:
    if number == 1 and raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
        start += len(_BOM)
    try:
        text = raw.decode("utf-8").strip(" \t\r\n")
        if not text:
            return None
        data = strict_json(text)
    except UnicodeDecodeError as error:
        rule = f"not UTF-8: byte 0x{raw[error.start]:02X} at byte {start + error.start} of the file"
        return Problem(name, number, "line", shown(raw[: error.start][-20:].decode("utf-8", "replace")), rule)
    except LineError as error:
        return error.problem(name, number)
    if not isinstance(data, dict):
        return Problem(name, number, "line", shown(text), "must be one JSON object")
    return Line(number, data)


def _skip_rest(stream: BinaryIO) -> int:
    """Read to the end of an overlong line in pieces; return how many bytes that was."""
    skipped = 0
    while piece := stream.readline(MAX_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _depth(value: object) -> int:
    """Levels of lists and objects, counted without recursion."""
    level, layer = 0, [value]
    while layer := [inner for inner in layer if isinstance(inner, list | dict)]:
        level += 1
        layer = [child for inner in layer for child in (inner.values() if isinstance(inner, dict) else inner)]
    return level


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise LineError(twice, twice, "the same key stands twice in one object")
    return made


def _constant(text: str) -> Never:
    raise LineError("line", text, "numbers must be finite (no NaN, no Infinity)")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LineError("line", text, "numbers must be finite")
    return number


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise LineError("line", f"{text[:20]}…", f"integer of {len(text):,} digits; at most {MAX_DIGITS:,} are read")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int, strict=True
)
