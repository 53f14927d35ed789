"""The stand-alone script on trails and score sheets that somebody edited."""

import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation.audit.chain import head
from medgen import verify_trail
from scoring.exports.services import export_workbook
from tests.annotation.audit.world import checked, edited, exported, submit
from tests.annotation.grading import world

pytestmark = pytest.mark.walks


@pytest.fixture
def trail(made, tmp_path) -> Path:
    return exported(made, tmp_path)


@pytest.fixture
def sheet(made, tmp_path) -> Path:
    out = tmp_path / "sheet.xlsx"
    export_workbook(study=made.study, out=out, actor=None)
    return out


def events(lines):
    return [line for line in lines if line["kind"] == "event"]


def grades(lines):
    return [line for line in lines if line["kind"] == "grade"]


def test_a_trail_that_nobody_touched_passes(made, trail, capsys):
    code, words = checked(capsys, trail)

    assert code == 0
    assert f"study {made.study.slug}, 5 links, 5 grades, head 5:" in words and "0 found" in words
    assert head(made.chain)[0] == 6  # the export itself


def alter_event(lines):
    events(lines)[1]["actor"] = "999"


def alter_value(lines):
    grades(lines)[0]["facts"]["scores"][0][3] = 5


def alter_words(lines):
    grades(lines)[0]["words"]["rationale"] = "All is well."


def reseal(lines):
    line = grades(lines)[0]
    line["facts"]["safety"] = "severe"
    line["seal"] = verify_trail.digest(line["facts"])


def remove_event(lines):
    lines.remove(events(lines)[2])


def remove_grade(lines):
    lines.remove(grades(lines)[0])


def add_grade(lines):
    extra = {**grades(lines)[0], "facts": {**grades(lines)[0]["facts"], "id": "another"}}
    lines.append({**extra, "seal": verify_trail.digest(extra["facts"])})


def swap_events(lines):
    first, second = (lines.index(event) for event in events(lines)[1:3])
    lines[first], lines[second] = lines[second], lines[first]


def cut_tail(lines):
    return lines[:-2]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (alter_event, "link 2 (grade submitted) was altered"),
        (alter_value, "was altered: its seal does not fit"),
        (alter_words, "its words were altered"),
        (reseal, "was altered: link 1 carries another seal"),
        (remove_event, "link 3 is missing or moved: link 4 stands in its place"),
        (remove_grade, "was removed; link 1 carries its seal"),
        (add_grade, "grade another was added or moved: no link carries its seal here"),
        (swap_events, "link 2 is missing or moved: link 3 stands in its place"),
        (cut_tail, "ends with link 4, its first line says 5: links are missing"),
    ],
)
def test_an_edited_trail_is_found(trail, capsys, change, words):
    code, said = checked(capsys, edited(trail, change))

    assert code == 1 and words in said


def test_a_cut_trail_whose_first_line_was_edited_too_is_found_by_a_head(made, trail, capsys):
    def cut(lines):
        lines = lines[:-2]
        lines[0]["sequence"], lines[0]["hash"] = 4, events(lines)[-1]["hash"]
        return lines

    whole = verify_trail.read_trail(trail)
    shorter = edited(trail, cut)

    assert checked(capsys, shorter)[0] == 0
    code, words = checked(capsys, shorter, "--head", f"5:{whole.head}")
    assert code == 1 and "link 5, which --head knows, was removed" in words


def test_a_chain_written_anew_is_found_by_a_score_sheet(made, sheet, tmp_path, capsys):
    def rewrite(lines):
        events(lines)[0]["actor"], before = "999", ""
        for event in events(lines):
            event["previous_hash"] = before
            before = event["hash"] = verify_trail.digest({name: event[name] for name in verify_trail.FACTS})
        lines[0]["hash"] = before

    anew = edited(exported(made, tmp_path), rewrite)

    assert checked(capsys, anew)[0] == 0
    code, words = checked(capsys, anew, sheet)
    assert code == 1 and "which sheet.xlsx knows, is another one: the chain was written anew" in words


def test_a_score_sheet_older_than_the_last_grades_passes(made, sheet, tmp_path, capsys):
    submit(made.readings[1], made.reader, world.entry(5), reason="Looked again.")

    code, words = checked(capsys, exported(made, tmp_path), sheet)

    assert code == 0, words


