"""The graded sample of a prediction-powered estimate: strata, weights, cluster scores, cross-fitted predictions."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import cluster_positions, require_clusters
from scoring.statistics.ratings import Counts, Floats

Flags = NDArray[np.bool_]
_SMALLEST_EIGENVALUE = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Outputs of one system, which of them are graded, and how much each counts.

    Attributes:
        grades: grade of each output, NaN where ungraded.
        graded: which outputs are graded.
        places: cluster number of each output.
        n_clusters: clusters.
        strata: stratum number of each output.
        names: name of each stratum.
        shares: how much each stratum counts, sum 1.
        weights: design weight of each output on its side: 1 / p where graded, 1 / (1 − p) where not.
    """

    grades: Floats
    graded: Flags
    places: Counts
    n_clusters: int
    strata: Counts
    names: tuple[Hashable, ...]
    shares: Floats
    weights: Floats

    @property
    def n_clusters_graded(self) -> int:
        """Clusters with a graded output."""
        return int(np.unique(self.places[self.graded]).size)

    def centered(self, table: Floats) -> Floats:
        """Columns of a table (outputs × columns) minus their means over all outputs of the stratum."""
        sizes = np.bincount(self.strata, minlength=self.shares.size).astype(np.float64)
        sums = np.zeros((self.shares.size, table.shape[1]))
        np.add.at(sums, self.strata, table)
        return np.asarray(table - (sums / np.maximum(sizes, 1.0)[:, None])[self.strata])


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """A weighted mean and what each cluster contributes to its error.

    Attributes:
        mean: graded minus ungraded mean, or the graded one alone.
        by_stratum: score of each cluster in each stratum, clusters × strata.
    """

    mean: float
    by_stratum: Floats

    @property
    def by_cluster(self) -> Floats:
        """Score of each cluster; the sum of squares estimates the variance."""
        return np.asarray(self.by_stratum.sum(axis=1))


def sample_of(
    grades: ArrayLike,
    *,
    clusters: Sequence[Hashable],
    strata: Sequence[Hashable] | None,
    shares: Mapping[Hashable, float] | None,
    inclusion: ArrayLike | None,
) -> Sample:
    """Check the inputs of `prediction_powered_mean` and number clusters and strata by first appearance.

    Raises:
        UndefinedStatisticError: `shape`, `empty` or `unusable_value` as told there.
    """
    values = np.asarray(grades, dtype=np.float64).ravel()
    if values.size == 0:
        raise UndefinedStatisticError("empty", "there is no output")
    if bool(np.isinf(values).any()):
        raise UndefinedStatisticError("unusable_value", "a grade is infinite")
    graded = ~np.isnan(values)
    places, n_clusters = cluster_positions(clusters, size=values.size)
    names: list[Hashable] = ["all"] * values.size if strata is None else list(strata)
    numbers, n_strata = cluster_positions(names, size=values.size)
    distinct = list(dict.fromkeys(names))
    counted = _shares(distinct, np.bincount(numbers, minlength=n_strata), shares)
    return Sample(
        grades=values,
        graded=graded,
        places=places,
        n_clusters=n_clusters,
        strata=numbers,
        names=tuple(distinct),
        shares=counted,
        weights=_weights(inclusion, graded, numbers),
    )


def require_sample(sample: Sample) -> None:
    """Refuse a sample that gives no interval, or one that leaves nothing to predict.

    Raises:
        UndefinedStatisticError: `too_few_clusters` below ten graded clusters or two in a stratum that counts;
            `nothing_ungraded` when every output is graded.
    """
    require_clusters(sample.n_clusters_graded)
    if bool(sample.graded.all()):
        raise UndefinedStatisticError(
            "nothing_ungraded", f"all {sample.grades.size} outputs are graded: the plain mean needs no metric"
        )
    for number in np.flatnonzero(sample.shares):
        found = np.unique(sample.places[sample.graded & (sample.strata == number)]).size
        if found < 2:
            raise UndefinedStatisticError(
                "too_few_clusters",
                f"stratum {sample.names[number]} has {found} graded clusters, at least 2 are needed",
            )


def cluster_scores(sample: Sample, values: Floats, *, both_sides: bool) -> Scores:
    """Weighted mean of the graded outputs (minus that of the ungraded ones) with its cluster scores.

    A stratum with fewer than two ungraded clusters has no ungraded side and adds 0 to a difference of sides.

    Args:
        sample: the outputs.
        values: one value per output; those of ungraded outputs count only with both sides.
        both_sides: graded minus ungraded, or graded alone.
    """
    total, rows = 0.0, np.zeros(values.size)
    for number in np.flatnonzero(sample.shares):
        inside, share = sample.strata == number, float(sample.shares[number])
        sides = [(1.0, inside & sample.graded)]
        if both_sides:
            rest = inside & ~sample.graded
            if np.unique(sample.places[rest]).size < 2:
                continue
            sides.append((-1.0, rest))
        for sign, where in sides:
            weights = sample.weights[where] / sample.weights[where].sum()
            mean = float(weights @ values[where])
            n_clusters = int(np.unique(sample.places[where]).size)
            total += sign * share * mean
            small = np.sqrt(n_clusters / (n_clusters - 1.0))
            rows[where] = sign * share * small * weights * (values[where] - mean)
    by_stratum = np.zeros((sample.n_clusters, sample.shares.size))
    np.add.at(by_stratum, (sample.places, sample.strata), rows)
    return Scores(mean=total, by_stratum=by_stratum)


