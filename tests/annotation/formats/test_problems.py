"""A problem reads as one visible line that names file, line, field, value and rule."""

from annotation.formats import FormatError, MissingFileError, Problem
from annotation.formats.problems import shown


def test_a_problem_reads_as_file_line_field_value_rule():
    problem = Problem("vqa.jsonl", 7, "answer", "9", "must be an index from 0 to 2")

    assert str(problem) == "vqa.jsonl:7: answer: 9: must be an index from 0 to 2"


def test_a_problem_of_the_whole_file_has_no_line():
    assert str(Problem("manifest.json", None, "tasks", "", "differs")) == "manifest.json: tasks: differs"


def test_a_long_value_is_shortened():
    problem = Problem("a", 1, "f", "x" * 5000, "too long")

    assert len(problem.value) == 120
    assert problem.value.endswith("…")


def test_control_characters_are_made_visible():
    problem = Problem("a\nb", 1, "f", "x\x00\r\n\t\x1b[31m\x7f\u202e\ud800\ufeff", "r")

    assert problem.file == "a␊b"
    assert problem.value == "x␀␍␊␉␛[31m␡<U+202E><U+D800><U+FEFF>"
    assert str(problem).isprintable()
    assert str(problem).encode("utf-8")


def test_ordinary_letters_of_any_script_stay():
    assert Problem("a", 1, "f", "Ödem µm 肺", "r").value == "Ödem µm 肺"


def test_values_of_every_type_are_shown():
    assert [shown(v) for v in (None, "", " ", [], {}, 0, False, ["a"], {"a": 1})] == [
        "null", "(empty)", "(empty)", "[]", "{}", "0", "False", "['a']", "{'a': 1}",
    ]  # fmt: skip


def test_a_missing_file_is_both_a_format_error_and_a_file_not_found():
    error = MissingFileError("x.jsonl: there is no such file")

    assert isinstance(error, FormatError)
    assert isinstance(error, ValueError)
    assert isinstance(error, FileNotFoundError)
    assert str(error) == "x.jsonl: there is no such file"
