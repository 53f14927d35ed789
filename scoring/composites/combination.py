"""Grades combined with metrics: prediction-powered clinical means, a fitted composite, and what other weights do."""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np

from annotation.formats import taxonomy
from annotation.studies.models import Study
from scoring.agreement.ratings import Ratings, study_ratings
from scoring.agreement.state import Analysis, checksum
from scoring.composites.combining import Declaration, OutputRow, inputs_hash, simplex_winners
from scoring.composites.inputs import output_rows
from scoring.composites.population import Member, Population, left_out, populations
from scoring.composites.services import criterion_of, declaration_of, present_composite
from scoring.composites.state import board_state
from scoring.statistics import (
    CompositeFit,
    PredictionPowered,
    UndefinedStatisticError,
    fit_composite,
    human_ceiling,
    prediction_powered_mean,
)

CODE_VERSION = "1"
KIND = "combination"
SEED = 20251113
LEAST_PER_STRATUM = 2


def combination(study: Study) -> dict[str, Any]:
    """Everything that the page and programs show of grades and metrics together; made once per state."""
    composite = present_composite(study)
    head: dict[str, Any] = {
        "study": study.slug,
        "preview": not study.is_final,
        "composite_version": composite.version,
    }
    if not composite.components.exists():
        return head | {"formats": [], "simplex": [], "inputs_hash": ""}
    declaration = declaration_of(composite)
    analysis = Analysis[tuple[list[Population], list[OutputRow], dict[str, Ratings]]](
        study=study,
        kind=KIND,
        code_version=CODE_VERSION,
        seed=SEED,
        parameters={"composite": composite.version},
    )
    result, digest = analysis.result(
        board_state(study, composite),
        read=lambda: (populations(study, declaration), output_rows(study, declaration), _ratings(study, declaration)),
        digest=lambda read: checksum(CODE_VERSION, read[0], inputs_hash(declaration, read[1])),
        compute=lambda read: _compute(declaration, *read),
    )
    return head | result | {"inputs_hash": digest}


def _ratings(study: Study, declaration: Declaration) -> dict[str, Ratings]:
    """Grades by reader of the criteria that the composite uses."""
    sources = [criterion_of(component.source) for component in declaration.components]
    codes = {":".join(source) for source in sources if source}
    return {one.code: one for one in study_ratings(study, codes=codes)}


def _compute(
    declaration: Declaration, found: list[Population], rows: list[OutputRow], ratings: dict[str, Ratings]
) -> dict[str, Any]:
    points = simplex_winners(declaration, rows) if rows else []
    return {
        "formats": [_format(declaration, one, ratings) for one in found],
        "simplex": [
            {
                "weights": dict(point.weights),
                "winners": list(point.winners),
                "score": max((score for score in point.scores.values() if score is not None), default=None),
            }
            for point in points
        ],
    }


def _format(declaration: Declaration, population: Population, ratings: dict[str, Ratings]) -> dict[str, Any]:
    clinical = population.criterion
    criterion = criterion_of(clinical.source) if clinical else None
    code = ":".join(criterion) if criterion else ""
    return {
        "format": population.format,
        "label": taxonomy.format_label(population.format),
        "criterion": code,
        "criterion_label": ratings[code].label if code in ratings else code,
        "low": clinical.low if clinical else None,
        "high": clinical.high if clinical else None,
        "metrics": [one.code for one in population.metrics],
        "systems": [_system(population, letter) for letter in population.systems],
        "fit": _fit(declaration, population, ratings.get(code)),
    }


def _system(population: Population, letter: str) -> dict[str, Any]:
    """The clinical mean of one system with and without metrics, or why there is none."""
    members = population.of(letter)
    usable = [one for one in members if one.measured]
    counts: dict[str, set[str]] = {}
    for one in usable:
        if one.grades:
            counts.setdefault(one.stratum, set()).add(one.cluster)
    sampled = {stratum for stratum, clusters in counts.items() if len(clusters) >= LEAST_PER_STRATUM}
    entering = [one for one in usable if one.stratum in sampled]
    head = {
        "code": letter,
        "n_outputs": len(entering),
        "n_graded": sum(bool(one.grades) for one in entering),
        "n_outside": len(usable) - len(entering),
        "left_out": left_out(members),
        "n_strata": len(sampled),
        "metrics_used": 0,
        "reason": "",
        "estimate": None,
    }
    if not population.metrics or population.criterion is None:
        return head | {"reason": "the composite of this format has no metric or no criterion"}
    if not entering:
        return head | {"reason": "no stratum has two graded clusters with metrics"}
    for n_metrics in sorted({len(population.metrics), 1}, reverse=True):
        try:
            estimate = _powered(entering, n_metrics)
        except UndefinedStatisticError as problem:
            head["reason"] = str(problem)
            if problem.reason == "too_few_clusters" and n_metrics > 1:
                continue
            return head
        return head | {"reason": "", "metrics_used": n_metrics} | _told(estimate)
    return head


