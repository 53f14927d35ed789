"""Agreement between the readers of a study: coefficients with intervals, per criterion and pair."""

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from annotation.studies.models import Study
from scoring.agreement.models import AnalysisRun
from scoring.agreement.ratings import Ratings, study_ratings
from scoring.agreement.resampling import icc_cluster_interval, kappa_cluster_interval
from scoring.statistics import (
    Interval,
    PairAgreement,
    UndefinedStatisticError,
    alpha_interval,
    fleiss_kappa,
    gwet_ac,
    icc,
    icc_reml,
    krippendorff_alpha,
    measured_coverage,
    pairwise_agreement,
    percent_agreement,
)
from scoring.statistics.alpha import Level

CODE_VERSION = "6"
SEED = 20251113
LEVEL: Level = "ordinal"
PAIR_REASONS = {
    "too_few_units": "fewer than 10 outputs graded by both",
    "no_variation": "both gave one and the same level",
}


def agreement(study: Study) -> dict[str, Any]:
    """Every coefficient with interval, n and the number missing; recomputed only when a grade came in.

    Only first final grades enter: amendments after a discussion never do. Readers are fixed: the intervals speak of
    these readers on other cases.
    """
    ratings = study_ratings(study)
    digest = inputs_hash(ratings)
    stored = AnalysisRun.objects.filter(study=study, kind=AnalysisRun.Kind.AGREEMENT, inputs_hash=digest).first()
    if stored:
        result: dict[str, Any] = stored.result
    else:
        result = {"seed": SEED, "level": LEVEL, "criteria": [criterion_agreement(one) for one in ratings]}
        with transaction.atomic():
            AnalysisRun.objects.update_or_create(
                study=study,
                kind=AnalysisRun.Kind.AGREEMENT,
                inputs_hash=digest,
                defaults={"seed": SEED, "code_version": CODE_VERSION, "result": result},
            )
    return result | {"preview": not study.is_final, "study": study.slug, "inputs_hash": digest}


def inputs_hash(ratings: list[Ratings]) -> str:
    digest = hashlib.sha256(CODE_VERSION.encode())
    for one in ratings:
        digest.update(repr((one.code, one.readers, one.units, one.clusters, one.categories)).encode())
        digest.update(np.ascontiguousarray(one.values).tobytes())
        digest.update(repr((one.n_assigned, one.n_graded, sorted(one.n_not_applicable.items()))).encode())
    return digest.hexdigest()


def criterion_agreement(ratings: Ratings) -> dict[str, Any]:
    """All coefficients of one criterion; each is a number, or None with its reason."""
    values = ratings.values
    graded = ~np.isnan(values)
    shared = np.nonzero(graded.sum(axis=0) >= 2)[0]
    rated, clusters = _rated(ratings)
    return {
        "code": ratings.code,
        "label": ratings.label,
        "level": LEVEL,
        "n_readers": int(graded.any(axis=1).sum()) if values.size else 0,
        "n_outputs": int(graded.any(axis=0).sum()) if values.size else 0,
        "n_shared": int(shared.size),
        "n_clusters": len({ratings.clusters[unit] for unit in shared}),
        "n_values": int(graded.sum()),
        "n_not_graded": ratings.n_assigned - ratings.n_graded,
        "n_not_applicable": ratings.n_not_applicable,
        "alpha": _alpha(ratings),
        "percent": _single(lambda: percent_agreement(values)),
        "within_one": _single(lambda: percent_agreement(values, tolerance=1.0)),
        "icc_a1": _icc(rated, clusters, "A,1"),
        "icc_ak": _icc(rated, clusters, "A,k"),
        "ac1": _single(lambda: gwet_ac(values, categories=ratings.categories)),
        "ac2": _single(lambda: gwet_ac(values, categories=ratings.categories, weights="quadratic")),
        "fleiss": _single(lambda: fleiss_kappa(rated, categories=ratings.categories)),
        "pairs": _pairs(ratings),
        "severity": _severity(ratings),
    }


def _single(statistic: Callable[[], float]) -> dict[str, Any]:
    try:
        return {"value": statistic(), "reason": ""}
    except UndefinedStatisticError as problem:
        return {"value": None, "reason": str(problem)}