def degrees_of_freedom(sample: Sample, by_stratum: Floats) -> float:
    """Welch–Satterthwaite: few graded clusters in a stratum that carries much of the variance give few degrees.

    Args:
        sample: the outputs.
        by_stratum: scores of the estimate, clusters × strata.

    Returns:
        Graded clusters − 1 with one stratum; otherwise between the smallest stratum's n − 1 and graded clusters −
        strata.

    References:
        Satterthwaite, Biometrics Bulletin 2(6), 1946, doi:10.2307/3002019.
    """
    counted = np.flatnonzero(sample.shares)
    sizes = np.array([np.unique(sample.places[sample.graded & (sample.strata == number)]).size for number in counted])
    most = float(sample.n_clusters_graded - counted.size)
    variances = (by_stratum[:, counted] ** 2).sum(axis=0)
    if counted.size == 1 or float(variances.sum()) <= 0:
        return max(1.0, most)
    found = float(variances.sum() ** 2 / (variances**2 / (sizes - 1.0)).sum())
    return max(1.0, min(most, found))


def cross_fitted(sample: Sample, metrics: Floats) -> Floats:
    """Predicted grades up to a constant per stratum, each from a fit without the output's own cluster.

    Least squares of grades on metrics and strata over the graded outputs, with their design weights. One fit per
    graded cluster leaves it out; outputs of ungraded clusters take the mean of these fits. Only slopes are used:
    an intercept would carry the grades of the other clusters into the prediction of each.

    Args:
        sample: the outputs.
        metrics: outputs × metrics, centered within strata and of spread 1.

    Returns:
        One prediction per output. Directions without variation in a fit get slope 0.
    """
    graded = sample.graded
    weights = sample.weights[graded] * sample.shares[sample.strata[graded]]
    dummies = np.eye(sample.shares.size)[sample.strata[graded]]
    columns = np.hstack([dummies, metrics[graded], sample.grades[graded][:, None]])
    size = columns.shape[1]
    products = (weights[:, None, None] * columns[:, :, None] * columns[:, None, :]).reshape(-1, size * size)
    by_cluster = np.zeros((sample.n_clusters, size * size))
    np.add.at(by_cluster, sample.places[graded], products)
    used = np.unique(sample.places[graded])
    without = (by_cluster.sum(axis=0)[None, :] - by_cluster[used]).reshape(-1, size, size)
    inverse = np.linalg.pinv(without[:, :-1, :-1], rcond=_SMALLEST_EIGENVALUE, hermitian=True)
    slopes = np.einsum("cij,cj->ci", inverse, without[:, :-1, -1])[:, sample.shares.size :]
    by_place = np.tile(slopes.mean(axis=0), (sample.n_clusters, 1))
    by_place[used] = slopes
    return np.asarray((metrics * by_place[sample.places]).sum(axis=1))


def _shares(names: list[Hashable], sizes: Counts, shares: Mapping[Hashable, float] | None) -> Floats:
    if shares is None:
        return np.asarray(sizes / sizes.sum(), dtype=np.float64)
    absent = [name for name in names if name not in shares]
    if absent:
        raise UndefinedStatisticError("unusable_value", f"stratum {absent[0]} has no share")
    given = np.array([shares[name] for name in names], dtype=np.float64)
    if not bool(np.isfinite(given).all()) or float(given.min()) < 0 or float(given.sum()) <= 0:
        raise UndefinedStatisticError("unusable_value", "shares of strata are numbers from 0 on, not all 0")
    return np.asarray(given / given.sum())


def _weights(inclusion: ArrayLike | None, graded: Flags, strata: Counts) -> Floats:
    if inclusion is None:
        return np.ones(graded.size)
    chance = np.asarray(inclusion, dtype=np.float64).ravel()
    if chance.size != graded.size:
        raise UndefinedStatisticError("shape", f"{graded.size} outputs have {chance.size} inclusion probabilities")
    if not bool(((chance > 0) & (chance <= 1)).all()):
        raise UndefinedStatisticError("unusable_value", "an inclusion probability is outside 0…1 or 0")
    certain = chance == 1
    if bool((certain & ~graded).any()):
        raise UndefinedStatisticError("unusable_value", "an output of inclusion probability 1 is not graded")
    if bool(np.isin(strata[certain], strata[~certain]).any()):
        raise UndefinedStatisticError(
            "unusable_value", "outputs graded with certainty belong in a stratum of their own"
        )
    return np.asarray(1.0 / np.where(graded, chance, 1.0 - chance))
