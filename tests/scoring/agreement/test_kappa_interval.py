"""Limits of weighted kappa: the resampled coefficient is Cohen's, whole clusters are drawn, few are refused."""

import numpy as np
import pytest

from scoring.agreement.resampling import _quadratic_kappa, kappa_cluster_interval
from scoring.statistics import UndefinedStatisticError, cohen_kappa

SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)


def ratings(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    first = chance.integers(1, 6, n).astype(float)
    return first, np.clip(first + chance.integers(-1, 2, n), 1, 5)


def test_the_vectorized_coefficient_is_cohens():
    a, b = ratings(60)
    table = np.zeros((1, 5, 5))
    for first, second in zip(a, b, strict=True):
        table[0, int(first) - 1, int(second) - 1] += 1

    values, defined = _quadratic_kappa(table)

    assert defined[0]
    assert values[0] == pytest.approx(cohen_kappa(a, b, categories=SCALE, weights="quadratic"), abs=1e-12)


def test_the_limits_hold_the_coefficient_and_agree_with_a_plain_bootstrap():
    a, b = ratings(80)
    clusters = [f"c{place // 2}" for place in range(80)]

    limits = kappa_cluster_interval(a, b, categories=SCALE, clusters=clusters, seed=3)
    chance, plain = np.random.default_rng(9), []
    for _ in range(1000):
        drawn = np.concatenate([[2 * c, 2 * c + 1] for c in chance.integers(0, 40, 40)])
        plain.append(cohen_kappa(a[drawn], b[drawn], categories=SCALE, weights="quadratic"))

    assert limits.low < cohen_kappa(a, b, categories=SCALE, weights="quadratic") < limits.high
    assert (limits.low, limits.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.02)


def test_below_ten_clusters_there_are_no_limits():
    a, b = ratings(40)

    with pytest.raises(UndefinedStatisticError, match="10 clusters"):
        kappa_cluster_interval(a, b, categories=SCALE, clusters=[place % 9 for place in range(40)], seed=1)


def test_two_readers_who_use_one_level_have_no_limits():
    same = np.full(30, 4.0)

    with pytest.raises(UndefinedStatisticError):
        kappa_cluster_interval(same, same, categories=SCALE, clusters=list(range(30)), seed=1)
