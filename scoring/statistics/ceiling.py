"""What readers themselves reach: the judge beside each reader, both held against the other readers.

A judge compared with the mean of k readers has a steadier target than a reader compared with the mean of the other
k − 1, and looks better for it. Here both are compared with the same target on the same outputs.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.association import Kind, correlations, numbered_pairs
from scoring.statistics.calibration import Scope, alone, chosen, expert_means, require_known, require_outputs
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import Interval, cluster_positions
from scoring.statistics.jackknife import interval_or_reason, whole_and_without_each
from scoring.statistics.ratings import (
    Counts,
    Floats,
    agreement_weights,
    as_ratings,
    category_positions,
)

MINIMUM_SHARED = 10
"""A pair with fewer shared outputs shows its count, not a kappa."""


@dataclass(frozen=True, kw_only=True)
class SameTarget:
    """One reader and the judge against the mean of the other readers, on the same outputs.

    Attributes:
        reader: the reader left out of the target.
        human: the reader's coefficient, None where there is none.
        judge: the judge's, None where there is none.
        reason: why there is none (`too_few_units`, `no_variation`), "" otherwise.
        n_outputs: outputs that this reader, another reader and the judge have.
    """

    reader: Hashable
    human: float | None
    judge: float | None
    reason: str
    n_outputs: int


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The judge beside the readers. Averages are plain means over the readers that have a coefficient.

    Attributes:
        coefficient: "pearson", "spearman", "kendall" with its scope, or "quadratic kappa".
        readers: one row per reader.
        human: what a reader reaches against the others, the ceiling.
        judge: what the judge reaches against the same targets.
        difference: judge − human; 0 or more means as good as a reader.
        human_interval: interval over clusters, None where there is none.
        judge_interval: the judge's.
        difference_interval: that of the difference, made from the same clusters.
        interval_reason: why there is none, "" where there is one.
        n_outputs: different outputs that entered.
        n_missing: outputs that readers graded and the judge did not.
        n_one_reader: outputs of the judge with a single reader, who has no other to be compared with.
        n_clusters: clusters that entered.
    """

    coefficient: str
    readers: tuple[SameTarget, ...]
    human: float
    judge: float
    difference: float
    human_interval: Interval | None
    judge_interval: Interval | None
    difference_interval: Interval | None
    interval_reason: str
    n_outputs: int
    n_missing: int
    n_one_reader: int
    n_clusters: int


def human_ceiling(
    judge: ArrayLike,
    ratings: ArrayLike,
    *,
    kind: Kind,
    scope: Scope,
    systems: Sequence[Hashable],
    clusters: Sequence[Hashable],
    readers: Sequence[Hashable] | None = None,
    higher_is_better: bool = True,
    level: float = 0.95,
) -> Ceiling:
    """Correlation of each reader, and of the judge, with the mean of the other readers.

    For reader r the target is the mean of the readers other than r; r and the judge are correlated with it over the
    outputs that r, another reader and the judge have.

    Args:
        judge: values of the judge or metric, one per output; NaN where absent.
        ratings: readers × outputs; NaN where a reader did not grade.
        kind: "pearson", "spearman" or "kendall".
        scope: "pooled" or "within system", as in `calibration.expert_correlation`.
        systems: system of each output.
        clusters: cluster of each output.
        readers: names of the readers, default 0, 1, ….
        higher_is_better: direction of the judge.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `too_few_readers` below two readers, `too_few_units` or `no_variation` when no reader
            has a coefficient, `shape` for different lengths, `unusable_value` for an infinite value,
            `unknown_category` for a kind or scope that does not exist.

    References:
        Leave-one-out human ceiling: Nili et al., PLoS Computational Biology 10(4), 2014,
        doi:10.1371/journal.pcbi.1003553;
        intervals as in `jackknife.jackknife_interval`.
    """
    require_known(kind, scope)
    inputs = _inputs(judge, ratings, systems, clusters, readers)
    signed = inputs.judge if higher_is_better else -inputs.judge
    entering = _entering(inputs)
    if scope == "within system":
        entering = [kept & ~alone(kept, systems) for kept in entering]

    def compare(reader: int, kept: NDArray[np.bool_], places: Counts, n_clusters: int) -> _Compared:
        require_outputs(int(kept.sum()))
        others = expert_means(np.delete(inputs.table, reader, axis=0))[kept]
        groups = chosen(systems, kept) if scope == "within system" else None
        sides = []
        for side in (inputs.table[reader][kept], signed[kept]):
            pairs = numbered_pairs(side, others, groups=groups, places=places, n_clusters=n_clusters)
            sides.append(correlations(pairs, whole_and_without_each(n_clusters), kind=kind))
        return _Compared(*sides[0], *sides[1])

    compared, rows, places = _compare_all(inputs, entering, compare)
    return _ceiling(f"{kind}, {scope}", compared, rows, inputs, places=places, fisher=True, level=level)


