"""What a file or folder holds, for a person to look at before anything is written."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from annotation.formats import taxonomy
from annotation.formats.medgen_bench import OUTPUT_LAYOUTS
from annotation.formats.parquet import PARQUET, term_counts
from annotation.formats.problems import Problem
from annotation.formats.reading import AUTO, DataFile, Kind, Outcome, common_layout, data_files, read_records
from annotation.formats.records import ItemRecord, OutputRecord

MAX_LINES = 100_000
MAX_PROBLEMS = 50
FIRST = 3


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file: its layout and its number of lines that are not blank, up to the cap."""

    name: str
    layout: str
    lines: int


@dataclass(frozen=True, slots=True)
class LayoutReport:
    """What `describe` found.

    Attributes:
        layout: as `detect_layout` says.
        kind: items or outputs, as asked for or as the layouts suggest.
        files: the files with records.
        first: the first three records.
        problems: the first fifty problems and remarks.
        lines: lines that are not blank, over all files.
        n_records: lines that became a record.
        n_problems: lines that were refused.
        n_fixtures: records of the benchmark's smoke fixtures.
        capped: True when there are more lines than were looked at; all counts are then of those looked at.
        formats, tasks: records by canonical code; "" where an output does not say.
        modalities: items by canonical code; "" for unmapped ones.
        unmapped: items by raw spelling of a modality that is not known.
        statuses: outputs by status; empty for items.
    """

    layout: str
    kind: Kind
    files: tuple[FileReport, ...]
    first: tuple[ItemRecord | OutputRecord, ...]
    problems: tuple[Problem, ...]
    lines: int
    n_records: int
    n_problems: int
    n_fixtures: int
    capped: bool
    formats: dict[str, int]
    tasks: dict[str, int]
    modalities: dict[str, int]
    unmapped: dict[str, int]
    statuses: dict[str, int]


class _Tally:
    """Counts that grow with each outcome."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.formats: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.modalities: Counter[str] = Counter()
        self.unmapped: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.first: list[ItemRecord | OutputRecord] = []
        self.problems: list[Problem] = []
        self.n_records = self.n_problems = self.n_fixtures = 0

    def add(self, outcome: Outcome) -> None:
        if isinstance(outcome, Problem):
            self.lines[outcome.file] += outcome.fatal
            self.n_problems += outcome.fatal
            if len(self.problems) < MAX_PROBLEMS:
                self.problems.append(outcome)
            return
        self.lines[outcome.file] += 1
        self.n_records += 1
        self.n_fixtures += outcome.is_fixture
        self.formats[outcome.format] += 1
        self.tasks[outcome.task] += 1
        if len(self.first) < FIRST:
            self.first.append(outcome)
        if isinstance(outcome, OutputRecord):
            self.statuses[outcome.status] += 1
        else:
            self.modalities[outcome.modality or ""] += 1
            if outcome.modality is None:
                self.unmapped[outcome.raw_terms.get("modality", "")] += 1

    def add_rows(self, file: DataFile, outcomes: Iterator[Outcome]) -> None:
        """Add a parquet file: its first rows to show, and all its rows by their terms, without reading images."""
        for outcome in islice(outcomes, FIRST):
            if isinstance(outcome, Problem):
                self.problems.append(outcome)
            elif len(self.first) < FIRST:
                self.first.append(outcome)
        total, tasks, modalities = term_counts(file.path, file.name)
        self.lines[file.name] = total
        self.n_records += total
        for raw, count in tasks.items():
            code = taxonomy.canonical_task(raw) or ""
            self.tasks[code] += count
            self.formats[taxonomy.TASKS[code].format if code else ""] += count
        for raw, count in modalities.items():
            known = taxonomy.canonical_modality(raw) or ""
            self.modalities[known] += count
            if not known:
                self.unmapped[raw] += count


def describe(
    path: Path | str,
    *,
    kind: Kind | None = None,
    layout: str = AUTO,
    images: Path | str | None = None,
    scratch: Path | str | None = None,
    cap: int = MAX_LINES,
) -> LayoutReport:
    """Return what a file or folder holds, without writing anything but embedded images into `scratch`.

    JSONL lines are fully checked, up to the cap. Of a parquet file only the first three rows are, as each row
    carries its images; the others are counted by their terms.

    Args:
        path: as for `read_records`.
        kind: items or outputs; None lets the layouts decide.
        layout: as for `read_records`.
        images: as for `read_records`.
        scratch: folder for images embedded in a parquet file; without it they are gone when this returns.
        cap: number of lines after which counting stops.

    Raises:
        FormatError: as `read_records`.
    """
    files = data_files(Path(path), layout=layout)
    if kind is None:
        kind = "outputs" if any(file.layout in OUTPUT_LAYOUTS for file in files) else "items"
    tally = _Tally()
    capped = False
    with tempfile.TemporaryDirectory() as folder:
        if any(file.layout == PARQUET for file in files):
            for file in files:
                own = read_records(file.path, kind=kind, images=images, scratch=scratch or folder)
                capped = _tallied(tally, file, own, cap) or capped
        else:
            whole = read_records(path, kind=kind, layout=layout, images=images)
            capped = _tallied(tally, None, whole, cap)
    return _report(tally, files, kind, capped)


def _tallied(tally: _Tally, file: DataFile | None, outcomes: Iterator[Outcome], cap: int) -> bool:
    """Add outcomes until the cap; return whether there are more."""
    if file is not None and file.layout == PARQUET:
        tally.add_rows(file, outcomes)
        return False
    for outcome in outcomes:
        if tally.lines.total() >= cap:
            return True
        tally.add(outcome)
    return False


def _report(tally: _Tally, files: list[DataFile], kind: Kind, capped: bool) -> LayoutReport:
    return LayoutReport(
        layout=common_layout(files),
        kind=kind,
        files=tuple(FileReport(file.name, file.layout, tally.lines[file.name]) for file in files),
        first=tuple(tally.first),
        problems=tuple(tally.problems),
        lines=tally.lines.total(),
        n_records=tally.n_records,
        n_problems=tally.n_problems,
        n_fixtures=tally.n_fixtures,
        capped=capped,
        formats=dict(tally.formats),
        tasks=dict(tally.tasks),
        modalities=dict(tally.modalities),
        unmapped=dict(tally.unmapped),
        statuses=dict(tally.statuses),
    )
