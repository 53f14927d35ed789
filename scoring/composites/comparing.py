"""Systems side by side: intervals, paired differences and ranks, all from one set of resampled clusters.

In a resample every output keeps the weight it has in the printed number, and each format's mean is taken over the
weights drawn, so that the interval belongs to the number beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from scoring.composites.declaration import CombiningError, Declaration, OutputRow
from scoring.composites.scores import OutputScore, row_weights, score_output
from scoring.composites.totals import SystemComposite, combine, value_over
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    Interval,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ranking import RankInterval, rank_intervals, ranks
from scoring.statistics.ratings import Floats
from scoring.statistics.significance import flips_are_exact, holm, sign_flip_p_values


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One system in a comparison.

    Attributes:
        composite: its number with counts and receipt.
        interval: interval of the number, None with a reason.
        interval_reason: why there is none.
        rank: 1 is the top, ties share the better rank; None without an interval.
        rank_if_confirmed: rank if every pending flag of every system is confirmed; None when nothing is pending.
        rank_interval: from the same resamples.
    """

    composite: SystemComposite
    interval: Interval | None
    interval_reason: str
    rank: int | None
    rank_if_confirmed: int | None
    rank_interval: RankInterval | None


@dataclass(frozen=True, kw_only=True)
class PairDifference:
    """Two systems on the items where both enter; weights are those of these items.

    Attributes:
        first: key of the first system.
        second: key of the second.
        n_items: items that both have.
        n_clusters: clusters of these items.
        difference: first minus second; None when a format has no common item.
        interval: interval of the difference, None with a reason.
        reason: why difference or interval is absent.
        p: sign-flip p by cluster, None without a difference.
        p_holm: the same, adjusted over the family.
        exact: whether all flips were tried.
    """

    first: str
    second: str
    n_items: int
    n_clusters: int
    difference: float | None
    interval: Interval | None
    reason: str
    p: float | None
    p_holm: float | None
    exact: bool


@dataclass(frozen=True, kw_only=True)
class SystemComparison:
    """All systems and all pairs in one scope.

    Attributes:
        scope: a format, or "headline".
        systems: standings, best first, those without a number last.
        pairs: every pair, in the order of the systems' keys.
        family: the tests that Holm's adjustment covers, in words.
        n_clusters: clusters resampled.
        draws: resamples.
        seed: seed of resamples and flips.
    """

    scope: str
    systems: tuple[Standing, ...]
    pairs: tuple[PairDifference, ...]
    family: str
    n_clusters: int
    draws: int
    seed: int


Cells = dict[str, tuple[Floats, Floats]]
"""Format → sums and weights by cluster; every table of one comparison has the same formats."""

_TABLES_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class _Resamples:
    """Drawn clusters shared by every system and pair."""

    places: Mapping[str, int]
    drawn: Floats
    level: float
    seed: int

    def means(self, tables: Sequence["Cells"], shares: Mapping[str, float]) -> "list[_Drawn]":
        """Weighted means over formats in each resample; a format without a drawn weight has none there."""
        found: list[_Drawn] = []
        for start in range(0, len(tables), _TABLES_AT_ONCE):
            some = tables[start : start + _TABLES_AT_ONCE]
            total = np.zeros((len(self.drawn), len(some)))
            defined = np.ones(total.shape, dtype=np.bool_)
            for name in some[0]:
                sums = self.drawn @ np.column_stack([table[name][0] for table in some])
                sizes = self.drawn @ np.column_stack([table[name][1] for table in some])
                defined &= sizes > 0
                total += shares[name] * sums / np.where(sizes > 0, sizes, 1.0)
            found += [_Drawn(values=total[:, at], defined=defined[:, at]) for at in range(len(some))]
        return found

    def cells(self, declaration: Declaration, rows: Sequence[OutputRow], values: Sequence[float]) -> "Cells":
        """Per format: weight × value and weight, summed by cluster."""
        found = {}
        for name in {row.format: None for row in rows}:
            group = [place for place, row in enumerate(rows) if row.format == name]
            weights = np.array(row_weights(declaration, [rows[place] for place in group]))
            where = np.array([self.places[rows[place].cluster] for place in group], dtype=np.int64)
            amounts = weights * np.array([values[place] for place in group])
            size = len(self.places)
            found[name] = (
                np.bincount(where, weights=amounts, minlength=size).astype(np.float64),
                np.bincount(where, weights=weights, minlength=size).astype(np.float64),
            )
        return found

    def interval(self, drawn: "_Drawn", n_clusters: int) -> Interval:
        require_clusters(n_clusters)
        return percentile_interval(
            drawn.values,
            drawn.defined,
            level=self.level,
            n_clusters=n_clusters,
            seed=self.seed,
            method="cluster bootstrap",
        )


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    values: Floats
    defined: NDArray[np.bool_]


