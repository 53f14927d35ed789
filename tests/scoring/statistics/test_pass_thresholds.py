"""Thresholds re-derived from the experts' verdicts: chosen, held out, and refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scoring import statistics as st


def study(seed=0, *, n_clusters=30, per_cluster=3, noise=0.7):
    generator = np.random.default_rng(seed)
    quality = generator.normal(size=(n_clusters, 1)) * 0.6 + generator.normal(size=(n_clusters, per_cluster)) * 0.8
    verdicts = quality + 0.5 * generator.normal(size=quality.shape) > 0.2
    metric = np.round(quality + noise * generator.normal(size=quality.shape), 2)
    return metric.ravel(), verdicts.ravel().tolist(), np.repeat(range(n_clusters), per_cluster).tolist()


def derive(metric, verdicts, clusters, **named) -> st.PassThreshold:
    return st.pass_threshold(metric, verdicts, clusters=clusters, **{"seed": 1, "draws": 200, **named})


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    assert str(caught.value)
    return caught.value.reason


def balanced(metric, verdicts, threshold) -> float:
    verdicts = np.array(verdicts)
    return (np.mean(metric[verdicts] >= threshold) + np.mean(metric[~verdicts] < threshold)) / 2


def test_the_threshold_is_the_best_of_all_by_trying_every_one():
    metric, verdicts, clusters = study()
    levels = np.unique(metric)
    every = [balanced(metric, verdicts, cut) for cut in (levels[:-1] + levels[1:]) / 2]

    found = derive(metric, verdicts, clusters)

    assert found.apparent == pytest.approx(max(every))
    assert balanced(metric, verdicts, found.threshold) == pytest.approx(max(every))
    assert found.threshold not in metric


@pytest.mark.parametrize("folds", [None, 5])
def test_what_is_held_out_had_no_part_in_choosing(folds):
    metric, verdicts, clusters = study(n_clusters=12)
    member = np.array(clusters)
    found = derive(metric, verdicts, clusters, folds=folds)

    if folds is None:
        parts = [[cluster] for cluster in range(12)]
    else:
        dealt = np.random.Generator(np.random.PCG64(1)).permutation(np.arange(12) % 5)
        parts = [np.flatnonzero(dealt == fold).tolist() for fold in range(5)]
    passed = np.zeros(metric.size, dtype=bool)
    for part in parts:
        out = np.isin(member, part)
        levels = np.unique(metric[~out])
        cuts = (levels[:-1] + levels[1:]) / 2
        kept = [verdict for verdict, left in zip(verdicts, out, strict=True) if not left]
        good = [balanced(metric[~out], kept, cut) for cut in cuts]
        best = np.flatnonzero(np.array(good) >= max(good) - 1e-12)
        passed[out] = metric[out] >= cuts[best[best.size // 2]]
    true = np.array(verdicts)

    assert found.held_out.sensitivity == pytest.approx(np.mean(passed[true]))
    assert found.held_out.specificity == pytest.approx(np.mean(~passed[~true]))
    assert found.n_folds == len(parts)


def test_a_metric_of_noise_is_no_better_than_chance_once_held_out():
    generator = np.random.default_rng(4)
    verdicts = (generator.random(240) < 0.4).tolist()

    found = derive(generator.normal(size=240), verdicts, np.repeat(range(80), 3).tolist())

    assert found.apparent > 0.53
    assert found.held_out.balanced < 0.53
    assert found.held_out.interval.low < 0.5


def test_a_metric_that_separates_is_right_throughout():
    values = np.r_[np.linspace(0, 0.4, 20), np.linspace(0.6, 1, 20)]

    found = derive(values, [False] * 20 + [True] * 20, [*range(20), *range(20)])

    assert found.threshold == pytest.approx(0.5)
    assert (found.apparent, found.held_out.balanced) == (1.0, 1.0)
    assert 0.4 < found.interval.low <= 0.5 <= found.interval.high < 0.6
    assert (found.held_out.interval.low, found.held_out.interval.high) == (1.0, 1.0)
    assert (found.held_out.n_passed, found.held_out.n_failed) == (20, 20)


def test_where_lower_is_better_outputs_pass_up_to_the_threshold():
    metric, verdicts, clusters = study()

    up = derive(metric, verdicts, clusters)
    down = derive(-metric, verdicts, clusters, higher_is_better=False)

    assert down.threshold == -up.threshold
    assert (down.interval.low, down.interval.high) == pytest.approx((-up.interval.high, -up.interval.low))
    assert (down.fold_low, down.fold_high) == (-up.fold_high, -up.fold_low)
    assert down.held_out == up.held_out


def test_equal_values_share_a_verdict_and_equally_good_thresholds_give_the_middle_one():
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 10)
    verdicts = [False] * 10 + [True, False] * 10 + [True] * 10

    found = derive(values, verdicts, list(range(10)) * 4, folds=2)

    assert found.threshold == 2.5
    assert found.apparent == pytest.approx(0.75)


def test_two_neighboring_floats_can_be_told_apart():
    low, high = 1.0, np.nextafter(1.0, 2.0)

    found = derive([low, high] * 15, [False, True] * 15, np.repeat(range(15), 2).tolist())

    assert found.apparent == 1.0
    assert found.held_out.balanced == 1.0


def test_a_declared_threshold_is_measured_on_the_same_outputs():
    metric, verdicts, clusters = study()

    found = st.accuracy_at(0.3, metric, verdicts, clusters=clusters, seed=1, draws=200)
    turned = st.accuracy_at(-0.3, -metric, verdicts, clusters=clusters, seed=1, draws=200, higher_is_better=False)

    assert found.balanced == pytest.approx(balanced(metric, verdicts, 0.3))
    assert found.interval.low < found.balanced < found.interval.high
    assert turned == found
    assert reason(st.accuracy_at, np.nan, metric, verdicts, clusters=clusters, seed=1) == "unusable_value"


def test_missing_values_and_verdicts_are_left_out_and_counted():
    metric, verdicts, clusters = study()

    found = derive([*metric, np.nan, 9.0], [*verdicts, True, None], [*clusters, 0, 1])

    assert found.held_out.n_missing == 2
    assert found.threshold == derive(metric, verdicts, clusters).threshold


def test_nine_clusters_have_a_threshold_without_an_interval():
    metric, verdicts, clusters = study(n_clusters=9)

    found = derive(metric, verdicts, clusters)

    assert (found.interval, found.interval_reason) == (None, "too_few_clusters")
    assert (found.held_out.interval, found.held_out.interval_reason) == (None, "too_few_clusters")
    assert found.n_folds == 9


def test_what_has_no_threshold_is_refused():
    metric, verdicts, clusters = study()

    with pytest.raises(st.UndefinedStatisticError, match="at least 20 outputs, 19 entered"):
        derive(metric[:19], verdicts[:19], clusters[:19])
    assert reason(derive, metric, [True] * 90, clusters) == "no_variation"
    assert reason(derive, np.ones(90), verdicts, clusters) == "no_variation"
    assert reason(derive, metric, verdicts, ["one"] * 90) == "too_few_clusters"
    assert reason(derive, metric, verdicts[1:], clusters) == "shape"
    assert reason(derive, np.r_[metric[1:], np.inf], verdicts, clusters) == "unusable_value"
    assert reason(derive, metric, verdicts, clusters, folds=1) == "unusable_value"


def test_failures_of_a_single_cluster_carry_no_threshold():
    verdicts = [False] * 3 + [True] * 87
    metric, _, clusters = study()

    with pytest.raises(st.UndefinedStatisticError, match="all pass or all fail") as caught:
        derive(metric, verdicts, clusters)

    assert caught.value.reason == "unstable"


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=some.integers(0, 10_000), factor=some.sampled_from([0.5, 4.0]), shift=some.sampled_from([-2.0, 0.0, 8.0]))
def test_order_of_outputs_does_not_matter_and_the_scale_goes_through(seed, factor, shift):
    metric, verdicts, clusters = study(seed, n_clusters=14)
    order = np.random.default_rng(seed).permutation(metric.size)
    plain = derive(metric, verdicts, clusters, folds=None)

    moved = derive(
        factor * metric[order] + shift,
        [verdicts[row] for row in order],
        [clusters[row] for row in order],
        folds=None,
    )

    assert moved.threshold == pytest.approx(factor * plain.threshold + shift, abs=1e-9)
    assert moved.apparent == pytest.approx(plain.apparent)
    assert moved.held_out.balanced == pytest.approx(plain.held_out.balanced)
