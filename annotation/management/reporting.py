"""What the import commands print: a bar while they work, the refusals, a summary in words or JSON."""

import json
import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from django.core.management.base import CommandError
from tqdm import tqdm

from annotation.datasets.errors import DatasetError, ImportRefusedError
from annotation.datasets.jobs import ImportSummary
from annotation.systems.coverage import CoverageRow

SHOWN = 200


class Writer(Protocol):
    """Standard output as a command has it."""

    def write(self, msg: str) -> None: ...

    def flush(self) -> None: ...


class ProgressBar:
    """A bar on a terminal for each stage that takes longer than a second; nothing anywhere else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[int] | None = None
        self._stage = ""

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *trace: object) -> None:
        self._close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage or self._bar is None:
            self._close()
            self._stage = stage
            self._bar = tqdm(
                total=total or None, desc=stage, unit="lines", file=self._stream, delay=1, leave=False, disable=None
            )
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def run_import(run: Callable[[], ImportSummary]) -> ImportSummary:
    """Run an import; what cannot be read at all is wrong usage (2), what was interrupted has failed (1)."""
    try:
        return run()
    except ImportRefusedError as problem:
        raise CommandError(str(problem), returncode=2) from problem
    except DatasetError as problem:
        raise CommandError(str(problem), returncode=1) from problem


def finish(
    summary: ImportSummary,
    *,
    target: str,
    as_json: bool,
    dry_run: bool,
    out: Writer,
    covered: CoverageRow | None = None,
) -> None:
    """Print problems and summary, with what a submission covers now; exit 1 when a line was refused."""
    _print_problems(summary)
    if as_json:
        said = _as_json(summary, target, dry_run)
        if covered is not None:
            said["coverage"] = {"expected": covered.n_expected, **covered.by_status}
        out.write(json.dumps(said, ensure_ascii=False) + "\n")
    else:
        out.write(_in_words(summary, target, dry_run) + "\n")
        if covered is not None:
            counts = ", ".join(f"{count} {status}" for status, count in sorted(covered.by_status.items()))
            out.write(f"{summary.submission.code} covers {covered.ok} of {covered.n_expected}: {counts}\n")
    out.flush()
    if summary.refused:
        raise SystemExit(1)


def _print_problems(summary: ImportSummary) -> None:
    for problem in summary.problems[:SHOWN]:
        sys.stderr.write(f"{problem}\n" if problem.fatal else f"note: {problem}\n")
    left_out = len(summary.problems) - SHOWN
    if left_out > 0:
        sys.stderr.write(f"… and {left_out} more; --json has them all\n")


def _in_words(summary: ImportSummary, target: str, dry_run: bool) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary.counts().items())
    lead = f"{target}: {counts} ({summary.lines} lines, layout {summary.layout})"
    if summary.quarantined:
        lead += f"\n{summary.quarantined} images may show identifying text and wait in quarantine for a curator"
    return f"Dry run, nothing was written. {lead}" if dry_run else lead


def _as_json(summary: ImportSummary, target: str, dry_run: bool) -> dict[str, object]:
    return {
        "target": target,
        "dry_run": dry_run,
        "job": str(summary.job.pk) if summary.job else None,
        "submission": str(summary.submission.pk) if summary.submission else None,
        "layout": summary.layout,
        "lines": summary.lines,
        **summary.counts(),
        "quarantined": None if dry_run else summary.quarantined,
        "problems": [
            {
                "file": problem.file, "line": problem.line, "field": problem.field, "value": problem.value,
                "rule": problem.rule, "refused": problem.fatal,
            }
            for problem in summary.problems
        ],
    }  # fmt: skip