def _with_interval(
    statistic: Callable[[], float], interval: Callable[[], Interval], *, simulated: str
) -> dict[str, Any]:
    """A coefficient with limits and, over few clusters, how often such limits held the truth in simulations."""
    found = _single(statistic) | {"low": None, "high": None, "interval_reason": ""}
    try:
        limits = interval()
    except UndefinedStatisticError as problem:
        return found | {"interval_reason": str(problem)}
    known = measured_coverage(simulated, n_clusters=limits.n_clusters)
    return found | {
        "low": limits.low, "high": limits.high, "method": limits.method, "coverage": str(known) if known else "",
    }  # fmt: skip


def _alpha(ratings: Ratings) -> dict[str, Any]:
    return _with_interval(
        lambda: krippendorff_alpha(ratings.values, level=LEVEL),
        lambda: alpha_interval(ratings.values, level=LEVEL, clusters=ratings.clusters, seed=SEED),
        simulated="alpha",
    )


def _rated(ratings: Ratings) -> tuple[NDArray[np.float64], list[str]]:
    """Values without readers and outputs that have none at all, and the clusters of the outputs left."""
    values = ratings.values
    if not values.size:
        return values, []
    present = ~np.isnan(values)
    units = np.nonzero(present.any(axis=0))[0]
    return values[present.any(axis=1)][:, units], [ratings.clusters[unit] for unit in units]


def _icc(rated: NDArray[np.float64], clusters: list[str], form: Literal["A,1", "A,k"]) -> dict[str, Any]:
    """From mean squares on complete data, with gaps by variance components; the name says which."""
    if rated.size and not np.isnan(rated).any():
        return _with_interval(
            lambda: icc(rated, form=form),
            lambda: icc_cluster_interval(rated, form=form, clusters=clusters, seed=SEED),
            simulated="ICC(A,1)",
        ) | {"estimator": "ANOVA"}
    return _single(lambda: icc_reml(rated, form=form)) | {
        "low": None,
        "high": None,
        "interval_reason": "no interval for incomplete data",
        "estimator": "REML",
    }


def _pairs(ratings: Ratings) -> list[dict[str, Any]]:
    if not ratings.values.size:
        return []
    try:
        pairs = pairwise_agreement(ratings.values, categories=ratings.categories)
    except UndefinedStatisticError:
        return []
    return [
        {
            "first": ratings.readers[pair.first],
            "second": ratings.readers[pair.second],
            "n_shared": pair.n_shared,
            "exact": pair.exact,
            "kappa": pair.kappa,
            "quadratic_kappa": pair.quadratic_kappa,
            "reason": PAIR_REASONS.get(pair.reason, pair.reason),
        }
        | _kappa_limits(ratings, pair)
        for pair in pairs
    ]


def _kappa_limits(ratings: Ratings, pair: PairAgreement) -> dict[str, Any]:
    """Interval of the weighted kappa of two readers; None with a reason where there is none."""
    none: dict[str, Any] = {"low": None, "high": None, "interval_reason": PAIR_REASONS.get(pair.reason, pair.reason)}
    if pair.quadratic_kappa is None:
        return none
    a, b = ratings.values[pair.first], ratings.values[pair.second]
    shared = ~np.isnan(a) & ~np.isnan(b)
    clusters = [cluster for cluster, both in zip(ratings.clusters, shared, strict=True) if both]
    try:
        limits = kappa_cluster_interval(
            a[shared], b[shared], categories=ratings.categories, clusters=clusters, seed=SEED
        )
    except UndefinedStatisticError as problem:
        return none | {"interval_reason": str(problem)}
    return {"low": limits.low, "high": limits.high, "interval_reason": ""}


def _severity(ratings: Ratings) -> list[dict[str, Any]]:
    """Mean and n of each reader: a strict reader is seen here, not in alpha."""
    found = []
    for reader, row in zip(ratings.readers, ratings.values, strict=True):
        given = row[~np.isnan(row)]
        found.append({"reader": reader, "n": int(given.size), "mean": float(given.mean()) if given.size else None})
    return found
