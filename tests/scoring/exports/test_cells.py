"""Every value in a cell: text stays text, numbers stay exact, and what a sheet cannot hold is changed visibly."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from scoring.exports import package as package_module
from scoring.exports.cells import (
    CELL_LIMIT,
    CUT,
    LONG_INTEGER,
    NOT_FINITE,
    REPLACED,
    Formula,
    Notes,
    safe_cell,
    units,
)
from scoring.exports.package import Package, SheetFullError, clean_title, column_letters
from scoring.exports.sheets import Column, Table, text, write_table

NOW = datetime(2026, 3, 1, 12, 30, 15, 123000, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
COLUMN = Table("Texts", "", (text("Text", "anything"),))


def written(values: list[Any], path: Path, table: Table = COLUMN) -> Notes:
    with Package(path, made_at=NOW) as package:
        write_table(package, table, [[value] for value in values])
    return package.notes


def read(path: Path, title: str = "Texts") -> list[Any]:
    return [row[0] for row in load_workbook(path)[title].iter_rows(min_row=2, max_col=1)]


def visible(value: str) -> str:
    """What a sheet shows of a text, spelled out independently of the writer."""
    shown = []
    for character in value:
        code = ord(character)
        if code < 0x20 and character not in "\t\n\r":
            shown.append(chr(0x2400 + code))
        elif 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF):
            shown.append("\ufffd")
        else:
            shown.append(character)
    return "".join(shown)


@given(values=st.lists(ANY_TEXT.filter(lambda value: "x005F_" not in value), min_size=1, max_size=20))
@example(values=["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", '=HYPERLINK("http://x")'])
@example(values=["_x000D_", "_x000D_x000D_", "__x0041_", "a\r\nb", "a\rb", "  pad  ", "\n", " "])
@example(
    values=["\x00\x0b\x1f", "\ud800", "\uffff\ufffe", "\U0001f600", "<b>&amp;</b>", "]]>", "1e5", "TRUE", "#N/A"]
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_typed(tmp_path, values):
    path = tmp_path / "texts.xlsx"

    notes = written(values, path)

    cells = read(path)
    assert [cell.value or "" for cell in cells] + [""] * (len(values) - len(cells)) == [visible(v) for v in values]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s"}
    assert notes.counts[REPLACED] == sum(a != b for v in values for a, b in zip(v, visible(v), strict=True))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_typed_formula_is_a_string_with_the_quote_prefix(tmp_path, start):
    path = tmp_path / "formula.xlsx"

    written([f"{start}cmd|'/c calc'!A0"], path)

    cell = read(path)[0]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (f"{start}cmd|'/c calc'!A0", "s", True)


def test_harmless_text_has_no_quote_prefix(tmp_path):
    written(["1+1", "a=b"], tmp_path / "plain.xlsx")

    assert [cell.quotePrefix for cell in read(tmp_path / "plain.xlsx")] == [False, False]


@pytest.mark.parametrize("character", ["x", "\U0001f600"])
def test_a_text_beyond_the_limit_is_cut_with_a_marker_and_kept_whole(tmp_path, character):
    whole = f"={character * 40_000}end"
    path = tmp_path / "long.xlsx"

    notes = written(["short", whole], path)

    cell = read(path)[1]
    pieces = load_workbook(path)["Long texts"].iter_rows(min_row=2, values_only=True)
    rows = list(pieces)
    assert units(cell.value) <= CELL_LIMIT
    assert cell.value.endswith("…[cut at 32,767 characters; the whole text is on sheet Long texts under L0001]")
    assert cell.data_type == "s"
    assert "".join(row[4] for row in rows) == whole
    assert {row[:3] for row in rows} == {("L0001", "Texts", "A3")}
    assert [row[3] for row in rows] == list(range(1, len(rows) + 1))
    assert (notes.counts[CUT], notes.places) == (1, [(CUT, "Texts", "A3")])


def test_a_text_at_the_limit_is_not_cut(tmp_path):
    notes = written(["x" * CELL_LIMIT], tmp_path / "limit.xlsx")

    assert len(read(tmp_path / "limit.xlsx")[0].value) == CELL_LIMIT
    assert not notes.counts


def test_numbers_that_no_cell_can_hold_are_text(tmp_path):
    values = [float("nan"), float("inf"), -float("inf"), 12345678901234567890, -(2**53), 2**53 - 1, 0.1, 1e308, -0.0]

    notes = written(values, tmp_path / "numbers.xlsx")

    found = [cell.value for cell in read(tmp_path / "numbers.xlsx")]
    assert found == ["NaN", "inf", "-inf", "12345678901234567890", str(-(2**53)), 2**53 - 1, 0.1, 1e308, 0]
    assert (notes.counts[NOT_FINITE], notes.counts[LONG_INTEGER]) == (3, 2)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_finite_number_comes_back_bit_for_bit(tmp_path, values):
    written(values, tmp_path / "floats.xlsx")

    assert [float(cell.value) for cell in read(tmp_path / "floats.xlsx")] == values


def test_moments_are_dates_and_truth_is_truth(tmp_path):
    written([NOW, True, None, False], tmp_path / "moments.xlsx")

    cells = read(tmp_path / "moments.xlsx")
    assert cells[0].is_date
    assert [cell.value for cell in cells] == [NOW.replace(tzinfo=None), True, None, False]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), "not UTC"),
        (datetime(1899, 12, 31, tzinfo=UTC), "before 1900"),
    ],
)
def test_a_moment_that_would_be_another_one_in_a_sheet_is_refused(value, words):
    with pytest.raises(ValueError, match=words):
        safe_cell(value, "A1", Notes())


def test_a_value_of_a_strange_type_names_its_cell():
    with pytest.raises(TypeError, match=r"Texts!B7: a dict"):
        safe_cell({}, "B7", Notes(sheet="Texts"))


def test_our_own_formulas_are_live_and_carry_their_value(tmp_path):
    path = tmp_path / "live.xlsx"
    written([Formula('IF(1<2,"a&b","")', "a&b"), Formula("1/4", 0.25)], path)

    values = [row[0].value for row in load_workbook(path, data_only=True)["Texts"].iter_rows(min_row=2)]

    assert [cell.value for cell in read(path)] == ['=IF(1<2,"a&b","")', "=1/4"]
    assert values == ["a&b", 0.25]


def test_names_are_withheld_in_texts_only(tmp_path):
    import re

    table = Table("Texts", "", (text("Text", ""), Column("Code", "")))
    notes = Notes(withheld=re.compile("zebra", re.IGNORECASE))
    with Package(tmp_path / "blind.xlsx", made_at=NOW, notes=notes) as package:
        write_table(package, table, [["a ZEBRA and a zebra", "zebra"]])

    row = next(load_workbook(tmp_path / "blind.xlsx")["Texts"].iter_rows(min_row=2, values_only=True))

    assert row == ("a [name withheld] and a [name withheld]", "zebra")
    assert notes.counts["names withheld"] == 2


@pytest.mark.parametrize(
    ("title", "taken", "clean"),
    [
        ("a/b:c*[d]?\\e", [], "a-b-c--d---e"),
        ("x" * 60, [], "x" * 31),
        ("x" * 40, ["X" * 31], "x" * 27 + " (2)"),
        ("Items", ["items", "Items (2)"], "Items (3)"),
        ("'quoted'", [], "quoted"),
        ("", [], "Sheet"),
        ("\U0001f600" * 20, [], "\U0001f600" * 15),
    ],
)
def test_sheet_titles_are_cleaned_and_unlike(title, taken, clean):
    assert clean_title(title, taken) == clean


def test_two_sheets_of_equal_prefix_open_side_by_side(tmp_path):
    path = tmp_path / "titles.xlsx"
    with Package(path, made_at=NOW) as package:
        for end in ("one", "two"):
            write_table(package, Table(f"a very long title that goes on [{end}]", "", COLUMN.columns), [["x"]])

    assert load_workbook(path).sheetnames == ["a very long title that goes on", "a very long title that goes (2)"]


def test_more_rows_than_a_sheet_holds_are_refused_with_the_number(tmp_path, monkeypatch):
    monkeypatch.setattr(package_module, "MAX_ROWS", 5)

    with pytest.raises(SheetFullError, match="sheet Texts: more than 5 rows"):
        written(["x"] * 5, tmp_path / "full.xlsx")


def test_header_filter_widths_and_banner(tmp_path):
    path = tmp_path / "frame.xlsx"
    with Package(path, made_at=NOW) as package:
        write_table(package, COLUMN, [["x"], ["y"]], banner="R&D only")

    sheet = load_workbook(path)["Texts"]

    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.column_dimensions["A"].width) == ("A2", "A1:A3", 40)
    assert (sheet["A1"].value, sheet["A1"].font.b, sheet["B1"].value) == ("Text", True, "R&D only")
    assert sheet.oddHeader.center.text == "R&D only" or "R&&D only" in str(sheet.oddHeader.center.text)


def test_equal_rows_give_equal_bytes(tmp_path):
    written(["a", 1, "_x000D_"], tmp_path / "one.xlsx")
    written(["a", 1, "_x000D_"], tmp_path / "two.xlsx")

    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_columns_are_lettered():
    assert [column_letters(n) for n in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
