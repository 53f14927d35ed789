"""The demo as plain rows: what is stored, read with SQL, and what was handed in, read from the demo's own files.

Nothing here asks the product for a number; the tests beside it compute their own from these rows.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "medgen" / "demo" / "data"
JOINED = """
  join annotation_itemrevision rv on rv.id = {0}.revision_id
  join annotation_item i on i.id = rv.item_id
"""


@dataclass(frozen=True)
class Output:
    """One current output with its item."""

    id: str
    system: str
    letter: str
    code: str
    item: int
    format: str
    task: str
    status: str
    reference: str
    cluster: str
    study_item: int


class Demo:
    """A home with the demo in it."""

    def __init__(self, home: Path) -> None:
        self.base = sqlite3.connect(f"file:{home / 'medgen.sqlite3'}?mode=ro", uri=True)
        self.base.row_factory = sqlite3.Row
        self.items = _lines("items/*/*/data.jsonl", "sample_id")
        self.outputs = self._outputs()

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        return self.base.execute(question, values).fetchall()

    def _outputs(self) -> list[Output]:
        joined, clusters = JOINED.format("o"), self._clusters()
        found = self.rows(f"""
            select o.id, s.slug, ss.letter, a.value, i.number, rv.format, rv.task, o.status, rv.reference_text,
                   rv.id as revision, si.id as study_item
            from annotation_output o {joined}
            join annotation_itemalias a on a.item_id = i.id and a.value like 'demo:%'
            join annotation_submission su on su.id = o.submission_id
            join annotation_systemversion sv on sv.id = su.system_version_id
            join annotation_system s on s.id = sv.system_id
            join annotation_studysystem ss on ss.submission_id = su.id
            join annotation_studyitem si on si.revision_id = rv.id
            where o.superseded_by_id is null""")
        return [
            Output(
                row["id"], row["slug"], row["letter"], row["value"], row["number"], row["format"], row["task"],
                row["status"], row["reference_text"], clusters[row["revision"]], row["study_item"],
            )
            for row in found
        ]  # fmt: skip

    def _clusters(self) -> dict[str, str]:
        """Revision → cluster: joined by case key or by a shared input picture, until nothing moves any more."""
        members = [row["revision_id"] for row in self.rows("select revision_id from annotation_studyitem")]
        groups: dict[Any, set[str]] = defaultdict(set)
        for row in self.rows(f"select si.revision_id, i.case_key from annotation_studyitem si {JOINED.format('si')}"):
            if row["case_key"]:
                groups["case", row["case_key"]].add(row["revision_id"])
        for row in self.rows("select revision_id, asset_id from annotation_itemimage where role = 'input'"):
            groups["input", row["asset_id"]].add(row["revision_id"])
        name = {member: member for member in members}
        moved = True
        while moved:
            before = dict(name)
            for group in groups.values():
                smallest = min(name[member] for member in group)
                name |= dict.fromkeys(group, smallest)
            moved = name != before
        return name

    def values(self) -> dict[tuple[str, str], tuple[float | None, str]]:
        """(output, metric) → number or reason, of the output itself."""
        found = self.rows("""
            select v.output_id, s.metric, v.value, v.reason from scoring_metricvalue v
            join scoring_metricsettings s on s.id = v.settings_id where v.subject = 'output'""")
        return {(row["output_id"], row["metric"]): (row["value"], row["reason"]) for row in found}

    def scores(self) -> list[sqlite3.Row]:
        """Every score of every first and only grade: output, reader, criterion, value, reason, safety, cluster."""
        return self.rows("""
            select ro.output_id, e.reader_code, u.code || ':' || c.code as criterion, cs.value, cs.na_reason,
                   g.safety, si.cluster
            from annotation_criterionscore cs join annotation_grade g on g.id = cs.grade_id and g.version = 1
            join annotation_criterion c on c.id = cs.criterion_id join annotation_rubric u on u.id = c.rubric_id
            join annotation_readingoutput ro on ro.id = g.reading_output_id
            join annotation_reading r on r.id = ro.reading_id
            join annotation_studyitem si on si.id = r.study_item_id
            join annotation_enrollment e on e.id = r.enrollment_id""")


def manage(home: Path, *words: str, seconds: int = 240) -> str:
    """Run a command of the product on a home; what it prints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "DJANGO_"))}
    said = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=kept | {"MEDGEN_HOME": str(home)}, check=True, capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip
    return said.stdout


def answers() -> dict[tuple[str, str], dict[str, Any]]:
    """(system, sample id) → what the system handed in."""
    found = {}
    for system in (DATA / "outputs").iterdir():
        for code, record in _lines(f"outputs/{system.name}/*.jsonl", "sample_id").items():
            found[system.name, code] = record
    return found


def pixels(folder: Path, name: str) -> tuple[np.ndarray, float]:
    """A picture as stored in a file, gray where all channels are equal, and the span of its type."""
    array = np.asarray(PIL.Image.open(folder / name))
    span = 65535.0 if array.dtype != np.uint8 else 255.0
    if array.ndim == 3 and all(np.array_equal(array[..., 0], array[..., place]) for place in (1, 2)):
        return array[..., 0], span
    return array, span


def _lines(pattern: str, key: str) -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(DATA.glob(pattern)):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found[record[key]] = record | {"folder": path.parent}
    return found
