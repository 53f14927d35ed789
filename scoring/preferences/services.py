"""Preferences of a study: what was said of each pair, strengths with intervals, the side effect, agreement."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.studies import freezing
from annotation.studies.models import Reading, Study
from scoring.agreement.state import Analysis, checksum
from scoring.preferences.comparisons import Compared, Readings, Said, study_readings, study_state
from scoring.statistics import (
    Comparison,
    Interval,
    UndefinedStatisticError,
    alpha_interval,
    bootstrap_interval,
    bradley_terry,
    holm,
    krippendorff_alpha,
    pair_counts,
    percent_agreement,
    ranks,
    sign_flip_test,
    strength_intervals,
    values_of_first,
)

KIND = "preferences"
CODE_VERSION = "1"
SEED = 20251113
CODE_OF = {"first": 0.0, "second": 1.0, "tie": 2.0, "both_bad": 3.0}


def preferences(study: Study) -> dict[str, Any]:
    """Everything that the page, the workbook and programs show; computed once per state of what was said.

    The newest version of each preference enters; agreement takes first ones, before anybody talked. Readers are
    fixed: intervals speak of these readers on other cases. Systems are letters; names are put to them by whoever
    shows them.
    """
    analysis = Analysis[Readings](study=study, kind=KIND, code_version=CODE_VERSION, seed=SEED)
    result, digest = analysis.result(
        study_state(study), read=lambda: study_readings(study), digest=inputs_hash, compute=_compute
    )
    return result | {
        "preview": not study.is_final,
        "frozen": freezing.newest_hash(study),
        "study": study.slug,
        "inputs_hash": digest,
    }


def inputs_hash(readings: Readings) -> str:
    return checksum(
        CODE_VERSION,
        readings.mode,
        readings.letters,
        [
            (row.item, row.cluster, row.reader, row.status, row.places, _plain(row.first), _plain(row.last))
            for row in readings.rows
        ],
        sorted((letter, sorted(levels.items())) for letter, levels in readings.flags.items()),
        readings.reference_wrong,
    )


def _plain(said: Mapping[str, Said]) -> list[tuple[str, str, str]]:
    return sorted((code, one.choice, one.letter or "") for code, one in said.items())


def _compute(readings: Readings) -> dict[str, Any]:
    one = {Study.Mode.PAIR.value: _pairs_of, Study.Mode.RANK.value: _best_of}.get(readings.mode)
    counted = Counter(row.status for row in readings.rows)
    return {
        "seed": SEED,
        "mode": readings.mode,
        "n_assigned": len(readings.rows),
        "n_submitted": counted[Reading.Status.SUBMITTED],
        "n_skipped": counted[Reading.Status.SKIPPED],
        "n_missing": len(readings.rows) - counted[Reading.Status.SUBMITTED],
        "n_clusters": len({row.cluster for row in readings.rows if row.last}),
        "n_readers": len({row.reader for row in readings.rows if row.last}),
        "criteria": [
            {"code": code, "label": label} | one(readings, code) for code, label in readings.criteria.items() if one
        ],
        "flags": [
            {"system": letter, **{level: found.get(level, 0) for level in ("severe", "moderate", "low")}}
            for letter in readings.letters
            for found in [readings.flags.get(letter, {})]
        ],
        "reference_wrong": readings.reference_wrong,
    }


def _answered(readings: Readings, code: str) -> list[tuple[Compared, Said]]:
    return [(row, row.last[code]) for row in readings.rows if code in row.last]


# --- pairs ---------------------------------------------------------------------------------------------------


def _pairs_of(readings: Readings, code: str) -> dict[str, Any]:
    """All numbers of one criterion where two outputs are compared."""
    answered = _answered(readings, code)
    said = [_comparison(row, one) for row, one in answered]
    clusters = [row.cluster for row, _ in answered]
    return {
        "n": len(said),
        "pairs": _pair_rows(readings, said, clusters),
        **_strengths(readings, said, clusters),
        "agreement": _agreement(readings, code),
    }


def _comparison(row: Compared, said: Said) -> Comparison:
    left, right = row.letters
    choice: Any = said.choice
    return Comparison(left=left, right=right, choice=choice)


def _pair_rows(readings: Readings, said: Sequence[Comparison], clusters: Sequence[str]) -> list[dict[str, Any]]:
    """Every pair that was assigned, compared or not; p values are corrected over those that have one."""
    assigned = Counter(row.pair for row in readings.rows)
    counts = {(one.first, one.second): one for one in pair_counts(said)}
    places: dict[tuple[str, ...], list[int]] = {pair: [] for pair in assigned}
    for place, one in enumerate(said):
        places[tuple(sorted((one.left, one.right)))].append(place)
    found = []
    for (first, second), n_assigned in sorted(assigned.items()):
        own = places[first, second]
        values = values_of_first([said[place] for place in own], first)
        near = [clusters[place] for place in own]
        counted = counts.get((first, second))
        zero = {"first_wins": 0, "second_wins": 0, "ties": 0, "both_bad": 0, "left_wins": 0, "n": 0}
        row: dict[str, Any] = {"first": first, "second": second, **zero, **(asdict(counted) if counted else {})}
        row |= {"n_missing": n_assigned - len(own), "n_clusters": len(set(near))}
        row |= _share((values + 1.0) / 2.0, near)
        row["p"] = sign_flip_test(values, clusters=near, seed=SEED) if own else None
        found.append(row)
    tested = [row for row in found if row["p"] is not None]
    for row, corrected in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = corrected
    return [{"p_holm": None} | row for row in found]


def _share(values: NDArray[np.float64], clusters: Sequence[str]) -> dict[str, Any]:
    """Mean of values from 0 to 1, with its limits."""
    return _with_limits(lambda: _mean(values), lambda: bootstrap_interval(values, clusters=clusters, seed=SEED))


def _mean(values: NDArray[np.float64]) -> float:
    if not values.size:
        raise UndefinedStatisticError("empty", "nobody has compared them yet")
    return float(values.mean())


def _with_limits(value: Callable[[], float], interval: Callable[[], Interval]) -> dict[str, Any]:
    """A number and its limits, each with the reason why it is not there."""
    found: dict[str, Any] = {"value": None, "reason": "", "low": None, "high": None, "interval_reason": ""}
    try:
        found["value"] = value()
        limits = interval()
    except UndefinedStatisticError as problem:
        where = "reason" if found["value"] is None else "interval_reason"
        return found | {where: str(problem)}
    return found | {"low": limits.low, "high": limits.high}


def _strengths(readings: Readings, said: Sequence[Comparison], clusters: Sequence[str]) -> dict[str, Any]:
    """The fitted model with its limits: strengths, side effect, ties; without a preference nothing but the reason."""
    none: dict[str, Any] = {"value": None, "low": None, "high": None}
    try:
        fitted = bradley_terry(said)
    except UndefinedStatisticError as problem:
        return {"systems": [], "side_effect": none, "tie": none, "reason": str(problem), "interval_reason": ""}
    try:
        limits, why = strength_intervals(said, clusters=clusters, seed=SEED), ""
    except UndefinedStatisticError as problem:
        limits, why = None, str(problem)
    names = sorted(fitted.strengths)
    placed = dict(zip(names, ranks([fitted.strengths[name] for name in names]), strict=True))
    systems = [
        {
            "system": name,
            "rank": placed[name],
            "rank_low": limits.ranks[name].low if limits else None,
            "rank_high": limits.ranks[name].high if limits else None,
            **_number(fitted.strengths[name], limits.strengths[name] if limits else None),
            **_record(name, said),
        }
        for name in sorted(names, key=lambda name: (placed[name], name))
    ]
    decided = [one.choice for one in said if one.choice in ("left", "right")]
    return {
        "systems": systems,
        "not_compared": [letter for letter in readings.letters if letter not in fitted.strengths],
        "side_effect": _number(fitted.side_effect, limits.side_effect if limits else None),
        "tie": _number(fitted.tie, limits.tie if limits else None),
        "n_left": decided.count("left"),
        "n_right": decided.count("right"),
        "n_ties": sum(one.choice == "tie" for one in said),
        "n_both_bad": fitted.n_both_bad,
        "reason": "",
        "interval_reason": why,
    }


def _number(value: float, limits: Interval | None) -> dict[str, Any]:
    return {"value": value, "low": limits.low if limits else None, "high": limits.high if limits else None}


def _record(system: str, said: Sequence[Comparison]) -> dict[str, int]:
    """Wins, losses, ties and both bad of one system against all others."""
    own = [one for one in said if system in (one.left, one.right)]
    won = sum(one.choice == ("left" if one.left == system else "right") for one in own)
    ties, bad = sum(one.choice == "tie" for one in own), sum(one.choice == "both_bad" for one in own)
    return {"n": len(own), "wins": won, "losses": len(own) - won - ties - bad, "ties": ties, "both_bad": bad}


def _agreement(readings: Readings, code: str) -> dict[str, Any]:
    """How far readers of the same pair of outputs chose the same, on first choices: nominal, the side taken out."""
    readers = sorted({row.reader for row in readings.rows})
    units: dict[tuple[int, tuple[str, ...]], str] = {}
    values: dict[tuple[str, tuple[int, tuple[str, ...]]], float] = {}
    for row in readings.rows:
        if code in row.first:
            unit = (row.item, row.pair)
            units[unit] = row.cluster
            values[row.reader, unit] = _code_of(row, row.first[code])
    table = np.array([[values.get((reader, unit), np.nan) for unit in units] for reader in readers])
    near = list(units.values())
    shared = int((np.sum(~np.isnan(table), axis=0) >= 2).sum()) if table.size else 0
    alpha = _with_limits(
        lambda: krippendorff_alpha(table, level="nominal"),
        lambda: alpha_interval(table, level="nominal", clusters=near, seed=SEED),
    )
    percent = _with_limits(lambda: percent_agreement(table), _no_interval)
    return {"level": "nominal", "n_shared": shared, "n_readers": len(readers), "alpha": alpha, "percent": percent}


def _no_interval() -> Interval:
    raise UndefinedStatisticError("none", "no interval")


def _code_of(row: Compared, said: Said) -> float:
    """The choice by system and not by side."""
    if said.letter is None:
        return CODE_OF[said.choice]
    return CODE_OF["first" if said.letter == row.pair[0] else "second"]


# --- best of all ---------------------------------------------------------------------------------------------


def _best_of(readings: Readings, code: str) -> dict[str, Any]:
    """How often each system was the best of those shown, and what that would be by chance."""
    answered = _answered(readings, code)
    clusters = [row.cluster for row, _ in answered]
    systems = []
    for letter in readings.letters:
        own = [place for place, (row, _) in enumerate(answered) if letter in row.letters]
        best = np.array([float(answered[place][1].letter == letter) for place in own])
        chance = [1.0 / len(answered[place][0].letters) for place in own]
        systems.append(
            {
                "system": letter,
                "n": len(own),
                "best": int(best.sum()),
                "chance": float(np.mean(chance)) if chance else None,
                **_share(best, [clusters[place] for place in own]),
            }
        )
    choices = Counter(said.choice for _, said in answered)
    places = Counter(row.letters.index(said.letter) for row, said in answered if said.letter is not None)
    return {
        "n": len(answered),
        "systems": sorted(systems, key=lambda one: (-(one["value"] or 0.0), one["system"])),
        "n_ties": choices["tie"],
        "n_all_bad": choices["all_bad"],
        "by_place": [places[place] for place in range(max((len(row.letters) for row, _ in answered), default=0))],
    }
