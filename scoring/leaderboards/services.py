"""The leaderboard of a study: composite with interval and rank, tiers beside it, receipts, what is missing."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from annotation.formats import taxonomy
from annotation.studies import freezing
from annotation.studies.models import Study
from scoring.agreement.models import AnalysisRun
from scoring.agreement.state import Analysis
from scoring.composites.combining import (
    Declaration,
    OutputRow,
    Standing,
    cannot_rank,
    compare_systems,
    inputs_hash,
    rank_changes_within,
    tier_columns,
)
from scoring.composites.inputs import output_rows
from scoring.composites.services import declaration_of, present_composite
from scoring.composites.state import board_state
from scoring.leaderboards.rows import pair_row

CODE_VERSION = "6"
SEED = 20251113
READERS, ADJUDICATED = "readers", "adjudicated"


def leaderboard(study: Study, *, adjudicated: bool = False) -> dict[str, Any]:
    """Everything the page, the workbook and the command show; recomputed only when an input changed.

    The number of a system never depends on which others are on the board. Until the study is locked the result is a
    preview and says so; then it carries the hash of the freeze. Readers' own grades enter, unless adjudicated values
    are asked for: then the decided value of a criterion stands in their place. Decided flags count either way.
    """
    composite = present_composite(study)
    declaration = declaration_of(composite)
    values = ADJUDICATED if adjudicated else READERS
    analysis = Analysis[list[OutputRow]](
        study=study,
        kind=AnalysisRun.Kind.LEADERBOARD,
        code_version=CODE_VERSION,
        seed=SEED,
        parameters={"composite": composite.version, "values": values},
    )
    result, digest = analysis.result(
        board_state(study, composite),
        read=lambda: output_rows(study, declaration, adjudicated=adjudicated),
        digest=lambda rows: f"{CODE_VERSION}:{inputs_hash(declaration, rows)}"[:64],
        compute=lambda rows: _compute(declaration, rows),
    )
    return result | {
        "preview": not study.is_final,
        "values": values,
        "frozen": freezing.newest_hash(study),
        "study": study.slug,
        "release": str(study.release),
        "validation": study.release.validation_words,
        "composite_version": composite.version,
        "inputs_hash": digest,
    }


def _compute(declaration: Declaration, rows: list[OutputRow]) -> dict[str, Any]:
    if not rows:
        return {
            "systems": [],
            "comparisons": [],
            "formats": [],
            "disagreements": [],
            "missing": {},
            "declaration": [],
        }
    overall = compare_systems(declaration, rows, seed=SEED)
    formats = [_format(declaration, rows, name) for name in declaration.formats]
    letters = [one.composite.system for one in overall.systems]
    moves = rank_changes_within(declaration, rows)
    return {
        "systems": [_system(one, letters) for one in overall.systems],
        "comparisons": [pair_row(pair) for pair in overall.pairs],
        "family": overall.family,
        "n_clusters": overall.n_clusters,
        "draws": overall.draws,
        "seed": overall.seed,
        "weighting": overall.systems[0].composite.weighting,
        "formats": formats,
        "disagreements": [row for one in formats for row in one["disagreements"]],
        "rank_stability": plain(moves),
        "declaration": [asdict(component) for component in declaration.components],
        "missing": _missing(rows),
    }


def _system(one: Standing, letters: list[str]) -> dict[str, Any]:
    """The contract's keys first, then what only the page shows."""
    composite, counts = one.composite, one.composite.counts
    pending = None
    if composite.refuted is not None or composite.confirmed is not None:
        pending = {"refuted": composite.refuted, "confirmed": composite.confirmed}
    return {
        "code": composite.system,
        "n_expected": counts.n_expected,
        "n_scored": counts.n_scored,
        "n_failed": counts.n_failed,
        "n_missing": counts.n_missing,
        "n_without_tier": counts.n_without_tier,
        "n_vetoed": counts.n_vetoed,
        "n_pending": counts.n_pending,
        "n_refuted": counts.n_refuted,
        "n_capped": counts.n_capped,
        "n_items": counts.n_items,
        "n_clusters": counts.n_clusters,
        "n_readings": counts.n_readings,
        "failures": dict(counts.failures),
        "absent": {code: dict(reasons) for code, reasons in counts.absent.items()},
        "composite": composite.value,
        "of_scored": composite.of_scored,
        "low": one.interval.low if one.interval else None,
        "high": one.interval.high if one.interval else None,
        "reason": one.interval_reason,
        "rank": one.rank,
        "rank_if_confirmed": one.rank_if_confirmed,
        "rank_low": one.rank_interval.low if one.rank_interval else None,
        "rank_high": one.rank_interval.high if one.rank_interval else None,
        "components": dict(composite.by_format),
        "pending": pending,
        "inputs_hash": composite.inputs_hash,
    }