def test_rows_removed_from_a_score_sheet_are_found(made, sheet, tmp_path, capsys):
    code, words = checked(capsys, exported(made, tmp_path), replaced(sheet, row_three_gone))

    assert code == 1
    assert "was removed" in words and "the file is not as it was handed out" in words


def row_three_gone(name: str, data: bytes) -> bytes:
    if name != "xl/worksheets/sheet3.xml":
        return data
    before, _, rest = data.partition(b'<row r="3">')
    return before + rest.partition(b"</row>")[2]


def test_a_number_changed_in_a_score_sheet_is_found(made, sheet, tmp_path, capsys):
    from openpyxl import load_workbook

    book = load_workbook(sheet)
    grades_sheet = book["Grades"]
    columns = {cell.value: cell.column for cell in grades_sheet[1]}
    cell = next(
        grades_sheet.cell(row, columns["Value"])
        for row in range(2, grades_sheet.max_row + 1)
        if grades_sheet.cell(row, columns["Value"]).value == 3
    )
    cell.value = 5
    resaved = tmp_path / "resaved.xlsx"
    book.save(resaved)

    code, words = checked(capsys, exported(made, tmp_path), resaved)

    assert code == 1
    assert f"Grades row {cell.row}: Value is 5.0, submitted was 3" in words
    assert words.count("Grades row") == 1, words


def test_a_change_on_any_other_sheet_is_found_by_the_checksum(made, sheet, tmp_path, capsys):
    changed = replaced(sheet, lambda name, data: data.replace(b"Every sheet has", b"No sheet has"))

    code, words = checked(capsys, exported(made, tmp_path), changed)

    assert code == 1 and "the file is not as it was handed out" in words and "Grades row" not in words


def test_withheld_names_are_no_finding(made, tmp_path, capsys):
    error = [{"code": "measurement"}]
    named = world.entry(2, rationale="This is surely Zephyrion Werke again.", safety="low", errors=error)
    submit(made.readings[1], made.reader, named, reason="Quasarnet, I think.")
    sheet = tmp_path / "sheet.xlsx"
    export_workbook(study=made.study, out=sheet, actor=None)

    code, words = checked(capsys, exported(made, tmp_path), sheet)

    assert code == 0, words


def replaced(sheet: Path, change) -> Path:
    out = sheet.with_name("changed.xlsx")
    with zipfile.ZipFile(sheet) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out


def a_zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", b"\xff\xfe", b"[1]\n", b'{"kind":"trail"}\n', b"[" * 100_000, b'{"kind":"trail","format":1}\n'],
    ids=lambda data: data[:12].decode("latin-1"),
)
def test_what_is_no_trail_is_refused_in_a_sentence(tmp_path, capsys, data):
    path = tmp_path / "trail.jsonl"
    path.write_bytes(data)

    code, words = checked(capsys, path)

    assert code == 2 and str(path) in words


@pytest.mark.parametrize("data", [b"", b"nothing", a_zip(x=b"y")], ids=["empty", "no zip", "no workbook"])
def test_what_is_no_score_sheet_is_refused_in_a_sentence(trail, tmp_path, capsys, data):
    path = tmp_path / "bad.xlsx"
    path.write_bytes(data)

    code, words = checked(capsys, trail, path)

    assert code == 2 and "bad.xlsx: is no score sheet" in words


def test_a_score_sheet_that_declares_entities_is_refused(trail, sheet, capsys):
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    hostile = replaced(sheet, lambda name, data: bomb if name == "xl/workbook.xml" else data)

    code, words = checked(capsys, trail, hostile)

    assert code == 2 and "declares entities" in words


def test_a_missing_file_is_refused_in_a_sentence(tmp_path, capsys):
    code, words = checked(capsys, tmp_path / "nothing.jsonl")

    assert code == 2 and "No such file" in words


def test_the_command_refuses_an_unknown_study_and_a_file_that_is_there(made, tmp_path):
    (tmp_path / "there.jsonl").write_text("mine")

    with pytest.raises(CommandError, match="there is no such study"):
        call_command("export_trail", "nothing", str(tmp_path / "x.jsonl"))
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_trail", made.study.slug, str(tmp_path / "there.jsonl"))
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_trail", made.study.slug, str(tmp_path / "no" / "x.jsonl"))
    assert (tmp_path / "there.jsonl").read_text() == "mine"
