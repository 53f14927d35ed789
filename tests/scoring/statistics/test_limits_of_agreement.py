"""Bland and Altman's own data, clustered data worked by analysis of variance, and what must not change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scoring import statistics as st

# Bland and Altman, Lancet 1986, table 1: peak expiratory flow in l/min, first reading of the large Wright meter
# and of the mini Wright meter, 17 subjects. Printed: mean difference −2.1, standard deviation 38.8.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

# Bland and Altman 1999, table 4: cardiac output of 12 subjects, radionuclide ventriculography and impedance
# cardiography, one "x,y" per pair; section 5.3 and the article of 2007 (J Biopharm Stat 17:571) take the pairs of
# a subject as one cluster: mean 0.60, mean squares 4.2091 and 0.1707, standard deviation 0.99, limits −1.34, 2.54.
CARDIAC = """
7.83,6.57 7.42,5.62 7.89,6.90 7.12,6.57 7.88,6.35 | 6.16,4.06 7.26,4.29 6.71,4.26 6.54,4.09
| 4.75,4.71 5.24,5.50 4.86,5.08 4.78,5.02 6.05,6.01 5.42,5.67 | 4.21,4.14 3.61,4.20 3.72,4.61 3.87,4.68 3.92,5.04
| 3.13,3.03 2.98,2.86 2.85,2.77 3.17,2.46 3.09,2.32 3.12,2.43 | 5.92,5.90 6.42,5.81 5.92,5.70 6.27,5.76
| 7.13,5.09 6.62,4.63 6.58,4.61 6.93,5.09 | 4.54,4.72 4.81,4.61 5.11,4.36 5.29,4.20 5.39,4.36 5.57,4.20
| 4.48,3.17 4.92,3.12 3.97,2.96 | 4.22,4.35 4.65,4.62 4.74,3.16 4.44,3.53 4.50,3.53
| 6.78,7.20 6.07,6.09 6.52,7.00 6.42,7.10 6.41,7.40 5.76,6.80
| 5.06,4.50 4.72,4.20 4.90,3.80 4.80,3.80 4.90,4.20 5.10,4.50
"""


def cardiac() -> tuple[np.ndarray, np.ndarray, list[int]]:
    subjects = [[pair.split(",") for pair in block.split()] for block in CARDIAC.split("|")]
    rows = [(float(x), float(y), place) for place, block in enumerate(subjects) for x, y in block]
    first, second, clusters = zip(*rows, strict=True)
    return np.array(first), np.array(second), list(clusters)


def limits(measure, experts, clusters, **named) -> st.LimitsOfAgreement:
    return st.limits_of_agreement(measure, experts, clusters=clusters, **{"seed": 1, "draws": 300, **named})


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


def test_one_pair_per_subject_gives_the_printed_numbers_of_1986():
    found = limits(LARGE, MINI, range(17))

    assert (round(found.bias, 1), round(found.spread, 1)) == (-2.1, 38.8)
    # The article prints −79.7 and 75.5 from 2 rounded standard deviations.
    twice = limits(LARGE, MINI, range(17), share=0.954499736)
    assert (twice.lower, twice.upper) == pytest.approx((-79.7, 75.5), abs=0.1)
    assert found.within is None
    assert found.spread == pytest.approx(np.std(np.subtract(LARGE, MINI), ddof=1))


def test_several_pairs_per_subject_give_the_printed_numbers_of_1999_and_2007():
    found = limits(*cardiac())

    assert round(found.bias, 2) == 0.60
    assert round(found.within**2, 4) == 0.1707
    assert round(found.within**2 + found.between**2, 4) == 0.9813
    assert (round(found.spread, 2), round(found.lower, 2), round(found.upper, 2)) == (0.99, -1.34, 2.54)
    assert (found.n_outputs, found.n_clusters, found.n_missing) == (60, 12, 0)


def test_clusters_that_differ_less_than_chance_have_no_part_between():
    differences = np.tile([1.0, -1.0, 0.5, -0.5], 12)

    found = limits(differences, np.zeros(48), np.repeat(range(12), 4).tolist())

    assert found.between == 0.0
    assert found.spread == pytest.approx(differences.std(ddof=1))


def test_the_intervals_hold_their_numbers_and_say_how_they_were_made():
    found = limits(*cardiac(), draws=2000)

    for value, interval in (
        (found.bias, found.bias_interval),
        (found.lower, found.lower_interval),
        (found.upper, found.upper_interval),
    ):
        assert interval.low < value < interval.high
        assert interval.method == "studentized cluster bootstrap"
        assert (interval.n_clusters, interval.draws, interval.seed) == (12, 2000, 1)


def test_the_linearized_error_is_the_slope_of_the_limit():
    """Clusters are equal, so the bias is a mean of 40 cluster means and its pivot is Student's t on 39.

    The expanded tail at 40 clusters is 0.0203, where that t has its quantile 2.12.
    """
    values = np.random.default_rng(2).normal(size=(40, 3)) + np.random.default_rng(3).normal(size=(40, 1))
    found = limits(values.ravel(), np.zeros(120), np.repeat(range(40), 3).tolist(), draws=4000)
    error = values.mean(axis=1).std(ddof=1) / 40**0.5

    assert found.bias_interval.high - found.bias_interval.low == pytest.approx(2 * 2.12 * error, rel=0.06)


def test_nine_clusters_have_numbers_without_an_interval():
    found = limits(np.arange(18.0) % 5, np.zeros(18), np.repeat(range(9), 2).tolist())

    assert found.bias_interval is found.lower_interval is found.upper_interval is None
    assert found.interval_reason == "too_few_clusters"
    assert found.lower < found.bias < found.upper


def test_a_judge_that_repeats_the_experts_is_at_no_distance():
    found = limits(LARGE, LARGE, range(17))

    assert (found.bias, found.lower, found.upper, found.spread) == (0.0, 0.0, 0.0, 0.0)
    assert (found.lower_interval.low, found.upper_interval.high) == (0.0, 0.0)


def test_a_judge_that_is_always_three_tenths_higher_has_that_bias_and_no_spread():
    experts = np.random.default_rng(0).normal(size=60)

    found = limits(experts + 0.3, experts, np.repeat(range(20), 3).tolist())

    assert (found.bias, found.lower, found.upper) == pytest.approx((0.3, 0.3, 0.3), abs=1e-12)


def test_an_absent_value_is_left_out_and_counted():
    first, second, clusters = cardiac()
    holes = np.r_[first, np.nan, 5.0]

    found = limits(holes, np.r_[second, 4.0, np.nan], [*clusters, 3, "only here"])

    whole = limits(first, second, clusters)
    assert found.n_missing == 2
    assert (found.bias, found.lower, found.n_clusters) == (whole.bias, whole.lower, 12)


def test_what_cannot_be_compared_is_refused():
    assert reason(limits, [1.0], [2.0], [0]) == "too_few_units"
    assert reason(limits, [1.0, np.inf], [2.0, 1.0], [0, 1]) == "unusable_value"
    assert reason(limits, [1.0, 2.0], [2.0], [0, 1]) == "shape"
    assert reason(limits, [1.0, 2.0], [2.0, 1.0], [0, 1], share=1.0) == "unusable_value"


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=some.integers(0, 10_000),
    factor=some.sampled_from([0.1, 2.0, 50.0]),
    shift=some.sampled_from([-30.0, 0.0, 4.0]),
)
def test_order_of_outputs_does_not_matter_and_the_scale_goes_through(seed, factor, shift):
    generator = np.random.default_rng(seed)
    clusters = np.repeat(range(12), generator.integers(1, 5, size=12))
    experts = generator.normal(size=clusters.size)
    measure = experts + generator.normal(size=clusters.size) + generator.normal(size=12)[clusters]
    order = generator.permutation(clusters.size)

    plain = limits(measure, experts, clusters.tolist())
    mixed = limits(measure[order], experts[order], clusters[order].tolist())
    scaled = limits(measure * factor + shift, experts * factor + shift, clusters.tolist())

    assert (mixed.bias, mixed.lower, mixed.upper) == pytest.approx((plain.bias, plain.lower, plain.upper))
    assert (scaled.bias, scaled.lower, scaled.upper) == pytest.approx(
        (plain.bias * factor, plain.lower * factor, plain.upper * factor), rel=1e-6, abs=1e-9 * factor
    )
    assert scaled.lower_interval.low == pytest.approx(plain.lower_interval.low * factor, rel=1e-6)
    turned = limits(experts, measure, clusters.tolist())
    assert (turned.lower, turned.upper) == pytest.approx((-plain.upper, -plain.lower))
