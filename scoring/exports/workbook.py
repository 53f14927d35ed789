"""The workbook: which sheets, in which order, from which rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.adjudication.queue import Case
from scoring.composites.combining import Declaration, OutputRow
from scoring.exports import (
    adjudication_rows,
    calibration_rows,
    codebook,
    grade_rows,
    missing_rows,
    number_rows,
    preference_rows,
    summary_rows,
)
from scoring.exports.cells import Notes, Style, Styled
from scoring.exports.package import Frame, Package
from scoring.exports.scope import Scope
from scoring.exports.sheets import Table, write_table
from scoring.exports.systems_columns import TITLE, WIDTHS
from scoring.exports.systems_sheet import SystemsSheet

SHEETS = (
    ("Read me", "what the file is, counts, how to read it"),
    ("Items", "what was asked: instruction, reference, source, license, cluster"),
    ("Grades", "one row per reader, output and criterion, every version, with reasons and times"),
    ("Matrix", "latest values, outputs by readers, for each criterion"),
    ("Adjudications", "what a further reader decided about flags and disagreements, with inputs and rationale"),
    ("Preferences", "what readers who compare outputs chose, every version, with places, harm and reasons"),
    ("Strengths", "wins and ties of every pair, strengths, side effect and agreement of those who compare"),
    ("Agreement", "every coefficient with interval, n and what is missing"),
    ("Metrics", "every automated value or the reason why there is none"),
    ("Judgments", "what judges and external metrics gave, every version, or the reason why there is nothing"),
    ("Calibration", "metrics and judges against the experts: certificates and courtroom, one row per number"),
    ("Systems", "the composite with live weights and formulas beside the exported numbers"),
    ("Missing", "everything that is not there, by kind, counted and listed"),
    ("Codebook", "every column, criterion, anchor, metric and code explained"),
    ("Provenance", "versions, seeds, hashes, and what was cut or replaced while writing"),
)


@dataclass(frozen=True)
class Head:
    """The newest link of the study's chain when the file was written."""

    sequence: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Computed:
    """The numbers that pages show.

    Attributes:
        board: the leaderboard.
        agreement: the agreement between readers.
        declaration: the composite; None when it has no components yet.
        rows: the rows that the leaderboard was computed from.
        hashes: further hashes for the provenance.
        head: the link that carries all grades written.
        preferences: what the page of preferences shows.
        calibration: certificates and courtroom, as their pages show them.
    """

    board: Mapping[str, Any]
    agreement: Mapping[str, Any]
    declaration: Declaration | None
    rows: Sequence[OutputRow]
    hashes: Mapping[str, Any]
    head: Head = Head()
    preferences: Mapping[str, Any] = field(default_factory=lambda: {"criteria": ()})
    calibration: Mapping[str, Any] = field(default_factory=dict)


def write_workbook(
    path: Path, scope: Scope, computed: Computed, counts: Mapping[str, int], cases: Sequence[Case]
) -> Notes:
    """Write the file; returns what had to be changed while writing.

    Raises:
        SheetFullError: more rows than a sheet holds.
    """
    notes = Notes(withheld=scope.withheld)
    before = _sheets_before_systems(scope, computed, counts, cases)
    tables = (
        *(table for table, _ in before),
        missing_rows.MISSING,
        codebook.CODEBOOK,
        summary_rows.PROVENANCE,
    )
    with Package(path, made_at=scope.made_at, title="MedGEN score sheet", notes=notes) as package:
        for table, rows in before:
            write_table(package, table, rows, banner=scope.banner)
        _write_systems(package, scope, computed)
        write_table(package, missing_rows.MISSING, missing_rows.missing_rows(scope), banner=scope.banner)
        write_table(package, codebook.CODEBOOK, codebook.codebook_rows(scope, tables), banner=scope.banner)
        trail = summary_rows.trail_rows(scope, computed.head.sequence, computed.head.hash)
        facts = summary_rows.provenance_rows(
            scope, computed.hashes, computed.board, computed.agreement, notes, trail=trail
        )
        write_table(package, summary_rows.PROVENANCE, facts, banner=scope.banner)
    return notes


def _sheets_before_systems(
    scope: Scope, computed: Computed, counts: Mapping[str, int], cases: Sequence[Case]
) -> list[tuple[Table, Iterable[Sequence[Any]]]]:
    """Each sheet with its rows, which are read while it is written."""
    codes = grade_rows.readers(scope.study)
    said = summary_rows.read_me_rows(scope, counts, computed.head.sequence, computed=computed.declaration is not None)
    return [
        (summary_rows.READ_ME, said),
        (grade_rows.ITEMS, grade_rows.item_rows(scope)),
        (grade_rows.GRADES, grade_rows.grade_rows(scope)),
        (grade_rows.matrix_table(codes), grade_rows.matrix_rows(scope, codes)),
        (adjudication_rows.ADJUDICATIONS, adjudication_rows.adjudication_rows(scope, cases)),
        (preference_rows.PREFERENCES, preference_rows.preference_rows(scope)),
        (preference_rows.STRENGTHS, preference_rows.strength_rows(computed.preferences)),
        (number_rows.AGREEMENT, number_rows.agreement_rows(computed.agreement)),
        (number_rows.METRICS, number_rows.metric_rows(scope)),
        (calibration_rows.JUDGMENTS, calibration_rows.judgment_rows(scope)),
        (calibration_rows.CALIBRATION, calibration_rows.calibration_rows(computed.calibration)),
    ]


def _write_systems(package: Package, scope: Scope, computed: Computed) -> None:
    """Title and advice stay in sight; the block of outputs has the filter."""
    with package.sheet("Systems", Frame(widths=WIDTHS, frozen=2, banner=scope.banner)) as sheet:
        if computed.declaration is None:
            sheet.append([Styled(TITLE, Style.TITLE)])
            sheet.append([summary_rows.UNDEFINED_NUMBERS])
            return
        systems = SystemsSheet(computed.declaration, computed.rows, computed.board, scope.names)
        for place, row in enumerate(systems.rows()):
            banner = place == 0 and scope.banner
            sheet.append([*row, None, None, None, Styled(scope.banner, Style.BANNER)] if banner else row)
        sheet.filter(*systems.filtered)
