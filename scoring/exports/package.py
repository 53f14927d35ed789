"""A workbook file written as a stream: a zip of small XML parts, each row forgotten once it is written.

Office Open XML (ECMA-376, part 1: 18.3 worksheets, 18.4 shared strings, 18.8 styles). Memory does not grow with the
rows. Pure: no database, no settings; the moment of creation is an argument.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scoring.exports import parts
from scoring.exports.cells import Notes, Style, Styled, pieces, safe_cell, units

MAX_ROWS = 1_048_576
"""Rows of a sheet, the header included."""
MAX_COLUMNS = 16_384
MAX_BYTES = 2**31 - 2**24
TITLE_LIMIT = 31
BATCH = 256
REMEMBERED, REMEMBERED_LENGTH = 2_048, 40
LONG_TEXTS = "Long texts"
LONG_COLUMNS = (
    ("Key", "the mark at the end of the cut text"),
    ("Sheet", "where the text was cut"),
    ("Cell", "its cell"),
    ("Piece", "place of this piece; joined in this order without anything between they are the text"),
    ("Text", "the piece"),
)

_FORBIDDEN_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")


class SheetFullError(ValueError):
    """More rows, columns or bytes than a sheet holds; the message names the number and the limit."""


def column_letters(number: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def clean_title(title: str, taken: Iterable[str] = ()) -> str:
    """A title that a sheet may carry: no forbidden character, at most 31 characters, unlike all others."""
    bare = _FORBIDDEN_IN_TITLE.sub("-", title).strip("' ") or "Sheet"
    used = {name.casefold() for name in taken}
    clean, number = pieces(bare, TITLE_LIMIT)[0].rstrip("' "), 1
    while clean.casefold() in used:
        number += 1
        suffix = f" ({number})"
        clean = pieces(bare, TITLE_LIMIT - units(suffix))[0] + suffix
    return clean


@dataclass(frozen=True)
class Frame:
    """What stands around the rows of a sheet.

    Attributes:
        widths: width of each column in characters.
        frozen: rows that stay in sight.
        banner: words printed on top of every page, and a red tab; empty for none.
    """

    widths: Sequence[float]
    frozen: int = 1
    banner: str = ""


class Looks:
    """How the columns of a table look, and the cells already made for short texts: codes and letters come again.

    Args:
        styles: style of each column.
        free: whether a column holds texts of people or files.
    """

    def __init__(self, styles: Sequence[int], free: Sequence[bool]) -> None:
        self.styles, self.free = [int(style) for style in styles], list(free)
        self.known: list[dict[str, str]] = [{} for _ in self.styles]


class Sheet:
    """One sheet being written, row after row."""

    def __init__(self, title: str, stream: IO[bytes], notes: Notes, frame: Frame) -> None:
        self.title = title
        self.row = 0
        self._stream, self._notes, self._frame = stream, notes, frame
        self._lines: list[str] = []
        self._bytes = 0
        self._filter = ""
        self._letters = [column_letters(number) for number in range(1, 2 + max(1, len(frame.widths)))]
        self._lines.append(parts.sheet_top(frame.widths, frame.frozen, tab=bool(frame.banner)))

    def append(self, values: Sequence[Any], looks: Looks | None = None) -> None:
        """Write one row.

        Raises:
            SheetFullError: the sheet has no room for it.
        """
        self.row += 1
        if self.row > MAX_ROWS:
            raise SheetFullError(f"sheet {self.title}: more than {MAX_ROWS:,} rows")
        if len(values) > MAX_COLUMNS:
            raise SheetFullError(f"sheet {self.title}: {len(values):,} columns, at most {MAX_COLUMNS:,}")
        while len(self._letters) < len(values):
            self._letters.append(column_letters(len(self._letters) + 1))
        self._notes.sheet = self.title
        row, letters, known = str(self.row), self._letters, looks.known if looks else []
        n_known = len(known)
        cells = []
        for place, value in enumerate(values):
            if value is None:
                continue
            rest = known[place].get(value) if type(value) is str and place < n_known else None
            if rest is None:
                cells.append(self._cell(value, letters[place] + row, looks, place))
            else:
                cells.append(f'<c r="{letters[place]}{row}"{rest}')
        self._lines.append(f'<row r="{row}">{"".join(cells)}</row>')
        if len(self._lines) >= BATCH:
            self._flush()

    def _cell(self, value: Any, cell: str, looks: Looks | None, place: int) -> str:
        """A cell; a short text that needed no change is remembered without its place."""
        if looks is None or place >= len(looks.known):
            return safe_cell(value, cell, self._notes)
        notes = self._notes
        before = (notes.counts.total(), len(notes.shared))
        made = safe_cell(value, cell, notes, looks.styles[place], free=looks.free[place])
        known = looks.known[place]
        short = type(value) is str and 0 < len(value) <= REMEMBERED_LENGTH and len(known) < REMEMBERED
        if short and before == (notes.counts.total(), len(notes.shared)):
            known[value] = made[len(f'<c r="{cell}"') :]
        return made

    def filter(self, first_row: int, last_row: int, columns: int) -> None:
        """Offer a filter over these rows, the first of which is their header."""
        self._filter = f"A{first_row}:{column_letters(columns)}{max(first_row, last_row)}"

    def finish(self) -> None:
        self._lines.append(parts.sheet_end(self._filter, self._frame.banner))
        self._flush()

    def _flush(self) -> None:
        data = "".join(self._lines).encode()
        self._lines.clear()
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise SheetFullError(f"sheet {self.title}: more than {MAX_BYTES:,} bytes at row {self.row:,}")
        self._stream.write(data)


class Package:
    """The file: sheets one after the other, then everything that refers to them.

    Use it as a context manager; the file is complete when the block ends without an error.
    """

    def __init__(self, path: Path, *, made_at: datetime, title: str = "", notes: Notes | None = None) -> None:
        self.notes = notes or Notes()
        self.notes.keep = self._keep
        self.titles: list[str] = []
        self._made_at, self._title = made_at, title
        self._zip = ZipFile(path, "w", ZIP_DEFLATED, compresslevel=2)
        self._long: Sheet | None = None
        self._long_file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            if self._long_file is not None:
                self._long_file.close()
            self._zip.close()

    def sheet(self, title: str, frame: Frame) -> "OpenSheet":
        """A context manager that gives the sheet to write into."""
        clean = clean_title(title, self.titles)
        self.titles.append(clean)
        stream = self._zip.open(_info(f"xl/worksheets/sheet{len(self.titles)}.xml"), "w")
        return OpenSheet(Sheet(clean, stream, self.notes, frame), stream)

    def _keep(self, key: str, sheet: str, cell: str, text: str) -> None:
        """A text too long for its cell, in pieces, onto a sheet of its own that is added at the end."""
        if self._long is None:
            self._long_file = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
            frame = Frame(widths=(10, 16, 10, 8, 120))
            self._long = Sheet(LONG_TEXTS, self._long_file, Notes(shared=self.notes.shared), frame)
            self._long.append([Styled(name, Style.HEADER) for name, _ in LONG_COLUMNS])
        for number, piece in enumerate(pieces(text), start=1):
            self._long.append((key, sheet, cell, number, piece))

    def _finish(self) -> None:
        if self._long is not None and self._long_file is not None:
            self._long.filter(1, self._long.row, len(LONG_COLUMNS))
            self._long.finish()
            self.titles.append(clean_title(LONG_TEXTS, self.titles))
            self._long_file.seek(0)
            with self._zip.open(_info(f"xl/worksheets/sheet{len(self.titles)}.xml"), "w") as part:
                shutil.copyfileobj(self._long_file, part)
        shared = bool(self.notes.shared)
        if shared:
            self._part("xl/sharedStrings.xml", parts.shared_strings(self.notes.shared))
        self._part("xl/styles.xml", parts.styles())
        self._part("xl/workbook.xml", parts.workbook(self.titles))
        self._part("xl/_rels/workbook.xml.rels", parts.workbook_links(len(self.titles), shared=shared))
        self._part("docProps/core.xml", parts.core(self._title, self._made_at))
        self._part("docProps/app.xml", parts.app())
        self._part("_rels/.rels", parts.package_links())
        self._part("[Content_Types].xml", parts.content_types(len(self.titles), shared=shared))

    def _part(self, name: str, text: str) -> None:
        self._zip.writestr(_info(name), text.encode())


def _info(name: str) -> ZipInfo:
    """An entry with a fixed date, so that equal rows give equal bytes."""
    info = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


class OpenSheet:
    """Finishes the sheet and its stream when the block ends."""

    def __init__(self, sheet: Sheet, stream: IO[bytes]) -> None:
        self._sheet, self._stream = sheet, stream

    def __enter__(self) -> Sheet:
        return self._sheet

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._sheet.finish()
        self._stream.close()
