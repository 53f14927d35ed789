"""JSON lines are read strictly; each bad line is named and the rest is read."""

import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from annotation.formats import FormatError, MissingFileError, Problem, read_records
from annotation.formats.lines import MAX_LINE_BYTES, Line, read_lines
from tests.annotation.formats.builders import put_lines, vqa, vqa_package


def lines(tmp_path: Path, content: bytes) -> list[Line | Problem]:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    return list(read_lines(path, "a.jsonl"))


def rule_of(tmp_path: Path, content: bytes | str) -> str:
    content = content if isinstance(content, bytes) else content.encode()
    first, second = lines(tmp_path, content + b'\n{"a": 1}\n')
    assert isinstance(first, Problem)
    assert (first.line, first.file) == (1, "a.jsonl")
    assert second == Line(2, {"a": 1})
    return first.rule


def test_a_malformed_line_7_is_reported_and_the_rest_is_read(tmp_path: Path):
    records = [vqa(instruction=f"Question {n}?") for n in range(1, 10)]
    path = vqa_package(tmp_path, *records[:6], '{"instruction": "broken', *records[7:])

    found = list(read_records(path))

    problems = [outcome for outcome in found if isinstance(outcome, Problem)]
    assert [str(p) for p in problems] == [
        'data.jsonl:7: line: {"instruction": "bro…'.replace("bro…", "broken")
        + ": not valid JSON: Unterminated string starting at column 17"
    ]
    assert [outcome.line for outcome in found] == list(range(1, 10))


def test_a_line_longer_than_1_mib_is_refused_and_the_next_is_read(tmp_path: Path):
    long = b'{"a": "' + b"x" * (3 * MAX_LINE_BYTES) + b'"}'

    found = lines(tmp_path, b'{"a": 1}\n' + long + b'\n{"a": 3}')

    assert found[0] == Line(1, {"a": 1})
    assert isinstance(found[1], Problem)
    assert found[1].rule == "line 2 is longer than 1 MiB"
    assert found[2] == Line(3, {"a": 3})


def test_a_line_of_exactly_1_mib_is_read(tmp_path: Path):
    line = b'{"a": "' + b"x" * (MAX_LINE_BYTES - 9) + b'"}'
    assert len(line) == MAX_LINE_BYTES

    assert isinstance(lines(tmp_path, line + b"\n")[0], Line)
    assert isinstance(lines(tmp_path, line)[0], Line)
    assert isinstance(lines(tmp_path, b" " + line)[0], Problem)


def test_a_100_mb_line_needs_little_memory(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as stream:
        for _ in range(100):
            stream.write(b"x" * 1_000_000)
    tracemalloc.start()

    found = list(read_lines(path, "a.jsonl"))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(outcome) for outcome in found] == [Problem]
    assert peak < 5_000_000


def test_no_newline_at_the_end_windows_line_ends_and_blank_lines_are_fine(tmp_path: Path):
    found = lines(tmp_path, b'\r\n{"a": 1}\r\n   \r\n\n{"a": 2}')

    assert found == [Line(2, {"a": 1}), Line(5, {"a": 2})]


def test_an_empty_file_has_no_lines(tmp_path: Path):
    assert lines(tmp_path, b"") == []
    assert list(read_records(put_lines(tmp_path / "empty.jsonl"))) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_must_be_finite(tmp_path: Path, number: str):
    assert "finite" in rule_of(tmp_path, f'{{"PSNR": {number}}}')


@pytest.mark.parametrize("content", ['{"a": 1, "a": 2}', '{"b": {"a": 1, "c": 2, "a": 1}}'])
def test_the_same_key_twice_is_refused(tmp_path: Path, content: str):
    assert rule_of(tmp_path, content) == "the same key stands twice in one object"


def test_a_byte_order_mark_is_tolerated_on_line_1_only(tmp_path: Path):
    mark = b"\xef\xbb\xbf"

    first, second = lines(tmp_path, mark + b'{"a": 1}\n' + mark + b'{"a": 2}\n')

    assert first == Line(1, {"a": 1})
    assert isinstance(second, Problem)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"a": 1}\n'.encode(encoding))

    if encoding in ("utf-16", "utf-32"):
        with pytest.raises(FormatError, match="only UTF-8 can be read"):
            list(read_lines(path, "a.jsonl"))
    else:
        assert all(isinstance(outcome, Problem) for outcome in read_lines(path, "a.jsonl"))


def test_invalid_utf_8_is_refused_with_its_byte_offset(tmp_path: Path):
    found = lines(tmp_path, b'{"a": 1}\n{"a": "\xff"}\n{"a": 3}\n')

    assert isinstance(found[1], Problem)
    assert found[1].rule == "not UTF-8: byte 0xFF at byte 16 of the file"
    assert found[2] == Line(3, {"a": 3})


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (r'{"instruction": "x\ud800"}', "must not hold a lone surrogate (U+D800)"),
        (r'{"instruction": ["x", {"b": "\udfff"}]}', "must not hold a lone surrogate (U+DFFF)"),
        (r'{"k\ud800": 1}', "must not hold a lone surrogate (U+D800)"),
        (r'{"instruction": "x\u0000y"}', "must not hold NUL (U+0000)"),
        ('{"instruction": "x\x00y"}', "not valid JSON: Invalid control character at column 19"),
    ],
)
def test_lone_surrogates_and_nul_are_refused(tmp_path: Path, content: str, rule: str):
    assert rule_of(tmp_path, content) == rule


def test_a_surrogate_pair_is_a_character(tmp_path: Path):
    assert lines(tmp_path, rb'{"a": "\ud83e\udec1"}') == [Line(1, {"a": "\U0001fac1"})]


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
def test_deep_nesting_is_refused(tmp_path: Path, depth: int):
    content = '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

    assert rule_of(tmp_path, content) == "nested deeper than 64"


def test_64_levels_are_read(tmp_path: Path):
    assert isinstance(lines(tmp_path, b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}")[0], Line)


def test_many_short_lists_are_not_deep(tmp_path: Path):
    assert isinstance(lines(tmp_path, b'{"a": [' + b"[]," * 500 + b"[]]}")[0], Line)


def test_a_5000_digit_integer_is_refused_whatever_the_interpreter_allows(tmp_path: Path):
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        rule = rule_of(tmp_path, '{"answer": ' + "9" * 5000 + "}")
    finally:
        sys.set_int_max_str_digits(limit)

    assert rule == "integer of 5,000 digits; at most 1,000 are read"


@pytest.mark.parametrize("content", ["[1, 2]", '"text"', "7", "null", "true"])
def test_a_line_must_be_an_object(tmp_path: Path, content: str):
    assert rule_of(tmp_path, content) == "must be one JSON object"


def test_a_missing_file_is_refused_at_once_with_a_plain_message(tmp_path: Path):
    with pytest.raises(MissingFileError, match=r"^gone\.jsonl: there is no such file$"):
        read_records(tmp_path / "gone.jsonl")


def test_reading_needs_flat_memory(tmp_path: Path):
    def peak(n: int) -> int:
        path = put_lines(
            tmp_path / f"{n}.jsonl", *(json.dumps(vqa(input_image=[], instruction=f"{i}?" * 50)) for i in range(n))
        )
        tracemalloc.start()
        assert sum(1 for _ in read_records(path)) == n
        value = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return value

    small, large = peak(3_000), peak(9_000)  # the interpreter itself keeps up to 2,000 freed tuples of a size

    assert large < small + 50_000