def _format(declaration: Declaration, rows: list[OutputRow], name: str) -> dict[str, Any]:
    """One format: standings, and each component over everything it has."""
    comparison = compare_systems(declaration, rows, seed=SEED, formats=[name])
    letters = sorted({row.system for row in rows})
    by_code: dict[str, list[Any]] = {}
    for letter in letters:
        own = [row for row in rows if row.system == letter]
        for column in tier_columns(declaration, own, system=letter, format_name=name, seed=SEED):
            by_code.setdefault(column.code, []).append(column)
    components = [
        {
            "code": component.code,
            "tier": component.tier,
            "source": component.source,
            "low": component.low,
            "high": component.high,
            "direction": component.direction,
            "weight": declaration.weights_of(name)[component.code],
            "cannot_rank": cannot_rank(by_code[component.code]),
            "systems": {column.system: _column(column) for column in by_code[component.code]},
        }
        for component in declaration.components_of(name)
    ]
    return {
        "format": name,
        "label": taxonomy.format_label(name),
        "systems": [_system(one, letters) for one in comparison.systems],
        "comparisons": [pair_row(pair) for pair in comparison.pairs],
        "family": comparison.family,
        "n_clusters": comparison.n_clusters,
        "components": components,
        "disagreements": _disagreements(name, components),
    }


def _column(column: Any) -> dict[str, Any]:
    return {
        "mean": column.mean,
        "n": column.n,
        "n_clusters": column.n_clusters,
        "n_identical": column.n_identical,
        "reasons": dict(column.reasons),
        "low": column.interval.low if column.interval else None,
        "high": column.interval.high if column.interval else None,
        "reason": column.interval_reason,
    }


def _disagreements(name: str, components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Metrics whose best system is not the readers' best, with both orders: where the tiers part."""
    clinical = next((one for one in components if one["tier"] == "clinical"), None)
    if clinical is None:
        return []
    readers = _order(clinical)
    found = []
    for one in components:
        metric = _order(one) if one["tier"] != "clinical" else []
        if len(metric) > 1 and len(readers) > 1 and metric[0] != readers[0]:
            found.append(
                {
                    "format": name,
                    "label": taxonomy.format_label(name),
                    "metric": one["code"],
                    "preferred": metric[0],
                    "place_with_readers": readers.index(metric[0]) + 1 if metric[0] in readers else None,
                    "n_systems": len(readers),
                    "metric_order": metric,
                    "reader_order": readers,
                }
            )
    return found


def _order(component: dict[str, Any]) -> list[str]:
    """Systems from best to worst mean."""
    rising = (component["low"] < component["high"]) == (component["direction"] == "higher_better")
    means = {letter: row["mean"] for letter, row in component["systems"].items() if row["mean"] is not None}
    return sorted(means, key=lambda letter: (-means[letter] if rising else means[letter], letter))


def _missing(rows: list[OutputRow]) -> dict[str, dict[str, int]]:
    """Outputs by status and system, over all items of the study."""
    letters = sorted({row.system for row in rows})
    counted = Counter((row.status, row.system) for row in rows)
    statuses = sorted({row.status for row in rows})
    return {status: {letter: counted[status, letter] for letter in letters} for status in statuses}


def plain(value: Any) -> Any:
    """Dataclasses as JSON."""
    if hasattr(value, "__dataclass_fields__"):
        return {key: plain(entry) for key, entry in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return value


def receipt(
    study: Study, letter: str, format_name: str | None = None, *, adjudicated: bool = False
) -> dict[str, Any]:
    """The rows behind one number: their contributions sum to it, bit for bit.

    Raises:
        KeyError: no system of this letter, or no such format, in the study.
    """
    from scoring.composites.combining import combine

    declaration = declaration_of(present_composite(study))
    rows = output_rows(study, declaration, adjudicated=adjudicated)
    if letter not in {row.system for row in rows}:
        raise KeyError(letter)
    if format_name is not None and format_name not in declaration.formats:
        raise KeyError(format_name)
    composite = combine(declaration, rows, system=letter, formats=[format_name] if format_name else None)
    return {
        "composite": composite,
        "declaration": declaration,
        "lines": composite.receipt,
        "counts": composite.counts,
    }