def _powered(members: Sequence[Member], n_metrics: int) -> PredictionPowered:
    return prediction_powered_mean(
        [nan if one.grade is None else one.grade for one in members],
        np.array([one.metrics[:n_metrics] for one in members], dtype=np.float64),
        clusters=[one.cluster for one in members],
        strata=[one.stratum for one in members],
    )


def _told(found: PredictionPowered) -> dict[str, Any]:
    return {
        "estimate": found.estimate,
        "low": found.interval.low,
        "high": found.interval.high,
        "method": found.interval.method,
        "plain": found.plain_estimate,
        "plain_low": found.plain_interval.low,
        "plain_high": found.plain_interval.high,
        "length_ratio": found.length_ratio,
        "tuning": found.tuning,
        "n_clusters_graded": found.n_clusters_graded,
        "n_clusters_ungraded": found.n_clusters_ungraded,
        "worth_clusters": found.worth_clusters,
        "note": found.note,
    }


def _fit(declaration: Declaration, population: Population, ratings: Ratings | None) -> dict[str, Any]:
    """Weights of the metrics that follow the grades best, on clusters they never saw; or why there are none."""
    members = [one for one in population.members if one.measured and one.grades]
    head = {"n_outputs": len(members), "n_clusters": len({one.cluster for one in members}), "weights": []}
    if not population.metrics:
        return head | {"reason": "the composite of this format has no metric"}
    try:
        fit = fit_composite(
            np.array([one.scaled for one in members], dtype=np.float64).reshape(
                len(members), len(population.metrics)
            ),
            [one.grade or 0.0 for one in members],
            names=[one.code for one in population.metrics],
            clusters=[one.cluster for one in members],
            systems=[one.system for one in members],
        )
    except UndefinedStatisticError as problem:
        return head | {"reason": str(problem)}
    declared = declaration.weights_of(population.format)
    total = sum(declared[one.code] for one in population.metrics)
    weights = [
        {
            "name": one.name,
            "weight": one.weight,
            "low": one.low,
            "high": one.high,
            "declared": declared[one.name] / total if total else None,
        }
        for one in fit.weights
    ]
    return head | {
        "reason": "",
        "weights": weights,
        "intercept": fit.intercept,
        "slope": fit.slope,
        "correlations": [
            _correlation(fit, scope, members, ratings) for scope in ("within system", "pooled")
        ],
    }  # fmt: skip


def _correlation(fit: CompositeFit, scope: Any, members: Sequence[Member], ratings: Ratings | None) -> dict[str, Any]:
    """Correlation with the clinical mean, and readers and fit against the same target: the mean of other readers."""
    found = fit.pooled if scope == "pooled" else fit.within
    told: dict[str, Any] = {
        "scope": scope,
        "value": found.value if found else None,
        "low": found.interval.low if found else None,
        "high": found.interval.high if found else None,
        "reason": "" if found else "one system",
        "human": None,
        "same_target": None,
        "ceiling_reason": "",
    }
    if ratings is None:
        return told | {"ceiling_reason": "no grades by reader"}
    places = {key: at for at, key in enumerate(ratings.units)}
    known = [at for at, one in enumerate(members) if one.key in places]
    try:
        ceiling = human_ceiling(
            [fit.predictions[at] for at in known],
            ratings.values[:, [places[members[at].key] for at in known]],
            kind="pearson",
            scope=scope,
            systems=[members[at].system for at in known],
            clusters=[members[at].cluster for at in known],
        )
    except UndefinedStatisticError as problem:
        return told | {"ceiling_reason": str(problem)}
    limits = ceiling.human_interval
    return told | {
        "human": ceiling.human,
        "human_low": limits.low if limits else None,
        "human_high": limits.high if limits else None,
        "same_target": ceiling.judge,
    }