def judge_kappa(
    judge: ArrayLike,
    ratings: ArrayLike,
    *,
    categories: Sequence[float],
    clusters: Sequence[Hashable],
    readers: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Ceiling:
    """Quadratic-weighted kappa of the judge with each reader, beside that of readers with each other.

    For reader r, `human` is the mean kappa of the other readers with r, `judge` the kappa of the judge with r: one
    grader against one grader on both sides. The judge uses the declared scale itself; means are not on it.

    Args:
        judge: the judge's levels, one per output; NaN where absent.
        ratings: readers × outputs; NaN where a reader did not grade.
        categories: the declared scale.
        clusters: cluster of each output.
        readers: names of the readers, default 0, 1, ….
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `unknown_category` for a value that is not a level of the scale, `too_few_readers`,
            `too_few_units` when no pair shares ten outputs, `no_variation` when chance alone agrees fully,
            `shape` for different lengths.

    References:
        Cohen, Psychological Bulletin 70(4), 1968, doi:10.1037/h0026256.
    """
    inputs = _inputs(judge, ratings, clusters, clusters, readers)
    levels = [category_positions(row, categories) for row in (*inputs.table, inputs.judge)]
    weights = agreement_weights(categories, "quadratic")

    def compare(reader: int, kept: NDArray[np.bool_], places: Counts, n_clusters: int) -> _Compared:
        def kappa(other: int) -> tuple[Floats, NDArray[np.bool_]] | None:
            first, second = levels[reader][kept], levels[other][kept]
            shared = second >= 0
            if int(shared.sum()) < MINIMUM_SHARED:
                return None
            return _kappas(first[shared], second[shared], places[shared], n_clusters, weights)

        pairs = [kappa(other) for other in range(len(inputs.readers)) if other != reader]
        found = [pair for pair in pairs if pair is not None and bool(pair[1][0])]
        of_judge = kappa(len(inputs.readers))
        if not found or of_judge is None:
            raise UndefinedStatisticError("too_few_units", f"no pair shares {MINIMUM_SHARED} outputs")
        human = np.mean([pair[0] for pair in found], axis=0)
        return _Compared(human, np.all([pair[1] for pair in found], axis=0), *of_judge)

    compared, rows, places = _compare_all(inputs, _entering(inputs), compare)
    return _ceiling("quadratic kappa", compared, rows, inputs, places=places, fisher=False, level=level)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Inputs:
    """The judge's values, readers × outputs, and what they belong to."""

    judge: Floats
    table: Floats
    readers: list[Hashable]
    clusters: Sequence[Hashable]


@dataclass(frozen=True, eq=False)
class _Compared:
    """A reader and the judge against one target, on all clusters and without each."""

    human: Floats
    human_exists: NDArray[np.bool_]
    judge: Floats
    judge_exists: NDArray[np.bool_]


def _inputs(
    judge: ArrayLike,
    ratings: ArrayLike,
    systems: Sequence[Hashable],
    clusters: Sequence[Hashable],
    readers: Sequence[Hashable] | None,
) -> _Inputs:
    table = as_ratings(ratings)
    values = np.asarray(judge, dtype=np.float64).ravel()
    names: list[Hashable] = [*range(table.shape[0])] if readers is None else [*readers]
    lengths = (values.size, table.shape[1], len(systems), len(clusters))
    if len(set(lengths)) > 1 or len(names) != table.shape[0]:
        raise UndefinedStatisticError(
            "shape",
            "{} values of the judge, {} graded outputs, {} systems, {} clusters".format(*lengths)
            + f", {table.shape[0]} readers with {len(names)} names",
        )
    if bool(np.isinf(values).any()):
        raise UndefinedStatisticError("unusable_value", "a value is infinite")
    if int((~np.isnan(table)).any(axis=1).sum()) < 2:
        raise UndefinedStatisticError("too_few_readers", "a reader needs another one to be compared with")
    return _Inputs(judge=values, table=table, readers=names, clusters=clusters)


def _entering(inputs: _Inputs) -> list[NDArray[np.bool_]]:
    """Outputs of each reader that another reader and the judge have too."""
    graded = ~np.isnan(inputs.table)
    usable = ~np.isnan(inputs.judge) & (graded.sum(axis=0) >= 2)
    return [usable & row for row in graded]


def _kappas(
    first: Counts, second: Counts, places: Counts, n_clusters: int, weights: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Weighted kappa on all clusters and without each; it does not exist where chance alone agrees fully."""
    size = len(weights)
    cells = np.zeros((n_clusters, size * size))
    np.add.at(cells, (places, first * size + second), 1.0)
    tables = (whole_and_without_each(n_clusters) @ cells).reshape(-1, size, size)
    n_shared = tables.sum(axis=(1, 2))
    safe = np.where(n_shared > 0, n_shared, 1.0)
    observed = (tables * weights).sum(axis=(1, 2)) / safe
    expected = np.einsum("di,ij,dj->d", tables.sum(axis=2), weights, tables.sum(axis=1)) / safe**2
    exists = (n_shared > 0) & (expected < 1.0 - 1e-12)
    values: Floats = np.where(exists, (observed - expected) / np.where(exists, 1.0 - expected, 1.0), 0.0)
    return values, exists


def _compare_all(
    inputs: _Inputs,
    entering: list[NDArray[np.bool_]],
    compare: Callable[[int, NDArray[np.bool_], Counts, int], _Compared],
) -> tuple[list[_Compared], list[SameTarget], Counts]:
    """Every reader that can be compared, a row for each, and the cluster number of each output (−1: not used)."""
    used = np.any(entering, axis=0)
    numbers, n_clusters = cluster_positions(chosen(inputs.clusters, used), size=int(used.sum()))
    places = np.full(used.size, -1, dtype=np.int64)
    places[used] = numbers
    rows: list[SameTarget] = []
    found: list[_Compared] = []
    refused: UndefinedStatisticError | None = None
    for reader, (name, kept) in enumerate(zip(inputs.readers, entering, strict=True)):
        n_outputs = int(kept.sum())
        try:
            compared = compare(reader, kept, places[kept], n_clusters)
            if not bool(compared.human_exists[0] and compared.judge_exists[0]):
                raise UndefinedStatisticError("no_variation", f"reader {name}, the others or the judge do not vary")
        except UndefinedStatisticError as refusal:
            refused = refused or refusal
            rows.append(SameTarget(reader=name, human=None, judge=None, reason=refusal.reason, n_outputs=n_outputs))
            continue
        found.append(compared)
        human, judge = float(compared.human[0]), float(compared.judge[0])
        rows.append(SameTarget(reader=name, human=human, judge=judge, reason="", n_outputs=n_outputs))
    if refused is not None and not found:
        raise refused
    return found, rows, places


def _ceiling(
    coefficient: str,
    compared: list[_Compared],
    rows: list[SameTarget],
    inputs: _Inputs,
    *,
    places: Counts,
    fisher: bool,
    level: float,
) -> Ceiling:
    human, judge = (np.mean([getattr(one, side) for one in compared], axis=0) for side in ("human", "judge"))
    exists = np.all([one.human_exists & one.judge_exists for one in compared], axis=0)
    of_human, reason = interval_or_reason(human, exists, fisher=fisher, level=level)
    of_judge, other_reason = interval_or_reason(judge, exists, fisher=fisher, level=level)
    of_difference, last_reason = interval_or_reason(judge - human, exists, level=level)
    graded = (~np.isnan(inputs.table)).sum(axis=0)
    return Ceiling(
        coefficient=coefficient,
        readers=tuple(rows),
        human=float(human[0]),
        judge=float(judge[0]),
        difference=float(judge[0] - human[0]),
        human_interval=of_human,
        judge_interval=of_judge,
        difference_interval=of_difference,
        interval_reason=reason or other_reason or last_reason,
        n_outputs=int((places >= 0).sum()),
        n_missing=int((np.isnan(inputs.judge) & (graded > 0)).sum()),
        n_one_reader=int((~np.isnan(inputs.judge) & (graded == 1)).sum()),
        n_clusters=int(places.max()) + 1,
    )
