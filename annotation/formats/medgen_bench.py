"""The JSONL layouts of MedGEN-Bench: canonical, eval view, inference results, evaluated results.

A file's layout is recognized by the fields of its records, never by its name. All four share the item's fields, so
one reader serves them; the layouts differ in which side of a record is asked for.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from annotation.formats import taxonomy
from annotation.formats.fields import Source
from annotation.formats.items import item_record
from annotation.formats.lines import JsonObject, Line, LineError, read_lines
from annotation.formats.outputs import JUDGE_PREFIX, METRIC_FIELDS, RESULT_FIELDS, output_record
from annotation.formats.problems import Problem
from annotation.formats.records import ID_TWIN, SAMPLE_ID, ItemRecord, OutputRecord

CANONICAL, EVAL_VIEW, INFERENCE, EVALUATED = "canonical", "eval_view", "inference", "evaluated"
UNKNOWN = "unknown"
JSONL_LAYOUTS = (CANONICAL, EVAL_VIEW, INFERENCE, EVALUATED)
OUTPUT_LAYOUTS = frozenset({INFERENCE, EVALUATED})

_LOOKED_AT = 64
_EVAL_FIELDS = frozenset({"eval_adapter", "input_images", "ground_truth_images", SAMPLE_ID})
_CANONICAL_FIELDS = frozenset(
    {
        "input_image",
        "ground_truth_image",
        "category",
        "sub-category",
        "paper_format",
        "paper_task",
        "answer",
        "choice",
    }
)


def record_layout(data: JsonObject) -> str:
    """Return the layout that one raw record shows, or unknown."""
    names = data.keys()
    if not METRIC_FIELDS.isdisjoint(names) or any(name.startswith(JUDGE_PREFIX) for name in names):
        return EVALUATED
    if not RESULT_FIELDS.isdisjoint(names):
        return INFERENCE
    if "instruction" not in names:
        return UNKNOWN
    if not _EVAL_FIELDS.isdisjoint(names):
        return EVAL_VIEW
    return UNKNOWN if _CANONICAL_FIELDS.isdisjoint(names) else CANONICAL


def file_layout(path: Path, name: str) -> str:
    """Return the layout of a JSONL file from its first 64 lines that are not blank; unknown when none shows one.

    The richest layout seen decides, as an evaluated file may hold records that are not evaluated yet.

    Raises:
        FormatError: the file cannot be opened or is not UTF-8 text of any kind.
    """
    seen = set()
    for number, line in enumerate(read_lines(path, name), start=1):
        if isinstance(line, Line):
            seen.add(record_layout(line.data))
        if number >= _LOOKED_AT:
            break
    return next((layout for layout in reversed(JSONL_LAYOUTS) if layout in seen), UNKNOWN)


def task_folder(path: Path) -> str:
    """Return `<format>/<task>` when the file lies in two folders of such names, else ""."""
    task, owner = path.parent.name, path.parent.parent.name
    if taxonomy.canonical_format(owner) and taxonomy.canonical_task(task):
        return f"{owner}/{task}"
    return ""


def read_file(path: Path, source: Source, *, kind: str) -> Iterator[ItemRecord | OutputRecord | Problem]:
    """Yield one record or one problem for every line that is not blank.

    Two lines are never merged: a line whose `sample_id` stands in an earlier line is refused by name, and an id that
    differs from an earlier one only in case or Unicode form is noted. Equal content is no reason to refuse.

    Args:
        path: the JSONL file.
        source: its name, layout, package and folder.
        kind: "items" or "outputs".

    Raises:
        FormatError: as `annotation.formats.lines.read_lines`.
    """
    make = output_record if kind == "outputs" else item_record
    ids = SeenIds()
    for line in read_lines(path, source.file):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            record = make(line.data, source, line.number)
            yield ids.checked(record)
        except LineError as error:
            yield error.problem(source.file, line.number)


class SeenIds:
    """The sample ids of one file; only hashes are kept, some 200 bytes a line."""

    def __init__(self) -> None:
        self._exact: dict[int, int] = {}
        self._folded: set[int] = set()

    def checked(self, record: ItemRecord | OutputRecord) -> ItemRecord | OutputRecord:
        """Return the record, noted when its id has a twin.

        Raises:
            LineError: the same id stands in an earlier line.
        """
        value = next((value for scheme, value in record.aliases if scheme == SAMPLE_ID), None)
        if value is None:
            return record
        first = self._exact.setdefault(hash(value), record.line)
        if first != record.line:
            raise LineError(SAMPLE_ID, value, f"stands already in line {first} of this file")
        folded = hash(value.casefold() if value.isascii() else unicodedata.normalize("NFC", value).casefold())
        if folded in self._folded:
            object.__setattr__(record, "notes", (*record.notes, ID_TWIN))
        self._folded.add(folded)
        return record
