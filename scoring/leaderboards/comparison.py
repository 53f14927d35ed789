"""Systems compared on the composite or on one criterion: differences, ranks, groups, and readers' severity.

Everything comes from `compare_systems`, so that a difference here is the one on the leaderboard. A criterion is
compared on graded outputs only and in the unit of its scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from annotation.formats import taxonomy
from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Criterion, Reading, Study
from scoring.agreement.ratings import scale
from scoring.agreement.state import Analysis
from scoring.composites.combining import (
    Component,
    Declaration,
    OutputRow,
    SystemComparison,
    compare_systems,
    inputs_hash,
)
from scoring.composites.comparing import Standing
from scoring.composites.inputs import output_rows, study_outputs
from scoring.composites.services import declaration_of, present_composite, study_formats
from scoring.composites.state import board_state
from scoring.leaderboards.rows import ends, pair_row
from scoring.leaderboards.services import SEED, leaderboard
from scoring.statistics import FacetFit, UndefinedStatisticError, many_facet

CODE_VERSION = "1"
KIND = "comparison"
COMPOSITE = "composite"
SIGNIFICANT = 0.05
CLINICAL = "clinical"


class ComparisonError(ValueError):
    """A measure or format that the study does not have; the message names what there is."""


class Score(NamedTuple):
    """One reader's latest value on one output."""

    system: str
    reader: str
    item: str
    cluster: str
    format: str
    value: float


def comparison(study: Study, *, measure: str = COMPOSITE, format_name: str = "") -> dict[str, Any]:
    """Everything the page and programs show of one comparison; recomputed only when an input changed.

    Args:
        study: whose systems.
        measure: "composite", or a criterion as `rubric:criterion`.
        format_name: a format; empty for the mean over formats.

    Raises:
        ComparisonError: a measure or format that the study does not have.
    """
    measures, formats = measures_of(study), study_formats(study)
    if measure not in measures:
        raise ComparisonError(f"measure: {measure[:60]!r} is not in this study; there is {', '.join(measures)}")
    if format_name and format_name not in formats:
        raise ComparisonError(f"format: {format_name[:60]!r} is not in this study; there is {', '.join(formats)}")
    found = _composite(study, format_name) if measure == COMPOSITE else _criterion(study, measure, format_name)
    return found | {
        "study": study.slug,
        "preview": not study.is_final,
        "measure": measure,
        "format": format_name,
        "measures": [{"code": code, "label": label} for code, label in measures.items()],
        "formats": [{"code": code, "label": taxonomy.format_label(code)} for code in formats],
        "groups": groups(found["systems"], found["pairs"]),
        "significant": SIGNIFICANT,
    }


def measures_of(study: Study) -> dict[str, str]:
    """What systems can be compared on: code → words."""
    return {COMPOSITE: "Composite"} | {code: one.label for code, one in criteria_of(study).items()}


def criteria_of(study: Study) -> dict[str, Criterion]:
    """Criteria of the study by `rubric:criterion`, in the order that readers see."""
    rows = Criterion.objects.filter(rubric__study_rubrics__study=study).select_related("rubric")
    ordered = rows.order_by("rubric__study_rubrics__position", "position")
    return {f"{one.rubric.code}:{one.code}": one for one in ordered}


