"""Tables: columns with their meaning, written under a frozen header with a filter. Pure.

The words of the codebook come from the same declarations as the columns, so that no column is left unexplained.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scoring.exports.cells import Style, Styled
from scoring.exports.package import Frame, Looks, Package


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: its header.
        about: what stands in it, and what an empty cell means.
        width: in characters.
        style: look of its cells.
        free: text of people or files, in which names are withheld while the study is blinded.
    """

    title: str
    about: str
    width: float = 12
    style: Style = Style.PLAIN
    free: bool = False


def word(title: str, about: str, width: float = 14) -> Column:
    return Column(title, about, width)


def text(title: str, about: str, width: float = 40) -> Column:
    """Text of people or files."""
    return Column(title, about, width, Style.WRAPPED, free=True)


def line(title: str, about: str, width: float = 20) -> Column:
    """Short text of people or files, not wrapped."""
    return Column(title, about, width, free=True)


def said(title: str, about: str, width: float = 50) -> Column:
    """Our own words, wrapped."""
    return Column(title, about, width, Style.WRAPPED)


def count(title: str, about: str, width: float = 10) -> Column:
    return Column(title, about, width, Style.INTEGER)


def number(title: str, about: str, width: float = 11) -> Column:
    return Column(title, about, width, Style.NUMBER)


def moment(title: str, about: str) -> Column:
    return Column(title, f"{about} (UTC)", 19, Style.MOMENT)


@dataclass(frozen=True)
class Table:
    """One sheet that is one table."""

    title: str
    about: str
    columns: tuple[Column, ...]


def write_table(package: Package, table: Table, rows: Iterable[Sequence[Any]], *, banner: str = "") -> int:
    """Write a sheet; returns the number of rows under the header.

    Raises:
        SheetFullError: more rows than a sheet holds.
    """
    columns = table.columns
    looks = Looks([column.style for column in columns], [column.free for column in columns])
    widths = [column.width for column in columns]
    with package.sheet(table.title, Frame(widths=widths, banner=banner)) as sheet:
        over = [Styled(banner, Style.BANNER)] if banner else []
        sheet.append([*(Styled(column.title, Style.HEADER) for column in columns), *over])
        for row in rows:
            sheet.append(row, looks)
        sheet.filter(1, sheet.row, len(columns))
        return sheet.row - 1
