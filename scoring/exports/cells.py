"""Cells of a sheet, one door for every value: what is typed into them stays what it was, or the change is noted.

Text is always text: a formula that somebody typed is never live, because it is written as a string with the quote
prefix. What a sheet cannot hold is written visibly and noted: control characters as their pictures, halves of
surrogate pairs and the two forbidden code points as U+FFFD, texts beyond the limit of a cell cut with a marker and
kept whole elsewhere, NaN, infinities and integers beyond 2^53 as text. Pure: no database, no settings, no clock.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from math import isfinite, isnan
from typing import Any

CELL_LIMIT = 32_767
"""Characters (UTF-16 code units) that a cell holds."""
EXACT_INTEGERS = 2**53
HOSTILE_STARTS = ("=", "+", "-", "@", "\t", "\r")
PLACES_KEPT = 500
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  sheets know no time zone; the columns say UTC
WITHHELD = "[name withheld]"

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOMENT = 9
_MARKUP = re.compile("[&<>\r]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class Style(IntEnum):
    """Looks of a cell; the numbers are places in the style sheet of `parts.py`. Rows pass them as plain integers."""

    PLAIN = 0
    QUOTED = 1
    WRAPPED = 2
    WRAPPED_QUOTED = 3
    HEADER = 4
    TITLE = 5
    BANNER = 6
    INTEGER = 7
    NUMBER = 8
    MOMENT = 9
    INPUT = 10
    LIVE = 11
    DIFFERENCE = 12


@dataclass(frozen=True)
class Formula:
    """A formula of our own making, without the equals sign, and its value when the file was written."""

    text: str
    value: float | str | None = None


@dataclass(frozen=True)
class Styled:
    """A value with a look of its own."""

    value: Any
    style: Style


@dataclass
class Notes:
    """What writing had to change, by kind, with the places; and what to withhold.

    Attributes:
        withheld: names that a blinded file must not hold; applied to texts of people and files.
        keep: takes texts that are too long for a cell: (key, sheet, cell, whole text).
        sheet: title of the sheet being written.
        counts: kind of change → how often.
        places: (kind, sheet, cell) of the first changes.
        shared: texts that look like escapes of the format; they go into the shared strings.
    """

    withheld: re.Pattern[str] | None = None
    keep: Callable[[str, str, str, str], None] = lambda key, sheet, cell, text: None
    sheet: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)

    def add(self, kind: str, cell: str, times: int = 1) -> None:
        self.counts[kind] += times
        if len(self.places) < PLACES_KEPT:
            self.places.append((kind, self.sheet, cell))


REPLACED = "characters replaced"
CUT = "texts cut"
NOT_FINITE = "numbers that are not finite, written as text"
LONG_INTEGER = "integers beyond 2^53, written as text"
NAMES = "names withheld"
KINDS = (REPLACED, CUT, NOT_FINITE, LONG_INTEGER, NAMES)


def safe_cell(value: Any, cell: str, notes: Notes, style: int = Style.PLAIN, *, free: bool = False) -> str:
    """The XML of one cell, empty when there is no value.

    Args:
        value: None, text, a number, a truth value, a moment (no time zone, or UTC), a `Formula` or a `Styled`.
        cell: its place, such as `B7`.
        notes: where changes are noted.
        style: its look.
        free: text written by a person or taken from a file, in which names are withheld.

    Raises:
        TypeError: a value of another type.
    """
    kind = type(value)
    if value is None or (kind is str and not value):
        return ""
    if kind is str:
        return _text(value, cell, notes, style, free)
    if kind is bool:
        return f'<c r="{cell}" s="{style}" t="b"><v>{int(value)}</v></c>'
    if kind is int:
        return _integer(value, cell, notes, style)
    if isinstance(value, float):
        return _float(value, cell, notes, style)
    if kind is datetime:
        return f'<c r="{cell}" s="{_MOMENT}"><v>{serial(value)!r}</v></c>'
    return _composed(value, cell, notes, style, free)


def _composed(value: Any, cell: str, notes: Notes, style: int, free: bool) -> str:
    if isinstance(value, Styled):
        return safe_cell(value.value, cell, notes, int(value.style), free=free)
    if isinstance(value, Formula):
        return _formula(value, cell, style)
    if isinstance(value, str):
        return safe_cell(str(value), cell, notes, style, free=free)
    if isinstance(value, date):
        return safe_cell(value.isoformat(), cell, notes, style)
    raise TypeError(f"{notes.sheet}!{cell}: a {type(value).__name__} cannot be written")


def serial(moment: datetime) -> float:
    """Days since the epoch of the format, to the millisecond.

    Raises:
        ValueError: a time zone other than UTC, or a moment before 1900-03-01, where calendars part.
    """
    offset = moment.utcoffset()
    if offset:
        raise ValueError(f"{moment.isoformat()} is not UTC")
    bare = moment.replace(tzinfo=None)
    if bare < datetime(1900, 3, 1):  # noqa: DTZ001
        raise ValueError(f"{bare.isoformat()} is before 1900-03-01")
    return round((bare - EPOCH).total_seconds() * 1000) / 86_400_000


def _integer(value: int, cell: str, notes: Notes, style: int) -> str:
    if abs(value) < EXACT_INTEGERS:
        return f'<c r="{cell}" s="{style}"><v>{value}</v></c>'
    notes.add(LONG_INTEGER, cell)
    return _text(str(value), cell, notes, style, free=False)


def _float(value: float, cell: str, notes: Notes, style: int) -> str:
    if isfinite(value):
        return f'<c r="{cell}" s="{style}"><v>{float.__repr__(value)}</v></c>'
    notes.add(NOT_FINITE, cell)
    words = "NaN" if isnan(value) else ("inf" if value > 0 else "-inf")
    return _text(words, cell, notes, style, free=False)


def _formula(formula: Formula, cell: str, style: int) -> str:
    head = f'<c r="{cell}" s="{style}"'
    body = f"<f>{escaped(formula.text)}</f>"
    match formula.value:
        case None:
            return f"{head}>{body}</c>"
        case str():
            return f'{head} t="str">{body}<v>{escaped(formula.value)}</v></c>'
        case _:
            return f"{head}>{body}<v>{float.__repr__(float(formula.value))}</v></c>"


def _text(text: str, cell: str, notes: Notes, style: int, free: bool) -> str:
    if free and notes.withheld is not None:
        text, hidden = notes.withheld.subn(WITHHELD, text)
        if hidden:
            notes.add(NAMES, cell, hidden)
    if _UNWRITABLE.search(text):
        text, changed = _UNWRITABLE.subn(_visible, text)
        notes.add(REPLACED, cell, changed)
    if len(text) > CELL_LIMIT // 2 and units(text) > CELL_LIMIT:
        text = _cut(text, cell, notes)
    if text.startswith(HOSTILE_STARTS):
        style = _QUOTED.get(style, int(Style.QUOTED))
    if _ESCAPE_LIKE.search(text):
        notes.shared.append(text)
        return f'<c r="{cell}" s="{style}" t="s"><v>{len(notes.shared) - 1}</v></c>'
    return f'<c r="{cell}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escaped(text)}</t></is></c>'


_QUOTED = {int(Style.WRAPPED): int(Style.WRAPPED_QUOTED)}


def escaped(text: str) -> str:
    """Text inside an XML element; a carriage return survives the reader as a character reference."""
    return _MARKUP.sub(lambda found: _ENTITIES[found[0]], text) if _MARKUP.search(text) else text


def shared_string(text: str) -> str:
    """Text of a shared string: a literal `_x000D_` is escaped, so that readers of the format keep it literal."""
    return escaped(_ESCAPE_LIKE.sub("_x005F_", text))


def units(text: str) -> int:
    """UTF-16 code units, in which the format counts characters."""
    return len(text) + sum(character > "\uffff" for character in text)


def pieces(text: str, limit: int = CELL_LIMIT) -> list[str]:
    """Text in parts of at most `limit` code units; joined they are the text."""
    found, start, used = [], 0, 0
    for place, character in enumerate(text):
        size = 2 if character > "\uffff" else 1
        if used + size > limit:
            found.append(text[start:place])
            start, used = place, 0
        used += size
    return [*found, text[start:]]


def _cut(text: str, cell: str, notes: Notes) -> str:
    notes.add(CUT, cell)
    key = f"L{notes.counts[CUT]:04d}"
    notes.keep(key, notes.sheet, cell, text)
    marker = f" …[cut at {CELL_LIMIT:,} characters; the whole text is on sheet Long texts under {key}]"
    return pieces(text, CELL_LIMIT - units(marker))[0] + marker


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
