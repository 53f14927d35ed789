"""Limits of an ICC over clusters: each draw divided by its own standard error, in Fisher's z."""

import numpy as np
import pytest

from scoring import statistics as st
from scoring.statistics.icc_bootstrap import METHOD, _errors, icc_cluster_interval, moments_by_cluster
from scoring.statistics.intervals import resample_counts


def table(seed: int, *, units: int = 60, readers: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(3, 1, units) + generator.normal(0, 0.5, (readers, units))


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


def test_independent_normal_outputs_get_about_the_limits_of_the_f_distribution():
    ratings = table(1, units=120)
    found = icc_cluster_interval(ratings, form="A,1", clusters=range(120), seed=1)
    exact = st.icc_interval(ratings, form="A,1")

    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.03)
    assert (found.method, found.n_clusters, found.draws) == (METHOD, 120, 2000)


def test_the_standard_error_of_a_draw_is_that_of_the_jackknife():
    ratings = table(2, units=80)
    moments = moments_by_cluster(ratings, np.arange(80), 80)
    drawn = resample_counts(80, draws=3, seed=4)
    errors = _errors(moments, drawn.astype(float), 3)

    for row, error in zip(drawn, errors, strict=True):
        units = np.repeat(np.arange(80), row)
        z = np.arctanh([st.icc(np.delete(ratings[:, units], place, axis=1), form="A,1") for place in range(80)])
        assert error == pytest.approx(np.sqrt(79 / 80 * ((z - z.mean()) ** 2).sum()), rel=0.04)


def test_below_twenty_clusters_percentiles_stay():
    ratings = table(3, units=57)
    clusters = [unit // 3 for unit in range(57)]
    found = icc_cluster_interval(ratings, form="A,1", clusters=clusters, seed=1, draws=300)
    direct = st.bootstrap_interval(
        lambda units: st.icc(ratings[:, units], form="A,1"), clusters=clusters, seed=1, draws=300
    )

    assert (found.low, found.high) == pytest.approx((direct.low, direct.high), abs=1e-9)
    assert found.method == "cluster bootstrap"


def test_outputs_of_a_cluster_move_together():
    ratings = np.repeat(table(4, units=30), 4, axis=1)
    together = icc_cluster_interval(ratings, form="A,1", clusters=np.repeat(range(30), 4).tolist(), seed=1)
    apart = icc_cluster_interval(ratings, form="A,1", clusters=range(120), seed=1)

    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_limits_of_the_mean_are_those_of_one_reader_stepped_up():
    one = icc_cluster_interval(table(5), form="A,1", clusters=range(60), seed=1)
    mean = icc_cluster_interval(table(5), form="A,k", clusters=range(60), seed=1)

    assert mean.low == pytest.approx(3 * one.low / (1 + 2 * one.low))
    assert mean.low < st.icc(table(5), form="A,k") < mean.high < 1


def test_shift_and_scale_change_nothing():
    first = icc_cluster_interval(table(6), form="A,1", clusters=range(60), seed=1, draws=300)
    second = icc_cluster_interval(100 - 7 * table(6), form="A,1", clusters=range(60), seed=1, draws=300)

    assert (second.low, second.high) == pytest.approx((first.low, first.high), abs=1e-5)


def test_readers_who_never_differ_get_one_and_one():
    ratings = np.vstack([table(7)[0]] * 3)
    found = icc_cluster_interval(ratings, form="A,1", clusters=range(60), seed=1, draws=200)

    assert (found.low, found.high) == pytest.approx((1.0, 1.0), abs=1e-12)


def test_rare_differences_fall_back_on_percentiles():
    ratings = np.vstack([np.round(table(8)[0])] * 2)
    ratings[1, 5] += 1

    found = icc_cluster_interval(ratings, form="A,1", clusters=range(60), seed=1, draws=400)

    assert found.method == "cluster bootstrap"
    assert 0.9 < found.low < found.high == pytest.approx(1.0)


def test_what_has_no_limits_is_refused():
    assert reason(icc_cluster_interval, table(9)[:, :9], form="A,1", clusters=range(9), seed=1) == "too_few_clusters"
    assert reason(icc_cluster_interval, np.ones((2, 30)), form="A,1", clusters=range(30), seed=1) == "no_variation"
    assert reason(icc_cluster_interval, table(9), form="A,1", clusters=range(59), seed=1) == "shape"
    gaps = table(9)
    gaps[0, 0] = np.nan
    assert reason(icc_cluster_interval, gaps, form="A,1", clusters=range(60), seed=1) == "gaps"
