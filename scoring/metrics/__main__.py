"""Score outputs against references from the command line, without Django or a database."""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scoring.metrics.base import Metric
from scoring.metrics.comparison import Comparison
from scoring.metrics.evaluate import MetricRow, evaluate
from scoring.metrics.files import LINES, TEXTS, Reading, UsageError, comparisons
from scoring.metrics.registry import METRICS, PROFILES, Profile, find_metric
from scoring.metrics.summary import summarize


def parser() -> argparse.ArgumentParser:
    """Arguments of `python -m scoring.metrics`."""
    found = argparse.ArgumentParser(
        prog="python -m scoring.metrics",
        description="Score two files, two folders paired by file stem, or two JSONL files paired by id.",
        epilog="Exit codes: 0 done (a typed reason is not a failure), 1 something was refused, 2 wrong usage.",
    )
    found.add_argument("output", type=Path, help="what a system made: file, folder or JSONL")
    found.add_argument("reference", type=Path, help="what is expected: of the same kind")
    found.add_argument("--metrics", help="codes separated by commas; default: all of the profile that fit")
    found.add_argument("--profile", choices=list(PROFILES), default="recommended")
    found.add_argument("--data-range", type=_positive, help="span of intensities; default: the files' bit depth")
    found.add_argument("--json", action="store_true", help="print {id: {metric: value or reason}} on stdout")
    return found


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def chosen_metrics(codes: str | None, profile: Profile, path: Path) -> list[Metric]:
    """Metrics by code, or those of the profile that fit the kind of input.

    Raises:
        ValueError: an unknown code, with the nearest names.
    """
    if codes is not None:
        names = [code.strip() for code in codes.split(",") if code.strip()]
        if not names:
            raise ValueError("--metrics names no metric")
        known = {**METRICS, **profile.metrics}
        return [find_metric(name, known) for name in dict.fromkeys(names)]
    tiers = _tiers(path)
    return [metric for metric in profile.metrics.values() if metric.tier in tiers]


def _tiers(path: Path) -> set[str]:
    """Tiers that can have values: texts give semantic ones, pictures give pixel ones."""
    files = [path]
    if path.is_dir():
        files = [entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    worded = {file.suffix.lower() in TEXTS | LINES for file in files}
    return {"semantic" if words else "pixel" for words in worded} or {"pixel"}


def cell(row: MetricRow) -> dict[str, Any]:
    """One value or reason as the JSON contract has it, with flags and message beside it."""
    found: dict[str, Any] = {"value": row.value} if row.reason is None else {"reason": row.reason}
    if row.message:
        found["message"] = row.message
    if row.flags:
        found["flags"] = list(row.flags)
    return {**found, "settings": {**row.settings, "version": row.version, "hash": row.settings_hash}}


def _progress(items: Iterable[Comparison]) -> Iterable[Comparison]:
    if not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    bar: Iterator[Comparison] = tqdm(items, unit=" outputs", delay=1, file=sys.stderr)
    return bar


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: words after the command; those of the process when None.

    Returns:
        0 done, 1 something was refused or failed, 2 wrong usage.
    """
    options = parser().parse_args(arguments)
    profile = PROFILES[options.profile]
    reading = Reading(profile.policy, options.data_range)
    try:
        pairs = comparisons(options.output, options.reference, reading)
        metrics = chosen_metrics(options.metrics, profile, options.reference)
        rows = list(evaluate(metrics, _progress(pairs), data_range=options.data_range))
    except (UsageError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for problem in reading.problems:
        sys.stderr.write(f"refused {problem}\n")
    _print(rows, metrics, as_json=options.json)
    undefined = sum(row.reason is not None for row in rows)
    if undefined:
        sys.stderr.write(f"{undefined} of {len(rows)} values are undefined; each has its reason\n")
    failed = any(row.reason in {"failed", "unavailable"} for row in rows)
    return 1 if reading.problems or failed else 0


def _print(rows: Sequence[MetricRow], metrics: Sequence[Metric], *, as_json: bool) -> None:
    if as_json:
        document: dict[str, dict[str, Any]] = {}
        for row in rows:
            document.setdefault(row.key, {})[row.metric] = cell(row)
        sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
        return
    for row in rows:
        result = f"{row.value:.6g}" if row.value is not None else f"- {row.reason}: {row.message}"
        sys.stdout.write(f"{row.key}\t{row.metric}\t{result}{_words(row.flags)}\n")
    for metric in metrics if len({row.key for row in rows}) > 1 else ():
        sys.stdout.write(f"mean\t{metric.code}\t{_mean([row for row in rows if row.metric == metric.code])}\n")


def _mean(rows: Sequence[MetricRow]) -> str:
    try:
        total = summarize(rows)
    except ValueError as error:
        return f"- {error}"
    mean = "-" if total.mean is None else f"{total.mean:.6g}"
    reasons = "".join(f"; {reason} {count}" for reason, count in total.undefined.items())
    return f"{mean}\tscored {total.scored} of {total.expected}{reasons}"


def _words(flags: Sequence[str]) -> str:
    return f"\t[{', '.join(flags)}]" if flags else ""


if __name__ == "__main__":
    sys.exit(main())
