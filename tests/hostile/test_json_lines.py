"""Threats 2.3, J01 to J08: hostile lines through every door. Good lines around them go in."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from annotation.datasets.models import Item
from tests.acceptance.bench import edit, question
from tests.hostile.doors import ARCHIVED, DOORS
from tests.hostile.measuring import measured

pytestmark = pytest.mark.django_db

GOOD = json.dumps(question("good")).encode()
OTHER = json.dumps(question("other")).encode()


def record(**changes: object) -> bytes:
    return json.dumps(question("bad", **changes)).encode()


def reference(path: str) -> bytes:
    return json.dumps(edit("bad", input_image=[path])).encode()


@dataclass(frozen=True)
class Line:
    """A hostile line 2 between two good ones; `rule` is part of what is said about it."""

    name: str
    content: bytes
    rule: str


LINES: dict[str, list[Line]] = {
    "J01": [
        Line("2 MiB", record(instruction="x" * 2_100_000), "line 2 is longer than 1 MiB"),
        Line("100 MB", b'{"instruction": "' + b"x" * 100_000_000 + b'"}', "line 2 is longer than 1 MiB"),
    ],
    "J02": [
        Line(word.decode(), b'{"instruction": "Q?", "answer": ' + word + b"}", "must be finite")
        for word in (b"NaN", b"Infinity", b"-Infinity", b"1e999")
    ],
    "J03": [Line("twice", b'{"instruction": "Q?", "instruction": "R?"}', "stands twice in one object")],
    "J04": [
        Line("latin 1", "{\"instruction\": \"é\"}".encode("latin-1"), "not UTF-8: byte 0xE9 at byte"),
        Line("mark inside", b"\xef\xbb\xbf" + record(), "not valid JSON"),
    ],
    "J05": [
        Line("surrogate", record(instruction="a\ud800b"), "lone surrogate (U+D800)"),
        Line("NUL", record(instruction="a\0b"), "must not hold NUL"),
        Line("NUL in a key", b'{"a\\u0000b": 1}', "must not hold NUL"),
    ],
    "J06": [
        Line("nested", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper than 64"),
        Line("5000 digits", b'{"answer": ' + b"9" * 5000 + b"}", "integer of 5,000 digits"),
    ],
    "J07": [
        Line("climbing", reference("../../etc/passwd"), "must not climb out of its folder"),
        Line("absolute", reference("/etc/passwd"), "must be relative to the package"),
        Line("file address", reference("file:///etc/passwd"), "URLs are not fetched"),
        Line("metadata address", reference("http://169.254.169.254/latest/"), "URLs are not fetched"),
        Line("share", reference("\\\\host\\share\\a.png"), "backslashes and network paths are not read"),
    ],
    "J08": [Line("the same id", GOOD, "sample_id")],
}  # fmt: skip
CASES = [pytest.param(line, id=f"{row} {line.name}") for row, lines in LINES.items() for line in lines]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("line", CASES)
def test_J01_to_J08_a_hostile_line_is_named_and_its_neighbors_go_in(door, line: Line, tmp_path: Path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "data.jsonl").write_bytes(GOOD + b"\r\n" + line.content + b"\n\n  \n" + OTHER)

    with measured() as cost:
        answer = DOORS[door](folder, "fresh")

    if door in ARCHIVED and line.name == "100 MB":
        assert "more than 200 to 1 is refused" in answer.refused_whole  # as an archive it is a bomb
        return
    assert answer.refused_whole == ""
    assert [problem[1] for problem in answer.problems] == [2]
    assert line.rule in " ".join(answer.problems[0][2:])
    assert answer.new == Item.objects.count() == 2
    assert "import finished" in answer.verbs and "Traceback" not in answer.said
    assert cost.seconds < 10
    if door not in ARCHIVED:
        assert cost.grown < 60


WHOLE = {
    "J01 no lines": (b"", "holds no"),
    "J01 only blank lines": (b"\n\r\n  \n", "holds no"),
    "J04 UTF-16": (GOOD.decode().encode("utf-16"), "is UTF-16; only UTF-8 can be read"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", WHOLE)
def test_J01_J04_a_file_that_holds_no_lines_is_refused_whole(door, name, tmp_path: Path):
    content, words = WHOLE[name]
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "data.jsonl").write_bytes(content)

    answer = DOORS[door](folder, "fresh")

    assert words in answer.refused_whole
    assert (answer.new, Item.objects.count()) == (0, 0)
    assert "Traceback" not in answer.refused_whole


@pytest.mark.parametrize("door", DOORS)
def test_J04_a_byte_order_mark_on_line_1_is_tolerated(door, tmp_path: Path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "data.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD)

    assert DOORS[door](folder, "fresh").new == 1


@pytest.mark.parametrize("door", DOORS)
def test_J08_the_same_file_again_changes_nothing(door, tmp_path: Path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "data.jsonl").write_bytes(GOOD + b"\n" + OTHER + b"\n")
    DOORS[door](folder, "fresh")

    again = DOORS[door](folder, "fresh")

    assert (again.new, Item.objects.count(), again.problems) == (2, 2, [])


@pytest.mark.parametrize("door", ["service", "command"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link out"])
def test_I06_J07_what_is_no_file_of_the_package_refuses_its_line(door, kind, tmp_path: Path):
    import os

    folder = tmp_path / "package"
    (folder / "images").mkdir(parents=True)
    target = folder / "images/bad.png"
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("/dev/zero" if kind == "device" else "/etc/passwd")
    record_ = json.dumps(edit("bad", ground_truth_image=["images/bad.png"])).encode()
    (folder / "data.jsonl").write_bytes(GOOD + b"\n" + record_ + b"\n")

    with measured() as cost:
        answer = DOORS[door](folder, "fresh")

    assert [problem[1] for problem in answer.problems] == [2]
    assert "regular file" in answer.problems[0][4] or "leads out" in answer.problems[0][4]
    assert (answer.new, cost.seconds < 10) == (1, True)
