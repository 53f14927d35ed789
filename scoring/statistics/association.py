"""Correlation of a measure with the experts' verdict over weighted clusters: pooled, and within systems.

The machinery under `calibration` and `ceiling`: every function takes many weightings of the clusters at once
(draws × clusters, how often each cluster is drawn), so that a bootstrap is a few matrix products.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.statistics.intervals import cluster_positions
from scoring.statistics.ratings import Counts, Floats

Kind = Literal["pearson", "spearman", "kendall"]
KINDS: tuple[Kind, ...] = ("pearson", "spearman", "kendall")

_CELLS_AT_ONCE = 2_000_000
_RESIDUE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Outputs with both values, in an order in which groups are contiguous.

    Attributes:
        first: the measure, one finite value per output.
        second: the experts' value of the same outputs.
        groups: number of the group of each output, rising; one group when pooled, systems otherwise.
        clusters: number of the cluster of each output.
        n_clusters: clusters counted; the columns of every weighting.
        n_groups: groups that entered.
    """

    first: Floats
    second: Floats
    groups: Counts
    clusters: Counts
    n_clusters: int
    n_groups: int


def as_pairs(
    first: Floats, second: Floats, *, groups: Sequence[Hashable] | None, clusters: Sequence[Hashable]
) -> Pairs:
    """Bring outputs into the order the weighted correlations need, clusters numbered by first appearance.

    Args:
        first: finite values of the measure.
        second: finite values of the experts.
        groups: group of each output, None for one group.
        clusters: cluster of each output.

    Raises:
        UndefinedStatisticError: `shape` when groups or clusters are not one per output.
    """
    places, n_clusters = cluster_positions(clusters, size=first.size)
    return numbered_pairs(first, second, groups=groups, places=places, n_clusters=n_clusters)


def numbered_pairs(
    first: Floats, second: Floats, *, groups: Sequence[Hashable] | None, places: Counts, n_clusters: int
) -> Pairs:
    """As `as_pairs`, over clusters that are numbered already and may hold other outputs too.

    Args:
        first: finite values of the measure.
        second: finite values of the experts.
        groups: group of each output, None for one group.
        places: number of the cluster of each output.
        n_clusters: clusters counted, used by these outputs or not.

    Raises:
        UndefinedStatisticError: `shape` when there is not one group per output.
    """
    if groups is None:
        numbers, n_groups = np.zeros(first.size, dtype=np.int64), 1
    else:
        numbers, n_groups = cluster_positions(groups, size=first.size)
    order = np.argsort(numbers, kind="stable")
    return Pairs(
        first=first[order],
        second=second[order],
        groups=numbers[order],
        clusters=places[order],
        n_clusters=n_clusters,
        n_groups=n_groups,
    )


def correlations(pairs: Pairs, weights: Floats, *, kind: Kind) -> tuple[Floats, NDArray[np.bool_]]:
    """Correlation under each weighting of the clusters, and whether it exists there.

    Within groups it is

    - Pearson: the product-moment correlation of values centered at their group's mean;
    - Spearman: the correlation of probability-scale residuals, P(lower) − P(higher) within the group, which are
      the group's mid-ranks brought to −1…1, so that a large system does not outweigh others by the size of its ranks;
    - Kendall: tau-b over the pairs of outputs that share a group.

    With one group these are the ordinary coefficients.

    Args:
        pairs: the outputs.
        weights: draws × clusters, how often each cluster is drawn (0 or more).
        kind: "pearson", "spearman" or "kendall".

    Returns:
        Values −1…1 (0 where undefined) and the mask of those that exist: a measure that is constant in every
        group has none.

    References:
        Bland and Altman, BMJ 310, 1995, doi:10.1136/bmj.310.6977.446 (within groups, Pearson);
        Liu, Li, Wanga and Shepherd, Biometrics 74(2), 2018, doi:10.1111/biom.12812 (Spearman);
        Taylor, Biometrics 43(2), 1987, doi:10.2307/2531822 (Kendall and Spearman with blocks).
    """
    match kind:
        case "pearson":
            parts = _product_moments(pairs, weights)
        case "spearman":
            parts = _rank_moments(pairs, weights)
        case "kendall":
            parts = _concordance(pairs, weights)
    crossed, first, second = parts
    defined = (first > 0) & (second > 0)
    scale = np.sqrt(np.where(defined, first, 1.0)) * np.sqrt(np.where(defined, second, 1.0))
    values: Floats = np.where(defined, np.clip(crossed / scale, -1.0, 1.0), 0.0)
    return values, defined


