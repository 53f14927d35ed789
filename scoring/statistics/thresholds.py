"""From which value of a metric an output passes: the threshold that agrees best with the experts' verdicts.

A threshold judged on the outputs it was chosen on looks better than it is. Here it is chosen again without each
cluster, and what it says of the cluster left out is what counts.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scoring.statistics.calibration import MINIMUM_OUTPUTS, chosen
from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import (
    DRAWS,
    MINIMUM_CLUSTERS,
    Interval,
    cluster_positions,
    percentile_interval,
    require_clusters,
    resample_counts,
)
from scoring.statistics.ratings import Counts, Floats
from scoring.statistics.threshold_search import Cuts, nested

_METHOD = "cluster bootstrap"
_NESTED = "nested cluster bootstrap"
FOLDS = 10
"""Parts of clusters left out in turn; as many as there are clusters where these are fewer."""

NESTED_DRAWS = 500
"""Resamples that choose again; they give a spread, for which these are enough."""

_MOST_UNDEFINED = 0.05


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How well passing by the metric agrees with the experts.

    Attributes:
        balanced: mean of sensitivity and specificity; 0.5 for chance, 1 for agreement throughout.
        sensitivity: share of the experts' passes that the metric passes.
        specificity: share of the experts' failures that the metric fails.
        interval: cluster-bootstrap interval of the balanced accuracy, None where there is none.
        interval_reason: why there is none (`too_few_clusters`, `unstable`), "" where there is one.
        n_passed: outputs that pass for the experts.
        n_failed: outputs that fail for the experts.
        n_missing: outputs without a value or without a verdict.
        n_clusters: clusters that entered.
    """

    balanced: float
    sensitivity: float
    specificity: float
    interval: Interval | None
    interval_reason: str
    n_passed: int
    n_failed: int
    n_missing: int
    n_clusters: int


@dataclass(frozen=True, kw_only=True)
class PassThreshold:
    """A threshold derived from the experts' verdicts.

    Attributes:
        threshold: outputs pass from this value on (up to it where lower is better), in the metric's unit.
        higher_is_better: direction of the metric.
        interval: cluster-bootstrap interval of the threshold, None where there is none.
        interval_reason: why there is none, "" where there is one.
        apparent: balanced accuracy on the outputs the threshold was chosen on; flatters.
        held_out: accuracy on outputs of clusters that had no part in choosing; the one to report.
        fold_low: lowest threshold chosen without one of the folds.
        fold_high: highest of them.
        n_folds: folds; as many as clusters when each is left out once.
    """

    threshold: float
    higher_is_better: bool
    interval: Interval | None
    interval_reason: str
    apparent: float
    held_out: Accuracy
    fold_low: float
    fold_high: float
    n_folds: int


def pass_threshold(
    values: ArrayLike,
    verdicts: Sequence[bool | None],
    *,
    clusters: Sequence[Hashable],
    seed: int,
    higher_is_better: bool = True,
    folds: int | None = FOLDS,
    draws: int = DRAWS,
    level: float = 0.95,
) -> PassThreshold:
    """Threshold with the greatest balanced accuracy against the experts' verdicts, nested by cluster.

    Thresholds lie halfway between neighboring values of the metric, so that equal values always share a verdict. Of
    several equally good thresholds the middle one is taken (the stricter of two in the middle).

    Args:
        values: the metric, one per output; NaN where absent.
        verdicts: whether the output passes for the experts; None where absent.
        clusters: cluster of each output.
        seed: seed of the resamples and of the folds.
        higher_is_better: direction of the metric.
        folds: how many parts of clusters to leave out in turn (drawn with the seed); None leaves out one cluster at a
            time, which costs a search per cluster in every resample.
        draws: number of resamples; at most 500 of them choose again without each fold.
        level: coverage aimed at.

    Returns:
        The threshold with its interval, and the accuracy on what was left out. In the resamples behind the interval
        of that accuracy thresholds are chosen again without each fold: holding them as they are covers 87 % where
        95 % is meant. The threshold itself comes from a search, for which no bootstrap is exact; its interval erred
        on the wide side (94–98 %) in simulation.

    Raises:
        UndefinedStatisticError: `too_few_units` below 20 outputs, `no_variation` when all pass, all fail or the
            metric is constant, `too_few_clusters` below two clusters, `unstable`
            when leaving out a fold leaves passes or failures only, `unusable_value` for an infinite value or less
            than two folds, `shape` for different lengths.

    References:
        Brodersen et al., ICPR 2010, doi:10.1109/ICPR.2010.764 (balanced accuracy);
        LeDell, Petersen and van der Laan, Electronic Journal of Statistics 9(1), 2015, doi:10.1214/15-EJS1035
        (intervals of cross-validated accuracy).
    """
    outputs = _outputs(values, verdicts, clusters, higher_is_better=higher_is_better)
    outputs.require_enough()
    cuts = Cuts(outputs.values, outputs.passes, outputs.places, outputs.n_clusters)
    best = cuts.best(np.ones((1, outputs.n_clusters)))
    member = _members(outputs.n_clusters, folds, seed)
    left = cuts.best(1.0 - member)
    if not bool(left.defined.all()):
        raise UndefinedStatisticError(
            "unstable", "leaving out one part of the clusters leaves outputs that all pass or all fail"
        )
    interval, reason = _threshold_interval(cuts, outputs, seed=seed, draws=draws, level=level)
    bounds = sorted((outputs.sign * float(left.thresholds.min()), outputs.sign * float(left.thresholds.max())))
    return PassThreshold(
        threshold=outputs.sign * float(best.thresholds[0]),
        higher_is_better=higher_is_better,
        interval=interval,
        interval_reason=reason,
        apparent=float(best.accuracies[0]),
        held_out=_held_out(cuts, outputs, member, seed=seed, draws=draws, level=level),
        fold_low=bounds[0],
        fold_high=bounds[1],
        n_folds=len(member),
    )


