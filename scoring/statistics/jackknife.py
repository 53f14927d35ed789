"""Intervals from leaving out one cluster at a time, for correlations and other smooth statistics."""

from math import atanh, sqrt, tanh

import numpy as np
from numpy.typing import NDArray

from scoring.statistics.errors import UndefinedStatisticError
from scoring.statistics.intervals import Interval, require_clusters
from scoring.statistics.ratings import Floats

FISHER = "Fisher z, cluster jackknife"
PLAIN = "cluster jackknife"
_CERTAIN = 1.0 - 1e-12


def whole_and_without_each(n_clusters: int) -> Floats:
    """Weightings of the clusters: all of them in the first row, then one left out per row."""
    return np.vstack([np.ones((1, n_clusters)), 1.0 - np.eye(n_clusters)])


def jackknife_interval(
    values: Floats, defined: NDArray[np.bool_], *, fisher: bool = False, level: float = 0.95
) -> Interval:
    """Interval of a statistic from its values without each cluster, with Student's t on clusters − 1.

    A correlation goes through Fisher's z, which makes its error even along −1…1 and keeps the limits inside.

    Args:
        values: the statistic on all clusters, then without each.
        defined: whether it exists there.
        fisher: the statistic is a correlation, −1…1.
        level: coverage aimed at.

    Returns:
        The limits. A correlation that is 1 with and without every cluster gets [1, 1].

    Raises:
        UndefinedStatisticError: `too_few_clusters` below ten, `unstable` when the statistic does not exist, or is a
            perfect correlation, only because of one cluster.

    References:
        Miller, Biometrika 61(1), 1974, doi:10.1093/biomet/61.1.1;
        Fisher, Biometrika 10(4), 1915, doi:10.2307/2331838.
    """
    from scipy.special import stdtrit

    value, without = float(values[0]), values[1:]
    n_clusters = without.size
    require_clusters(n_clusters)
    if not bool(defined.all()):
        raise UndefinedStatisticError(
            "unstable", f"the statistic does not exist without one of {n_clusters} clusters"
        )
    method = FISHER if fisher else PLAIN
    if float(np.ptp(values)) <= 1e-12:
        return Interval(low=value, high=value, level=level, method=method, n_clusters=n_clusters)
    if fisher and float(np.abs(values).max()) > _CERTAIN:
        raise UndefinedStatisticError("unstable", "the correlation is perfect but for one cluster")
    spots = np.arctanh(without) if fisher else without
    center = atanh(value) if fisher else value
    error = sqrt((n_clusters - 1) / n_clusters * float(((spots - spots.mean()) ** 2).sum()))
    half = float(stdtrit(n_clusters - 1, 0.5 + level / 2.0)) * error
    low, high = center - half, center + half
    return Interval(
        low=tanh(low) if fisher else low,
        high=tanh(high) if fisher else high,
        level=level,
        method=method,
        n_clusters=n_clusters,
    )


def interval_or_reason(
    values: Floats, defined: NDArray[np.bool_], *, fisher: bool = False, level: float = 0.95
) -> tuple[Interval | None, str]:
    """The interval and "", or None and the reason why there is none."""
    try:
        return jackknife_interval(values, defined, fisher=fisher, level=level), ""
    except UndefinedStatisticError as refusal:
        return None, refusal.reason