def _product_moments(pairs: Pairs, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted cross product and squares around each group's weighted mean."""
    a, b = (_centered(values, pairs) for values in (pairs.first, pairs.second))
    sums = np.zeros((pairs.n_clusters, 6, pairs.n_groups))
    for place, values in enumerate((np.ones(a.size), a, b, a * a, b * b, a * b)):
        np.add.at(sums[:, place, :], (pairs.clusters, pairs.groups), values)
    flat = (weights @ sums.reshape(pairs.n_clusters, -1)).reshape(len(weights), 6, pairs.n_groups)
    size, total_a, total_b, square_a, square_b, crossed = np.moveaxis(flat, 1, 0)
    safe = np.where(size > 0, size, 1.0)
    first = square_a - total_a**2 / safe
    second = square_b - total_b**2 / safe
    # A group that has become constant leaves rounding residue, which must read as exactly 0.
    first[first <= _RESIDUE * square_a] = 0.0
    second[second <= _RESIDUE * square_b] = 0.0
    product = crossed - total_a * total_b / safe
    return product.sum(axis=1), first.sum(axis=1), second.sum(axis=1)


def _centered(values: Floats, pairs: Pairs) -> Floats:
    """Values around their group's mean; a constant group is exactly 0."""
    size = np.bincount(pairs.groups, minlength=pairs.n_groups)
    means = np.bincount(pairs.groups, weights=values, minlength=pairs.n_groups) / size
    moved: Floats = values - means[pairs.groups]
    starts = np.flatnonzero(np.r_[True, np.diff(pairs.groups) > 0])
    constant = np.maximum.reduceat(values, starts) == np.minimum.reduceat(values, starts)
    moved[constant[pairs.groups]] = 0.0
    return moved


def _rank_moments(pairs: Pairs, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Cross product and squares of probability-scale residuals; their weighted mean in a group is 0."""
    found = np.empty((3, len(weights)))
    step = max(1, _CELLS_AT_ONCE // pairs.first.size)
    levels = [_levels(values, pairs) for values in (pairs.first, pairs.second)]
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        by_output = weights[rows][:, pairs.clusters].astype(np.float64)
        a, b = (_residuals(level, pairs, by_output) for level in levels)
        found[0, rows] = (by_output * a * b).sum(axis=1)
        found[1, rows] = (by_output * a * a).sum(axis=1)
        found[2, rows] = (by_output * b * b).sum(axis=1)
    found[1:][found[1:] <= _RESIDUE] = 0.0
    return found[0], found[1], found[2]


def _levels(values: Floats, pairs: Pairs) -> tuple[Counts, Counts, Counts]:
    """Outputs ordered by value within their group, where each level starts, and the level of each output."""
    order = np.lexsort((values, pairs.groups))
    new = np.r_[True, (np.diff(values[order]) != 0) | (np.diff(pairs.groups[order]) != 0)]
    level = np.empty(values.size, dtype=np.int64)
    level[order] = np.cumsum(new) - 1
    return order, np.flatnonzero(new), level


def _residuals(levels: tuple[Counts, Counts, Counts], pairs: Pairs, weights: Floats) -> Floats:
    """P(lower) − P(higher) of each output within its group under the weights (draws × outputs)."""
    order, starts, level = levels
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    up_to = np.cumsum(sizes, axis=1)
    group_of_level = pairs.groups[order][starts]
    ends = np.flatnonzero(np.r_[np.diff(group_of_level) > 0, True])
    at_end = up_to[:, ends]
    before = np.hstack([np.zeros((len(weights), 1)), at_end[:, :-1]])
    total = at_end - before
    middle = up_to - sizes / 2.0 - before[:, group_of_level]
    residual: Floats = (2.0 * middle / np.where(total > 0, total, 1.0)[:, group_of_level] - 1.0)[:, level]
    return residual


def _concordance(pairs: Pairs, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Concordant minus discordant pairs and untied pairs, summed over the pairs of drawn clusters."""
    score, untied_a, untied_b = (np.zeros((pairs.n_clusters, pairs.n_clusters)) for _ in range(3))
    bounds = np.flatnonzero(np.r_[True, np.diff(pairs.groups) > 0, True])
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        columns = pairs.clusters[low:high]
        step = max(1, _CELLS_AT_ONCE // (high - low))
        for start in range(low, high, step):
            rows = slice(start, min(high, start + step))
            sign_a = np.sign(pairs.first[rows, None] - pairs.first[None, low:high])
            sign_b = np.sign(pairs.second[rows, None] - pairs.second[None, low:high])
            for table, values in (
                (score, sign_a * sign_b),
                (untied_a, np.abs(sign_a)),
                (untied_b, np.abs(sign_b)),
            ):
                _add_by_cluster(table, values, rows=pairs.clusters[rows], columns=columns)
    times = weights.astype(np.float64)
    parts = [((times @ table) * times).sum(axis=1) for table in (score, untied_a, untied_b)]
    return parts[0], parts[1], parts[2]


def _add_by_cluster(table: Floats, values: Floats, *, rows: Counts, columns: Counts) -> None:
    """Add a block outputs × outputs to the table clusters × clusters."""
    size = table.shape[1]
    place = rows[:, None] * size + columns[None, :]
    table += np.bincount(place.ravel(), weights=values.ravel(), minlength=table.size).reshape(table.shape)
