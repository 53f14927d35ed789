"""All coefficients of one criterion, each a number or its reason, with limits over clusters."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.agreement.ratings import Ratings
from scoring.agreement.resampling import Resampled, icc_cluster_interval, kappa_cluster_interval
from scoring.statistics import (
    Interval,
    PairAgreement,
    UndefinedStatisticError,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac,
    icc,
    icc_reml,
    krippendorff_alpha,
    limits_of_agreement,
    measured_coverage,
    pairwise_agreement,
    percent_agreement,
)
from scoring.statistics.agreement import MINIMUM_SHARED_UNITS
from scoring.statistics.alpha import Level

SEED = 20251113
LEVEL: Level = "ordinal"
PAIR_REASONS = {
    "too_few_units": "fewer than 10 outputs graded by both",
    "no_variation": "both gave one and the same level",
}
MOST_PAIRS = 66
"""Weighted kappas of this many pairs (12 readers) get limits at once; of more, those of the pair that is chosen."""

Statistic = Callable[[], float]
Limits = Callable[[], Interval]


def criterion_agreement(ratings: Ratings) -> dict[str, Any]:
    """All coefficients of one criterion; each is a number, or None with its reason."""
    values = ratings.values
    graded = ~np.isnan(values)
    shared = np.nonzero(graded.sum(axis=0) >= 2)[0]
    rated, clusters = _rated(ratings)
    limits = _Limits(rated, ratings, clusters)
    return {
        "code": ratings.code,
        "label": ratings.label,
        "level": LEVEL,
        "categories": list(ratings.categories),
        "n_readers": int(graded.any(axis=1).sum()) if values.size else 0,
        "n_outputs": int(graded.any(axis=0).sum()) if values.size else 0,
        "n_shared": int(shared.size),
        "n_clusters": len({ratings.clusters[unit] for unit in shared}),
        "n_values": int(graded.sum()),
        "n_not_graded": ratings.n_assigned - ratings.n_graded,
        "n_not_applicable": ratings.n_not_applicable,
        "alpha": _with_interval(
            lambda: krippendorff_alpha(values, level=LEVEL),
            limits(Resampled.ordinal_alpha),
            simulated="alpha",
        ),
        "percent": _with_interval(lambda: percent_agreement(values), limits(Resampled.percent)),
        "within_one": _with_interval(
            lambda: percent_agreement(values, tolerance=1.0), limits(lambda made: made.percent(tolerance=1.0))
        ),
        **_iccs(rated, clusters),
        "ac1": _with_interval(lambda: gwet_ac(values, categories=ratings.categories), limits(Resampled.gwet)),
        "ac2": _with_interval(
            lambda: gwet_ac(values, categories=ratings.categories, weights="quadratic"),
            limits(lambda made: made.gwet(weights="quadratic")),
        ),
        "fleiss": _with_interval(
            lambda: fleiss_kappa(rated, categories=ratings.categories), limits(Resampled.fleiss)
        ),
        "pairs": _pairs(ratings),
        "severity": _severity(ratings),
        "intra": intra_reader(ratings),
    }


class _Limits:
    """Resamples made when the first coefficient asks for them."""

    def __init__(self, rated: NDArray[np.float64], ratings: Ratings, clusters: list[str]) -> None:
        self._given = (rated, ratings.categories, clusters)
        self._made: Resampled | None = None

    def __call__(self, method: Callable[[Resampled], Interval]) -> Limits:
        """What makes the limits of a coefficient."""
        return lambda: method(self._resampled())

    def _resampled(self) -> Resampled:
        if self._made is None:
            rated, categories, clusters = self._given
            self._made = Resampled(rated, categories=categories, clusters=clusters, seed=SEED)
        return self._made


def _single(statistic: Statistic) -> dict[str, Any]:
    try:
        return {"value": statistic(), "reason": ""}
    except UndefinedStatisticError as problem:
        return {"value": None, "reason": str(problem)}


def _with_interval(statistic: Statistic, interval: Limits, *, simulated: str = "") -> dict[str, Any]:
    """A coefficient with limits and, over few clusters, how often such limits held the truth in simulations."""
    found = _single(statistic) | {"low": None, "high": None, "interval_reason": ""}
    if found["value"] is None:
        return found | {"interval_reason": "there is no coefficient"}
    try:
        limits = interval()
    except UndefinedStatisticError as problem:
        return found | {"interval_reason": str(problem)}
    known = measured_coverage(simulated, n_clusters=limits.n_clusters) if simulated else None
    return found | {
        "low": limits.low, "high": limits.high, "method": limits.method, "coverage": str(known) if known else "",
    }  # fmt: skip


def _rated(ratings: Ratings) -> tuple[NDArray[np.float64], list[str]]:
    """Values without readers and outputs that have none at all, and the clusters of the outputs left."""
    values = ratings.values
    if not values.size:
        return values, []
    present = ~np.isnan(values)
    units = np.nonzero(present.any(axis=0))[0]
    return values[present.any(axis=1)][:, units], [ratings.clusters[unit] for unit in units]


def _iccs(rated: NDArray[np.float64], clusters: list[str]) -> dict[str, dict[str, Any]]:
    """From mean squares on complete data, with gaps by variance components; the name says which."""
    if rated.size and not np.isnan(rated).any():
        return {
            "icc_a1": _with_interval(
                lambda: icc(rated, form="A,1"),
                lambda: icc_cluster_interval(rated, form="A,1", clusters=clusters, seed=SEED),
                simulated="ICC(A,1)",
            )
            | {"estimator": "ANOVA"},
            "icc_ak": _with_interval(
                lambda: icc(rated, form="A,k"),
                lambda: icc_cluster_interval(rated, form="A,k", clusters=clusters, seed=SEED),
                simulated="ICC(A,1)",
            )
            | {"estimator": "ANOVA"},
        }
    none = {
        "low": None, "high": None, "interval_reason": "no interval for incomplete data", "estimator": "REML",
    }  # fmt: skip
    one = _single(lambda: icc_reml(rated, form="A,1"))
    several = dict(one)
    if one["value"] is not None:
        per_unit = (~np.isnan(rated)).sum(axis=0)
        k = float(per_unit.size / (1.0 / per_unit).sum())
        several["value"] = k * one["value"] / (1.0 + (k - 1.0) * one["value"])
    return {"icc_a1": one | none, "icc_ak": several | none}


def _pairs(ratings: Ratings) -> list[dict[str, Any]]:
    if not ratings.values.size:
        return []
    try:
        pairs = pairwise_agreement(ratings.values, categories=ratings.categories)
    except UndefinedStatisticError:
        return []
    few = len(pairs) <= MOST_PAIRS
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
        | _kappa_limits(ratings, pair, few=few)
        for pair in pairs
    ]


def _kappa_limits(ratings: Ratings, pair: PairAgreement, *, few: bool) -> dict[str, Any]:
    """Interval of the weighted kappa of two readers; None with a reason where there is none."""
    none: dict[str, Any] = {"low": None, "high": None, "interval_reason": PAIR_REASONS.get(pair.reason, pair.reason)}
    if pair.quadratic_kappa is None:
        return none
    if not few:
        return none | {"interval_reason": "choose these two readers for the interval"}
    a, b = ratings.values[pair.first], ratings.values[pair.second]
    shared = ~np.isnan(a) & ~np.isnan(b)
    return _kappa_of(ratings, a[shared], b[shared], np.nonzero(shared)[0].tolist())


def _kappa_of(ratings: Ratings, a: NDArray[np.float64], b: NDArray[np.float64], units: list[int]) -> dict[str, Any]:
    """Limits of the quadratic kappa of two columns of values on these outputs."""
    clusters = [ratings.clusters[unit] for unit in units]
    try:
        limits = kappa_cluster_interval(a, b, categories=ratings.categories, clusters=clusters, seed=SEED)
    except UndefinedStatisticError as problem:
        return {"low": None, "high": None, "interval_reason": str(problem)}
    return {"low": limits.low, "high": limits.high, "interval_reason": ""}


def _severity(ratings: Ratings) -> list[dict[str, Any]]:
    """Mean with limits, n and use of the scale of each reader: a strict reader is seen here, not in alpha."""
    found = []
    for row, reader in enumerate(ratings.readers):
        values = ratings.values[row]
        units = np.nonzero(~np.isnan(values))[0]
        given = values[units]
        entry: dict[str, Any] = {
            "reader": reader,
            "n": int(given.size),
            "mean": float(given.mean()) if given.size else None,
            "low": None,
            "high": None,
            "interval_reason": "no value",
            "counts": [int((given == level).sum()) for level in ratings.categories],
        }
        if given.size:
            clusters = [ratings.clusters[unit] for unit in units.tolist()]
            try:
                made = Resampled(given[None, :], categories=ratings.categories, clusters=clusters, seed=SEED)
                limits = made.mean_of_reader(0)
                entry |= {"low": limits.low, "high": limits.high, "interval_reason": ""}
            except UndefinedStatisticError as problem:
                entry["interval_reason"] = str(problem)
        found.append(entry)
    return found


def intra_reader(ratings: Ratings) -> list[dict[str, Any]]:
    """How far each reader agrees with the own first grade on hidden repeats; only readers who have some."""
    found = []
    for row, reader in enumerate(ratings.readers):
        first, again = ratings.values[row], ratings.again[row]
        units = np.nonzero(~np.isnan(first) & ~np.isnan(again))[0]
        if not units.size:
            continue
        a, b = first[units], again[units]
        entry: dict[str, Any] = {
            "reader": reader,
            "n": int(units.size),
            "exact": float(np.mean(a == b)),
            "within_one": float(np.mean(np.abs(a - b) <= 1.0)),
            "shift": float(np.mean(b - a)),
            "quadratic_kappa": None,
            "reason": "",
            "low": None,
            "high": None,
            "interval_reason": PAIR_REASONS["too_few_units"],
        }
        if units.size < MINIMUM_SHARED_UNITS:
            entry["reason"] = "fewer than 10 repeats"
        else:
            one = _single(lambda a=a, b=b: cohen_kappa(a, b, categories=ratings.categories, weights="quadratic"))  # type: ignore[misc]
            entry |= {"quadratic_kappa": one["value"], "reason": one["reason"]}
            entry |= _kappa_of(ratings, a, b, units.tolist()) if one["value"] is not None else {}
        found.append(entry)
    return found


def bland_altman(ratings: Ratings) -> dict[str, Any] | None:
    """Differences of the two readers of a pair against their means, with limits of agreement; None for no pair."""
    if len(ratings.readers) != 2:
        return None
    a, b = ratings.values
    both = ~np.isnan(a) & ~np.isnan(b)
    points: dict[tuple[float, float], int] = {}
    for first, second in zip(a[both].tolist(), b[both].tolist(), strict=True):
        key = ((first + second) / 2.0, first - second)
        points[key] = points.get(key, 0) + 1
    found: dict[str, Any] = {
        "first": ratings.readers[0],
        "second": ratings.readers[1],
        "n": int(both.sum()),
        "points": [[mean, gap, n] for (mean, gap), n in sorted(points.items())],
        "reason": "",
    }
    try:
        limits = limits_of_agreement(a, b, clusters=ratings.clusters, seed=SEED)
    except UndefinedStatisticError as problem:
        return found | {"reason": str(problem)}
    lines = (("bias", limits.bias, limits.bias_interval), ("lower", limits.lower, limits.lower_interval),
             ("upper", limits.upper, limits.upper_interval))  # fmt: skip
    for name, value, interval in lines:
        found[name] = {
            "value": value,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
        }
    return found | {"n_clusters": limits.n_clusters, "interval_reason": limits.interval_reason, "share": limits.share}
