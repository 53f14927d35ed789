"""The search under `thresholds`: every cut between neighboring values of a metric, over weighted clusters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.statistics.ratings import Counts, Floats

_LEVEL_WITH = 1e-12
_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class Best:
    """Best threshold and its balanced accuracy under each weighting, and whether both verdicts occur."""

    thresholds: Floats
    accuracies: Floats
    defined: NDArray[np.bool_]


class Cuts:
    """Outputs as counts of passes and failures, clusters × distinct values, for many weightings at once."""

    def __init__(self, values: Floats, passes: NDArray[np.bool_], places: Counts, n_clusters: int) -> None:
        self.levels, number = np.unique(values, return_inverse=True)
        shape = (n_clusters, self.levels.size)
        self.passing, self.failing = np.zeros(shape), np.zeros(shape)
        np.add.at(self.passing, (places, number), passes.astype(np.float64))
        np.add.at(self.failing, (places, number), (~passes).astype(np.float64))

    def best(self, weights: Floats) -> Best:
        """The threshold with the greatest balanced accuracy, per weighting.

        It lies halfway between two neighboring values that have weight; of several the middle one is taken.
        """
        thresholds, accuracies = np.empty(len(weights)), np.empty(len(weights))
        defined = np.empty(len(weights), dtype=np.bool_)
        step = max(1, _CELLS_AT_ONCE // self.levels.size)
        for start in range(0, len(weights), step):
            rows = slice(start, start + step)
            thresholds[rows], accuracies[rows], defined[rows] = self._best(weights[rows])
        return Best(thresholds, accuracies, defined)

    def rightly(self, weights: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
        """Weighted counts of passes passed and failures failed at one threshold per weighting."""
        above = self.levels[None, :] >= thresholds[:, None]
        passing, failing = weights @ self.passing, weights @ self.failing
        return (passing * above).sum(axis=1), (failing * ~above).sum(axis=1)

    def _best(self, weights: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        passing, failing = weights @ self.passing, weights @ self.failing
        n_passing, n_failing = passing.sum(axis=1), failing.sum(axis=1)
        defined = (n_passing > 0) & (n_failing > 0)
        gain = failing / np.where(n_failing > 0, n_failing, 1.0)[:, None]
        gain -= passing / np.where(n_passing > 0, n_passing, 1.0)[:, None]
        accuracy = (1.0 + np.cumsum(gain, axis=1)[:, :-1]) / 2.0
        drawn = (passing + failing) > 0
        size = self.levels.size
        following = np.where(drawn, np.arange(size), size)
        following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1][:, 1:]
        accuracy[~drawn[:, :-1] | (following == size)] = -1.0
        top = accuracy.max(axis=1)
        good = np.cumsum(accuracy >= top[:, None] - _LEVEL_WITH, axis=1)
        place = np.argmax(good == (good[:, -1:] // 2 + 1), axis=1)
        rows = np.arange(len(weights))
        low, high = self.levels[place], self.levels[np.minimum(following[rows, place], size - 1)]
        middle = low + (high - low) / 2.0
        # Between two neighboring floats there is nothing: the upper one itself is the threshold.
        return np.where(middle > low, middle, high), top, defined


def nested(cuts: Cuts, member: Floats, weights: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Sensitivity and specificity over the folds, each with the threshold chosen without it."""
    rightly = np.zeros((2, len(weights)))
    defined = np.ones(len(weights), dtype=np.bool_)
    for fold in member:
        without = cuts.best(weights * (1.0 - fold))
        defined &= without.defined
        rightly += cuts.rightly(weights * fold, without.thresholds)
    n_passing, n_failing = (weights @ table.sum(axis=1) for table in (cuts.passing, cuts.failing))
    defined &= (n_passing > 0) & (n_failing > 0)
    return rightly[0] / np.maximum(n_passing, 1.0), rightly[1] / np.maximum(n_failing, 1.0), defined