def accuracy_at(
    threshold: float,
    values: ArrayLike,
    verdicts: Sequence[bool | None],
    *,
    clusters: Sequence[Hashable],
    seed: int,
    higher_is_better: bool = True,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Accuracy:
    """Accuracy of a threshold that was declared beforehand, for comparison with a derived one.

    Args:
        threshold: outputs pass from this value on (up to it where lower is better).
        values: as for `pass_threshold`.
        verdicts: as for `pass_threshold`.
        clusters: as for `pass_threshold`.
        seed: seed of the resamples.
        higher_is_better: direction of the metric.
        draws: number of resamples.
        level: coverage aimed at.

    Raises:
        UndefinedStatisticError: `too_few_units` below 20 outputs, `no_variation` when all pass or all fail for the
            experts, `unusable_value` for an infinite value or threshold, `shape` for different lengths.
    """
    if not np.isfinite(threshold):
        raise UndefinedStatisticError("unusable_value", f"the threshold {threshold} is not finite")
    outputs = _outputs(values, verdicts, clusters, higher_is_better=higher_is_better)
    outputs.require_verdicts()
    return _accuracy(outputs, outputs.values >= outputs.sign * threshold, seed=seed, draws=draws, level=level)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outputs:
    """Outputs with value and verdict, turned so that higher is better."""

    values: Floats
    passes: NDArray[np.bool_]
    places: Counts
    n_clusters: int
    n_missing: int
    sign: float

    def require_verdicts(self) -> None:
        if self.values.size < MINIMUM_OUTPUTS:
            raise UndefinedStatisticError(
                "too_few_units", f"a threshold needs at least {MINIMUM_OUTPUTS} outputs, {self.values.size} entered"
            )
        n_passed = int(self.passes.sum())
        if n_passed in (0, self.passes.size):
            raise UndefinedStatisticError("no_variation", f"{n_passed} of {self.passes.size} outputs pass")

    def require_enough(self) -> None:
        self.require_verdicts()
        if float(self.values.min()) == float(self.values.max()):
            raise UndefinedStatisticError("no_variation", "the metric is constant")
        require_clusters(self.n_clusters, minimum=2)


def _outputs(
    values: ArrayLike, verdicts: Sequence[bool | None], clusters: Sequence[Hashable], *, higher_is_better: bool
) -> _Outputs:
    metric = np.asarray(values, dtype=np.float64).ravel()
    if not metric.size == len(verdicts) == len(clusters):
        raise UndefinedStatisticError(
            "shape", f"{metric.size} values, {len(verdicts)} verdicts, {len(clusters)} clusters"
        )
    if bool(np.isinf(metric).any()):
        raise UndefinedStatisticError("unusable_value", "a value is infinite")
    kept = ~np.isnan(metric) & np.array([verdict is not None for verdict in verdicts], dtype=np.bool_)
    places, n_clusters = cluster_positions(chosen(clusters, kept), size=int(kept.sum()))
    sign = 1.0 if higher_is_better else -1.0
    return _Outputs(
        values=sign * metric[kept],
        passes=np.array([bool(verdict) for verdict in verdicts], dtype=np.bool_)[kept],
        places=places,
        n_clusters=n_clusters,
        n_missing=int((~kept).sum()),
        sign=sign,
    )


def _members(n_clusters: int, folds: int | None, seed: int) -> Floats:
    """Which clusters each fold leaves out, folds × clusters."""
    if folds is None:
        return np.eye(n_clusters)
    if folds < 2:
        raise UndefinedStatisticError("unusable_value", f"{folds} folds leave nothing to choose a threshold on")
    folds = min(folds, n_clusters)
    generator = np.random.Generator(np.random.PCG64(seed))
    fold = generator.permutation(np.arange(n_clusters) % folds)
    member: Floats = (fold[None, :] == np.arange(folds)[:, None]).astype(np.float64)
    return member


def _threshold_interval(
    cuts: Cuts, outputs: _Outputs, *, seed: int, draws: int, level: float
) -> tuple[Interval | None, str]:
    try:
        require_clusters(outputs.n_clusters)
        drawn = resample_counts(outputs.n_clusters, draws=draws, seed=seed).astype(np.float64)
        best = cuts.best(drawn)
        return (
            percentile_interval(
                outputs.sign * best.thresholds,
                best.defined,
                level=level,
                n_clusters=outputs.n_clusters,
                seed=seed,
                method=_METHOD,
            ),
            "",
        )
    except UndefinedStatisticError as refusal:
        return None, refusal.reason


def _held_out(cuts: Cuts, outputs: _Outputs, member: Floats, *, seed: int, draws: int, level: float) -> Accuracy:
    """Accuracy on the folds left out, with Student's t on the spread of resamples that choose again."""
    from scipy.special import stdtrit

    n_clusters = outputs.n_clusters
    passed, failed, defined = nested(cuts, member, np.ones((1, n_clusters)))
    draws = min(draws, NESTED_DRAWS)
    interval, reason = None, "too_few_clusters" if n_clusters < MINIMUM_CLUSTERS else ""
    if not reason:
        drawn = resample_counts(n_clusters, draws=draws, seed=seed).astype(np.float64)
        first, second, defined = nested(cuts, member, drawn)
        n_undefined = int(draws - np.count_nonzero(defined))
        if n_undefined > _MOST_UNDEFINED * draws:
            reason = "unstable"
        else:
            values = (first + second)[defined] / 2.0
            spread = float(values.std(ddof=1)) * (n_clusters / (n_clusters - 1)) ** 0.5
            half = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0)) * spread
            balanced = float(passed[0] + failed[0]) / 2.0
            interval = Interval(
                low=max(0.0, balanced - half),
                high=min(1.0, balanced + half),
                level=level,
                method=_NESTED,
                n_clusters=n_clusters,
                draws=draws,
                n_undefined=n_undefined,
                seed=seed,
            )
    return _described(outputs, float(passed[0]), float(failed[0]), interval, reason)