def compare_systems(
    declaration: Declaration,
    rows: Sequence[OutputRow],
    *,
    seed: int,
    formats: Sequence[str] | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> SystemComparison:
    """Numbers, intervals, paired differences and ranks of all systems in one scope.

    Pending flags are taken as refuted; `Standing.rank_if_confirmed` and the bounds of each composite show the
    other outcome. A system's number does not depend on which others are present.

    Args:
        declaration: the composite.
        rows: outputs of all systems.
        seed: seed of resamples and Monte Carlo flips.
        formats: formats in scope; None for the headline.
        draws: resamples.
        level: coverage aimed at.

    Returns:
        Standings and pairs. Below ten entering clusters a number has no interval and no rank, with the reason.

    Raises:
        CombiningError: no row, or a row or format that the declaration does not know.
    """
    systems = sorted({row.system for row in rows})
    if not systems:
        raise CombiningError("there is no output to combine")
    own: dict[str, list[OutputRow]] = {name: [] for name in systems}
    for row in rows:
        own[row.system].append(row)
    composites = {name: combine(declaration, own[name], system=name, formats=formats) for name in systems}
    names = tuple(declaration.formats if formats is None else formats)
    shares = {name: share for name, share in declaration.shares_of(names).items() if share > 0}
    scores = {name: _scores(declaration, own[name], shares) for name in systems}
    clusters = sorted({line.row.cluster for composite in composites.values() for line in composite.receipt})
    resamples = _Resamples(
        places={cluster: place for place, cluster in enumerate(clusters)},
        drawn=resample_counts(max(1, len(clusters)), draws=draws, seed=seed).astype(np.float64),
        level=level,
        seed=seed,
    )
    pairs = _pairs(declaration, composites, shares, resamples)
    scope = composites[systems[0]].scope
    return SystemComparison(
        scope=scope,
        systems=tuple(_standings(declaration, composites, scores, shares, resamples)),
        pairs=tuple(pairs),
        family=f"all {len(pairs)} pairs of {len(systems)} systems, {scope}",
        n_clusters=len(clusters),
        draws=draws,
        seed=seed,
    )


def _scores(
    declaration: Declaration, rows: Sequence[OutputRow], shares: Mapping[str, float]
) -> Sequence[OutputScore]:
    """Scores of the outputs in the sample whose format counts."""
    return [score_output(declaration, row) for row in rows if row.in_sample and row.format in shares]


def _standings(
    declaration: Declaration,
    composites: Mapping[str, SystemComposite],
    scores: Mapping[str, Sequence[OutputScore]],
    shares: Mapping[str, float],
    resamples: _Resamples,
) -> list[Standing]:
    intervals: dict[str, Interval] = {}
    reasons = {name: composite.reason for name, composite in composites.items() if composite.value is None}
    known = {name: composite for name, composite in composites.items() if composite.value is not None}
    tables = [
        resamples.cells(declaration, [line.row for line in one.receipt], [line.value for line in one.receipt])
        for one in known.values()
    ]
    drawn = dict(zip(known, resamples.means(tables, shares), strict=True))
    for name, composite in known.items():
        try:
            intervals[name] = resamples.interval(drawn[name], composite.counts.n_clusters)
        except UndefinedStatisticError as error:
            reasons[name] = str(error)
    ranked = list(intervals)
    places = dict(zip(ranked, ranks([composites[name].value or 0.0 for name in ranked]), strict=True))
    pending = any(composite.counts.n_pending for composite in composites.values())
    worst = [value_over(declaration, scores[name], shares, bound="confirmed") or 0.0 for name in ranked]
    if_confirmed = dict(zip(ranked, ranks(worst), strict=True)) if pending else {}
    spans = _rank_intervals({name: drawn[name] for name in ranked}, resamples.level)
    standings = [
        Standing(
            composite=composite,
            interval=intervals.get(name),
            interval_reason=reasons.get(name, ""),
            rank=places.get(name),
            rank_if_confirmed=if_confirmed.get(name),
            rank_interval=spans.get(name),
        )
        for name, composite in composites.items()
    ]
    return sorted(standings, key=lambda one: (one.composite.value is None, -(one.composite.value or 0.0)))


def _rank_intervals(drawn: Mapping[str, _Drawn], level: float) -> dict[str, RankInterval]:
    if not drawn:
        return {}
    defined = np.logical_and.reduce([one.defined for one in drawn.values()])
    if not bool(defined.any()):
        return {}
    table = np.column_stack([one.values[defined] for one in drawn.values()])
    # Sums in another order differ in the last digit; equal systems must stay equal.
    return dict(zip(drawn, rank_intervals(np.round(table, 12), level=level), strict=True))


def _pairs(
    declaration: Declaration,
    composites: Mapping[str, SystemComposite],
    shares: Mapping[str, float],
    resamples: _Resamples,
) -> list[PairDifference]:
    compared = [
        _pair(declaration, composites[first], composites[second], shares, resamples)
        for first, second in combinations(composites, 2)
    ]
    tables = [cells for _, cells in compared if cells]
    if not tables:
        return [pair for pair, _ in compared]
    sums = [np.sum([shares[name] * part for name, (part, _) in cells.items()], axis=0) for cells in tables]
    p_values = sign_flip_p_values(np.vstack(sums), seed=resamples.seed)
    tested = iter(zip(resamples.means(tables, shares), sums, p_values, holm(p_values), strict=True))
    found = []
    for pair, cells in compared:
        if not cells:
            found.append(pair)
            continue
        drawn, by_cluster, p, p_holm = next(tested)
        found.append(_tested(pair, resamples, drawn, by_cluster, p=p, p_holm=p_holm))
    return found


def _tested(
    pair: PairDifference, resamples: _Resamples, drawn: _Drawn, by_cluster: Floats, *, p: float, p_holm: float
) -> PairDifference:
    """The pair with its difference, interval and test."""
    interval, reason = None, ""
    try:
        interval = resamples.interval(drawn, pair.n_clusters)
    except UndefinedStatisticError as error:
        reason = str(error)
    return replace(
        pair,
        difference=float(by_cluster.sum()),
        interval=interval,
        reason=reason,
        p=p,
        p_holm=p_holm,
        exact=flips_are_exact(int(np.count_nonzero(by_cluster))),
    )


def _pair(
    declaration: Declaration,
    first: SystemComposite,
    second: SystemComposite,
    shares: Mapping[str, float],
    resamples: _Resamples,
) -> tuple[PairDifference, Cells]:
    """The items that both have, and their differences by format and cluster; none where a format has no item."""
    other = {(line.row.format, line.row.item): line.value for line in second.receipt}
    lines = [line for line in first.receipt if (line.row.format, line.row.item) in other]
    rows = [line.row for line in lines]
    gaps = [line.value - other[line.row.format, line.row.item] for line in lines]
    absent = sorted(set(shares) - {row.format for row in rows})
    pair = PairDifference(
        first=first.system,
        second=second.system,
        n_items=len(rows),
        n_clusters=len({row.cluster for row in rows}),
        difference=None,
        interval=None,
        reason=f"no common item in {', '.join(absent)}" if absent else "",
        p=None,
        p_holm=None,
        exact=False,
    )
    return pair, {} if absent else resamples.cells(declaration, rows, gaps)
