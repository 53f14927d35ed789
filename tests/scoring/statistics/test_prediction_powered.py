"""Grades on a sample and metrics on all: one interval of the clinical mean, by cluster.

The reference numbers come from ppi-python 0.2.3 (`ppi_mean_pointestimate`, `ppi_mean_ci`, alpha 0.05), run apart
because it needs numba, pandas and scikit-learn; the closed formula of Angelopoulos, Duchi and Zrnic (2023) is
written out again below.
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import t as students_t

from scoring import statistics as st
from scoring.statistics import prediction_sample

GRADES = [1.0, 3.0, 4.0, 3.0, 2.0, 3.0, 3.0, 4.0, 3.0, 2.0, 4.0, 3.0]
PREDICTED = [0.71, 2.81, 3.55, 3.19, 1.3, 2.7, 1.94, 1.71, 4.3, 2.54, 2.7, 2.97]
UNGRADED = [
    *(2.91, 2.75, 3.25, 2.92, 3.73, 3.22, 3.1, 4.77, 4.54, 2.29, 1.31, 3.62, 2.47, 3.23, 4.08, 1.5, 2.79, 2.47),
    *(3.33, 1.34, 2.98, 4.44, 1.84, 2.59, 3.48, 4.8, 2.69, 3.76, 4.27, 4.9, 5.07, 4.43, 3.55, 3.32, 4.98, 4.52),
    *(2.73, 4.07, 4.6, 1.83, 2.48, 4.13, 2.42, 4.19, 2.38, 3.45, 4.87, 4.01, -0.57, 4.47, 4.38, 3.75, 1.98, 1.57),
    *(3.32, 4.56, 2.63, 4.77, 3.29, 3.63),
]
PUBLISHED = {1.0: (3.718, 3.1455306, 4.2904694), 0.5: (3.31733333, 2.8808647, 3.75380197)}


def small(**named) -> st.PredictionPowered:
    grades = [*GRADES, *[np.nan] * len(UNGRADED)]
    return st.rectified_mean(grades, [*PREDICTED, *UNGRADED], clusters=range(72), **named)


def study(
    seed: int, *, graded: int = 25, ungraded: int = 100, noise: float = 0.5, metrics: int = 1
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Grades (NaN where ungraded), metrics and clusters of one to four outputs."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 5, size=graded + ungraded)
    clusters = np.repeat(np.arange(sizes.size), sizes)
    truth = 0.7 * generator.normal(size=sizes.size)[clusters] + 0.7 * generator.normal(size=clusters.size)
    grades = np.where(clusters < graded, 3 + truth + 0.3 * generator.normal(size=truth.size), np.nan)
    found = truth[:, None] + noise * generator.normal(size=(truth.size, metrics))
    return grades, found, clusters.tolist()


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


@pytest.mark.parametrize("tuning", PUBLISHED)
def test_single_outputs_give_the_numbers_of_ppi_python(tuning):
    found = small(tuning=tuning)
    estimate, low, high = PUBLISHED[tuning]
    n, others, t = 12, 60, students_t.ppf(0.975, 11)
    z = NormalDist().inv_cdf(0.975)
    rest = np.array(GRADES) - tuning * np.array(PREDICTED)
    ours = sqrt(rest.var(ddof=1) / n + tuning**2 * np.var(UNGRADED, ddof=1) / others)
    theirs = sqrt(rest.var() / n + tuning**2 * np.var(UNGRADED) / others)

    assert found.estimate == pytest.approx(estimate, abs=1e-6)
    assert found.interval.high - found.estimate == pytest.approx(t * ours, rel=1e-9)
    assert (estimate - z * theirs, estimate + z * theirs) == pytest.approx((low, high), abs=1e-6)


def test_lambda_is_the_closed_formula_of_the_smallest_variance():
    n, others = 12, 60
    covariance = np.cov(GRADES, PREDICTED)[0, 1] / n
    expected = covariance / (np.var(PREDICTED, ddof=1) / n + np.var(UNGRADED, ddof=1) / others)

    found = small()

    assert found.tuning == pytest.approx(expected, rel=1e-9)
    assert found.estimate == pytest.approx(
        np.mean(GRADES) + expected * (np.mean(UNGRADED) - np.mean(PREDICTED)), abs=1e-9
    )
    assert found.estimate == pytest.approx(3.137755, abs=0.15), "ppi-python pools the two variances in its lambda"


def test_no_tuning_gives_the_plain_mean_and_its_t_interval():
    found = small(tuning=0.0)
    half = students_t.ppf(0.975, 11) * np.std(GRADES, ddof=1) / sqrt(12)

    assert found.estimate == found.plain_estimate == pytest.approx(np.mean(GRADES))
    assert found.plain_interval.high - found.plain_estimate == pytest.approx(half, rel=1e-9)
    assert found.length_ratio == 1.0


def test_copies_within_a_cluster_add_no_certainty():
    grades, metrics, clusters = study(3)
    single = st.prediction_powered_mean(grades, metrics, clusters=clusters)
    copied = st.prediction_powered_mean(
        np.repeat(grades, 5), np.repeat(metrics, 5, axis=0), clusters=np.repeat(clusters, 5).tolist()
    )

    assert copied.estimate == pytest.approx(single.estimate, abs=1e-9)
    assert copied.interval.high == pytest.approx(single.interval.high, abs=1e-9)
    assert copied.n_outputs == 5 * single.n_outputs


def test_a_good_metric_shortens_and_the_counts_are_told():
    grades, metrics, clusters = study(1)
    found = st.prediction_powered_mean(grades, metrics, clusters=clusters)

    assert found.length_ratio < 0.8
    assert found.worth_clusters > 1.5 * 25
    assert (found.n_clusters_graded, found.n_clusters_ungraded) == (25, 100)
    assert (found.n_graded, found.n_outputs) == (int((~np.isnan(grades)).sum()), grades.size)
    assert (found.note, found.n_metrics, found.interval.n_clusters) == ("", 1, 25)


def test_several_metrics_are_combined():
    grades, metrics, clusters = study(2, graded=60, ungraded=240, noise=1.0, metrics=4)
    alone = st.prediction_powered_mean(grades, metrics[:, 0], clusters=clusters)
    together = st.prediction_powered_mean(grades, metrics, clusters=clusters)

    assert together.length_ratio < 0.9 * alone.length_ratio


def test_a_perfect_metric_leaves_only_the_error_of_all_outputs():
    grades, metrics, clusters = study(5, noise=0.0)
    full = 3 + metrics[:, 0]
    found = st.prediction_powered_mean(np.where(np.isnan(grades), np.nan, full), metrics, clusters=clusters)

    assert found.length_ratio == pytest.approx(sqrt(25 / 125), abs=0.12)
    assert found.estimate == pytest.approx(full.mean(), abs=0.05)


def test_a_noise_metric_lengthens_by_at_most_five_percent_on_average():
    ratios = [
        st.prediction_powered_mean(*study(seed, noise=50.0)[:2], clusters=study(seed, noise=50.0)[2]).length_ratio
        for seed in range(40)
    ]

    assert np.mean(ratios) <= 1.05
    assert max(ratios) <= 1.0 + 1e-9


@settings(max_examples=12, deadline=None, derandomize=True)
@given(scale=some.floats(0.01, 100).map(lambda x: -x), shift=some.floats(-1e3, 1e3), seed=some.integers(0, 50))
def test_an_affine_change_of_a_metric_changes_nothing(scale, shift, seed):
    grades, metrics, clusters = study(seed, metrics=2)
    changed = metrics * [scale, 1.0] + [shift, 0.0]

    first = st.prediction_powered_mean(grades, metrics, clusters=clusters)
    second = st.prediction_powered_mean(grades, changed, clusters=clusters)

    assert second.estimate == pytest.approx(first.estimate, abs=1e-6)
    assert second.interval.low == pytest.approx(first.interval.low, abs=1e-6)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(order=some.randoms(use_true_random=False), seed=some.integers(0, 50))
def test_the_order_of_outputs_changes_nothing(order, seed):
    grades, metrics, clusters = study(seed)
    strata = [str(cluster % 3) for cluster in clusters]
    rows = list(range(grades.size))
    order.shuffle(rows)

    first = st.prediction_powered_mean(grades, metrics, clusters=clusters, strata=strata)
    second = st.prediction_powered_mean(
        grades[rows], metrics[rows], clusters=[clusters[row] for row in rows], strata=[strata[row] for row in rows]
    )

    assert second.estimate == pytest.approx(first.estimate, abs=1e-9)
    assert second.length_ratio == pytest.approx(first.length_ratio, abs=1e-9)


def test_no_prediction_sees_the_grades_of_its_own_cluster():
    grades, metrics, clusters = study(7)
    places = np.array(clusters)
    changed = np.where(places == 0, grades + 50.0, grades)
    sample, shifted = (
        prediction_sample.sample_of(values, clusters=clusters, strata=None, shares=None, inclusion=None)
        for values in (grades, changed)
    )
    before = prediction_sample.cross_fitted(sample, metrics)
    after = prediction_sample.cross_fitted(shifted, metrics)

    assert after[places == 0] == pytest.approx(before[places == 0], abs=1e-12)
    assert not np.allclose(after[places == 1], before[places == 1])


def test_strata_graded_at_different_rates_are_weighted_back():
    generator = np.random.default_rng(4)
    strata = np.repeat(["easy", "hard"], [400, 100])
    truth = np.where(strata == "easy", 4.0, 2.0) + 0.3 * generator.normal(size=500)
    graded = np.r_[np.arange(500) < 20][:500] | (np.arange(500) >= 460)
    grades = np.where(graded, truth, np.nan)
    named = {"clusters": range(500), "strata": strata.tolist()}

    weighted = st.prediction_powered_mean(grades, truth + 0.1 * generator.normal(size=500), **named)
    macro = st.prediction_powered_mean(grades, truth, shares={"easy": 1, "hard": 1}, **named)

    assert weighted.estimate == pytest.approx(truth.mean(), abs=0.06)
    assert np.nanmean(grades) < 2.8 < weighted.plain_estimate
    assert macro.estimate == pytest.approx(3.0, abs=0.05)


def test_known_unequal_probabilities_are_weighted_back():
    generator = np.random.default_rng(9)
    truth = generator.normal(size=2000)
    chance = np.where(truth > 0, 0.4, 0.1)
    grades = np.where(generator.random(2000) < chance, truth, np.nan)
    metric = truth + 0.5 * generator.normal(size=2000)

    ignored = st.prediction_powered_mean(grades, metric, clusters=range(2000))
    found = st.prediction_powered_mean(grades, metric, clusters=range(2000), inclusion=chance)

    assert np.nanmean(grades) > 0.3
    assert abs(found.estimate - truth.mean()) < 0.08 < abs(ignored.plain_estimate - truth.mean())


def test_a_cluster_graded_in_part_counts_on_both_sides():
    grades, metrics, clusters = study(11, graded=40, ungraded=60)
    grades[np.r_[False, np.array(clusters[1:]) == np.array(clusters[:-1])]] = np.nan
    found = st.prediction_powered_mean(grades, metrics, clusters=clusters)

    assert (found.n_graded, found.n_clusters_graded, found.n_clusters_ungraded) == (40, 40, 60)
    assert found.length_ratio < 1.0


def test_a_difference_of_two_systems_is_paired_by_item():
    grades, metrics, clusters = study(12)
    other, theirs, _ = study(13)
    size = min(grades.size, other.size)
    first = (grades[:size], metrics[:size])
    second = (np.where(np.isnan(grades[:size]), np.nan, first[0] - 0.4), metrics[:size])

    found = st.prediction_powered_difference((first[0], second[0]), (first[1], second[1]), clusters=clusters[:size])
    same = st.prediction_powered_difference((first[0], first[0]), (first[1], theirs[:size]), clusters=clusters[:size])

    assert found.estimate == pytest.approx(0.4)
    assert found.note
    assert (same.estimate, same.interval.low, same.interval.high) == (0.0, 0.0, 0.0)


def test_a_constant_metric_gives_the_plain_estimate_and_says_so():
    grades, metrics, clusters = study(14)
    found = st.prediction_powered_mean(grades, np.full(grades.size, 0.3), clusters=clusters)

    assert (found.tuning, found.length_ratio, found.estimate) == (0.0, 1.0, found.plain_estimate)
    assert "No metric varies" in found.note
    assert found.interval == found.plain_interval
    together = st.prediction_powered_mean(grades, np.c_[metrics, np.ones(grades.size)], clusters=clusters)
    assert (together.n_metrics, together.note) == (1, "")


def test_what_gives_no_honest_interval_is_refused():
    grades, metrics, clusters = study(15, graded=9)
    mean = st.prediction_powered_mean

    assert reason(mean, grades, metrics, clusters=clusters) == "too_few_clusters"
    grades, metrics, clusters = study(15, graded=12, metrics=2)
    assert reason(mean, grades, metrics, clusters=clusters) == "too_few_clusters"
    assert reason(mean, np.nan_to_num(grades), metrics, clusters=clusters) == "nothing_ungraded"
    strata = ["first" if cluster < 11 else "second" for cluster in clusters]
    assert reason(mean, grades, metrics[:, 0], clusters=clusters, strata=strata) == "too_few_clusters"
    assert reason(mean, grades, np.full(grades.size, np.nan), clusters=clusters) == "unusable_value"
    assert reason(mean, grades, metrics[:-1], clusters=clusters) == "shape"
    assert reason(mean, grades, metrics[:, :1], clusters=clusters, shares={"other": 1.0}) == "unusable_value"
    assert reason(mean, grades, metrics[:, :1], clusters=clusters, inclusion=np.ones(grades.size)) == "unusable_value"


def test_strata_take_satterthwaites_degrees_of_freedom():
    generator = np.random.default_rng(21)
    first, second = generator.normal(size=5) * 3, generator.normal(size=20)
    grades = [*first, *second, *[np.nan] * 40]
    strata = ["small"] * 5 + ["large"] * 20 + ["small", "large"] * 20
    parts = np.array([0.5**2 * first.var(ddof=1) / 5, 0.5**2 * second.var(ddof=1) / 20])
    freedom = parts.sum() ** 2 / (parts**2 / [4, 19]).sum()

    found = st.rectified_mean(
        grades, generator.normal(size=65), clusters=range(65), strata=strata, shares={"small": 2, "large": 2}
    )

    assert 4 < freedom < 23
    assert found.plain_estimate == pytest.approx((first.mean() + second.mean()) / 2)
    assert found.plain_interval.high - found.plain_estimate == pytest.approx(
        students_t.ppf(0.975, freedom) * sqrt(parts.sum()), rel=1e-9
    )