def _accuracy(outputs: _Outputs, passed: NDArray[np.bool_], *, seed: int, draws: int, level: float) -> Accuracy:
    """Accuracy of verdicts already given, with its interval over clusters."""
    parts = np.stack(
        [
            np.bincount(outputs.places, weights=row, minlength=outputs.n_clusters)
            for row in (outputs.passes, outputs.passes & passed, ~outputs.passes, ~outputs.passes & ~passed)
        ],
        axis=1,
    )
    total = parts.sum(axis=0)
    sensitivity, specificity = float(total[1] / total[0]), float(total[3] / total[2])
    interval, reason = None, ""
    try:
        require_clusters(outputs.n_clusters)
        drawn = resample_counts(outputs.n_clusters, draws=draws, seed=seed) @ parts
        defined = (drawn[:, 0] > 0) & (drawn[:, 2] > 0)
        safe = np.where(drawn > 0, drawn, 1.0)
        values = (drawn[:, 1] / safe[:, 0] + drawn[:, 3] / safe[:, 2]) / 2.0
        interval = percentile_interval(
            values, defined, level=level, n_clusters=outputs.n_clusters, seed=seed, method=_METHOD
        )
    except UndefinedStatisticError as refusal:
        reason = refusal.reason
    return _described(outputs, sensitivity, specificity, interval, reason)


def _described(
    outputs: _Outputs, sensitivity: float, specificity: float, interval: Interval | None, reason: str
) -> Accuracy:
    return Accuracy(
        balanced=(sensitivity + specificity) / 2.0,
        sensitivity=sensitivity,
        specificity=specificity,
        interval=interval,
        interval_reason=reason,
        n_passed=int(outputs.passes.sum()),
        n_failed=int((~outputs.passes).sum()),
        n_missing=outputs.n_missing,
        n_clusters=outputs.n_clusters,
    )