def groups(systems: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Runs of neighboring systems, best first, that no test of the family tells apart; the longest ones only."""
    order = [one["code"] for one in systems if one["value"] is not None]
    apart = {
        frozenset((pair["first"], pair["second"]))
        for pair in pairs
        if pair["p_holm"] is None or pair["p_holm"] < SIGNIFICANT
    }
    found: list[list[str]] = []
    for start in range(len(order)):
        end = start
        while end + 1 < len(order) and not any(
            frozenset((order[one], order[end + 1])) in apart for one in range(start, end + 1)
        ):
            end += 1
        run = order[start : end + 1]
        if len(run) > 1 and not any(set(run) <= set(longer) for longer in found):
            found.append(run)
    return found


def _composite(study: Study, format_name: str) -> dict[str, Any]:
    """The leaderboard's own standings and pairs, under the names of this page."""
    board = leaderboard(study)
    part = board if not format_name else next((f for f in board["formats"] if f["format"] == format_name), {})
    keep = ("code", "low", "high", "reason", "rank", "rank_low", "rank_high", "n_items", "n_clusters", "n_readings")
    return {
        "systems": [
            {name: one[name] for name in keep} | {"value": one["composite"]} for one in part.get("systems", [])
        ],
        "pairs": part.get("comparisons", []),
        "family": part.get("family", ""),
        "n_clusters": part.get("n_clusters", 0),
        "weighting": board.get("weighting", ""),
        "low": 0.0,
        "high": 1.0,
        "higher_is_better": True,
        "stability": board.get("rank_stability", {}) if not format_name else {},
        "facets": None,
        "inputs_hash": board["inputs_hash"],
        "seed": SEED,
    }


def _criterion(study: Study, code: str, format_name: str) -> dict[str, Any]:
    criterion, composite = criteria_of(study)[code], present_composite(study)
    formats = [format_name] if format_name else study_formats(study)
    weighting = declaration_of(composite).weighting if composite.components.exists() else "macro_by_task"
    declaration = Declaration(
        code=f"{study.slug}:{code}",
        version="1",
        components=(_component(criterion, code),),
        formats=dict.fromkeys(formats, 1.0),
        weighting=weighting,
    )
    analysis = Analysis[tuple[list[OutputRow], list[Score]]](
        study=study,
        kind=KIND,
        code_version=CODE_VERSION,
        seed=SEED,
        parameters={"measure": code, "format": format_name},
    )
    result, digest = analysis.result(
        board_state(study, composite),
        read=lambda: (_rows(study, declaration), scores_of(study, criterion, formats)),
        digest=lambda read: f"{CODE_VERSION}:{inputs_hash(declaration, read[0])}"[:64],
        compute=lambda read: _compute(declaration, criterion, *read),
    )
    return result | {"inputs_hash": digest, "seed": SEED}


def _component(criterion: Criterion, code: str) -> Component:
    levels = scale(criterion)
    worse = criterion.direction == Criterion.Direction.HIGHER_WORSE
    return Component(
        code=CLINICAL,
        tier="clinical",
        source=f"rubric:{code}",
        low=levels[0],
        high=levels[-1],
        weight=1.0,
        direction="higher_worse" if worse else "higher_better",
    )


def _rows(study: Study, declaration: Declaration) -> list[OutputRow]:
    """Graded outputs only, without flags: a veto belongs to the composite, not to a criterion's mean."""
    wide = Declaration(
        code=declaration.code,
        version="1",
        components=declaration.components,
        formats=dict.fromkeys(study_formats(study), 1.0),
    )
    rows = [row for row in output_rows(study, wide) if row.format in declaration.formats]
    return [
        OutputRow(
            system=row.system,
            item=row.item,
            cluster=row.cluster,
            format=row.format,
            task=row.task,
            values=row.values,
        )
        for row in rows
        if row.status == "ok" and row.values.get(CLINICAL)
    ]


def scores_of(study: Study, criterion: Criterion, formats: Sequence[str] = ()) -> list[Score]:
    """The latest value of every main reading on one criterion, in the order of items, systems and readers."""
    outputs = {
        row.output.pk: (row.letter, row.study_item.revision.item.code, row.study_item.cluster,
                        row.study_item.revision.format)
        for row in study_outputs(study)
    }  # fmt: skip
    given = CriterionScore.objects.filter(
        criterion=criterion,
        grade__stage=Grade.Stage.WITH,
        grade__reading_output__reading__study=study,
        grade__reading_output__reading__role=Reading.Role.MAIN,
    ).exclude(grade__reading_output__reading__status=Reading.Status.VOID)
    newest: dict[int, tuple[Any, ...]] = {}
    for shown, *facts in given.order_by("grade__version").values_list(
        "grade__reading_output_id", "grade__reading_output__output_id",
        "grade__reading_output__reading__enrollment__reader_code", "value",
    ):  # fmt: skip
        newest[shown] = tuple(facts)
    found = []
    for output, reader, value in newest.values():
        if output in outputs and value is not None:
            letter, item, cluster, format_name = outputs[output]
            if not formats or format_name in formats:
                found.append(Score(letter, reader or "", item, cluster, format_name, value))
    return sorted(found, key=lambda one: (one.item, one.system, one.reader))


def _compute(
    declaration: Declaration, criterion: Criterion, rows: list[OutputRow], scores: list[Score]
) -> dict[str, Any]:
    levels = scale(criterion)
    better = criterion.direction != Criterion.Direction.HIGHER_WORSE
    head = {
        "low": levels[0],
        "high": levels[-1],
        "higher_is_better": better,
        "stability": {},
        "facets": facets(scores, levels),
    }
    if not rows:
        return head | {"systems": [], "pairs": [], "family": "", "n_clusters": 0, "weighting": ""}
    present = {row.format for row in rows}
    declared = replace(declaration, formats={name: 1.0 for name in declaration.formats if name in present})
    compared = compare_systems(declared, rows, seed=SEED)
    return head | _on_the_scale(compared, levels[0], levels[-1], better=better)


def _on_the_scale(compared: SystemComparison, low: float, high: float, *, better: bool) -> dict[str, Any]:
    """Standings and differences brought back from 0…1 to the scale of the criterion."""
    span, base = (high - low, low) if better else (low - high, high)
    return {
        "systems": [_system_row(one, span, base) for one in compared.systems],
        "pairs": [pair_row(pair, span=span) for pair in compared.pairs],
        "family": compared.family,
        "n_clusters": compared.n_clusters,
        "weighting": compared.systems[0].composite.weighting,
    }


def _system_row(one: Standing, span: float, base: float) -> dict[str, Any]:
    low, high = ends(one.interval, start=base, span=span)
    value = one.composite.value
    return {
        "code": one.composite.system,
        "value": None if value is None else base + span * value,
        "low": low,
        "high": high,
        "reason": one.interval_reason,
        "rank": one.rank,
        "rank_low": one.rank_interval.low if one.rank_interval else None,
        "rank_high": one.rank_interval.high if one.rank_interval else None,
        "n_items": one.composite.counts.n_items,
        "n_clusters": one.composite.counts.n_clusters,
        "n_readings": one.composite.counts.n_readings,
    }


def facets(scores: Sequence[Score], levels: Sequence[float]) -> dict[str, Any]:
    """Adjusted means of systems and severities of readers; without items where readers share too few of them."""
    for with_items in (True, False):
        try:
            fit = many_facet(
                np.array([one.value for one in scores]),
                systems=[one.system for one in scores],
                readers=[one.reader for one in scores],
                clusters=[one.cluster for one in scores],
                items=[one.item for one in scores] if with_items else None,
                categories=levels,
            )
            return _facets(fit, with_items=with_items)
        except UndefinedStatisticError as problem:
            if problem.reason != "unconnected" or not with_items:
                return {"reason": str(problem), "systems": [], "readers": []}
    raise AssertionError("one of both returns")


def _facets(fit: FacetFit, *, with_items: bool) -> dict[str, Any]:
    return {
        "reason": "",
        "with_items": with_items,
        "n_scores": fit.n_scores,
        "n_clusters": fit.n_clusters,
        "thresholds": list(fit.thresholds),
        "systems": [
            {
                "code": str(one.name),
                "observed": one.observed,
                "adjusted": one.adjusted,
                "low": one.interval.low if one.interval else None,
                "high": one.interval.high if one.interval else None,
                "reason": one.interval_reason,
                "n_scores": one.n_scores,
                "measure": one.measure,
                "infit": one.infit,
                "outfit": one.outfit,
            }
            for one in fit.systems
        ],
        "readers": [
            {
                "reader": str(one.name),
                "severity": one.measure,
                "error": one.standard_error,
                "observed": one.observed,
                "n_scores": one.n_scores,
                "infit": one.infit,
                "outfit": one.outfit,
            }
            for one in sorted(fit.readers, key=lambda one: -one.measure)
        ],
    }
