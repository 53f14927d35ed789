"""Resampling by cluster, sign flips, Holm, ranks and preferences."""

import time

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as students_t

from scoring import statistics as st
from scoring.statistics.intervals import percentile_tail, resample_counts


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    return caught.value.reason


def test_nine_clusters_get_no_interval_and_the_number_is_named():
    with pytest.raises(st.UndefinedStatisticError, match="at least 10 clusters, 9 entered") as caught:
        st.bootstrap_interval(range(18), clusters=[row // 2 for row in range(18)], seed=1)

    assert caught.value.reason == "too_few_clusters"


def test_ten_clusters_get_one():
    interval = st.bootstrap_interval(range(20), clusters=[row // 2 for row in range(20)], seed=1)

    assert interval.n_clusters == 10
    assert interval.low < 9.5 < interval.high


def test_the_same_seed_gives_the_same_limits_and_another_seed_others():
    values = np.random.default_rng(0).normal(size=40)
    first = st.bootstrap_interval(values, clusters=range(40), seed=7)

    assert st.bootstrap_interval(values, clusters=range(40), seed=7) == first
    assert st.bootstrap_interval(values, clusters=range(40), seed=8) != first


def test_the_fast_mean_equals_the_general_statistic():
    generator = np.random.default_rng(3)
    values, clusters = generator.normal(size=60), [f"c{row % 17}" for row in range(60)]

    fast = st.bootstrap_interval(values, clusters=clusters, seed=5, draws=300)
    slow = st.bootstrap_interval(lambda rows: float(values[rows].mean()), clusters=clusters, seed=5, draws=300)

    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=1e-12)


def test_rows_of_a_cluster_move_together_so_copies_add_no_certainty():
    values = np.random.default_rng(4).normal(size=30)
    single = st.bootstrap_interval(values, clusters=range(30), seed=5)
    copied = st.bootstrap_interval(np.repeat(values, 10), clusters=np.repeat(range(30), 10).tolist(), seed=5)

    assert (copied.low, copied.high) == pytest.approx((single.low, single.high))


def test_two_identical_systems_differ_by_exactly_nothing():
    values = np.random.default_rng(4).normal(size=30)
    interval = st.paired_difference_interval(values, values, clusters=range(30), seed=1)

    assert (interval.low, interval.high) == (0.0, 0.0)
    assert st.sign_flip_test(values - values, clusters=range(30), seed=1) == 1.0


@pytest.mark.parametrize(("n", "tail"), [(10, 0.0085506), (30, 0.0187539), (200, 0.0240262)])
def test_percentiles_are_expanded_to_what_students_t_asks_for(n, tail):
    by_hand = norm.cdf(-students_t.ppf(0.975, n - 1) * np.sqrt(n / (n - 1)))

    assert percentile_tail(n) == pytest.approx(by_hand, abs=1e-12)
    assert percentile_tail(n) == pytest.approx(tail, abs=1e-7)
    assert percentile_tail(10**9) == pytest.approx(0.025, abs=1e-6)


def test_a_bootstrap_interval_is_as_long_as_the_t_interval():
    values = np.random.default_rng(2).normal(size=20)
    interval = st.bootstrap_interval(values, clusters=range(20), seed=3, draws=20_000)
    half = students_t.ppf(0.975, 19) * values.std(ddof=1) / np.sqrt(20)

    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.04)


def test_ninety_five_percent_intervals_cover_about_that_often():
    generator = np.random.default_rng(6)
    covered = 0
    for trial in range(300):
        values = np.repeat(generator.normal(size=40), 2) + generator.normal(size=80)
        clusters = [row // 2 for row in range(80)]
        interval = st.bootstrap_interval(values, clusters=clusters, seed=trial, draws=400)
        covered += interval.low <= 0 <= interval.high

    assert 0.90 <= covered / 300 <= 0.98


def test_draws_without_a_value_are_counted_and_too_many_refuse_the_interval():
    flags = np.zeros(30)
    flags[0] = 1.0

    def share_of_first(rows: np.ndarray) -> float:
        if not flags[rows].any():
            raise st.UndefinedStatisticError("no_variation")
        return float(flags[rows].mean())

    assert reason(st.bootstrap_interval, share_of_first, clusters=range(30), seed=1, draws=200) == "unstable"


def test_values_that_are_not_finite_are_refused():
    assert reason(st.bootstrap_interval, [float("nan")] * 12, clusters=range(12), seed=1) == "unusable_value"
    assert reason(st.bootstrap_interval, [1.0] * 12, clusters=range(11), seed=1) == "shape"
    assert reason(st.paired_difference_interval, [1.0], [1.0, 2.0], clusters=[1], seed=1) == "shape"


def test_every_resample_draws_as_many_clusters_as_there_are():
    assert set(resample_counts(12, draws=50, seed=1).sum(axis=1)) == {12}


def test_readers_are_resampled_from_five_on_and_widen_the_interval():
    generator = np.random.default_rng(9)
    table = generator.normal(0, 1, (6, 1)) + generator.normal(0, 0.2, (6, 40))
    fixed = st.bootstrap_interval(table.mean(axis=0), clusters=range(40), seed=1)
    random = st.reader_cluster_interval(table, clusters=range(40), seed=1)

    assert random.high - random.low > 3 * (fixed.high - fixed.low)
    assert random.method == "readers x clusters bootstrap"
    assert reason(st.reader_cluster_interval, table[:4], clusters=range(40), seed=1) == "too_few_readers"


def test_alpha_interval_of_300_units_takes_well_under_a_second():
    generator = np.random.default_rng(1)
    truth = generator.integers(1, 6, 300)
    ratings = np.clip(truth + generator.integers(-1, 2, (4, 300)), 1, 5).astype(float)
    started = time.perf_counter()

    interval = st.alpha_interval(ratings, level="ordinal", clusters=[u // 2 for u in range(300)], seed=1)

    assert time.perf_counter() - started < 1.0
    assert interval.low < st.krippendorff_alpha(ratings, level="ordinal") < interval.high


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_interval_equals_recomputing_alpha_on_every_resample(level):
    generator = np.random.default_rng(1)
    ratings = generator.integers(1, 6, (3, 40)).astype(float)
    ratings[generator.random(ratings.shape) < 0.2] = np.nan
    ratings = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    clusters = [unit // 2 for unit in range(ratings.shape[1])]

    fast = st.alpha_interval(ratings, level=level, clusters=clusters, seed=4, draws=100)
    slow = st.bootstrap_interval(
        lambda rows: st.krippendorff_alpha(ratings[:, rows], level=level), clusters=clusters, seed=4, draws=100
    )

    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=1e-9)


def test_alpha_interval_counts_only_clusters_with_a_pair():
    ratings = np.full((2, 20), np.nan)
    ratings[0] = np.arange(20) % 5
    ratings[1, :9] = np.arange(9) % 5

    assert reason(st.alpha_interval, ratings, level="ordinal", clusters=range(20), seed=1) == "too_few_clusters"


def test_wilson_interval_at_the_edges():
    """8 of 10: Newcombe, Statistics in Medicine 17, 1998; none of 20: 0 to 0.1611 by the formula."""
    eight, none = st.wilson_interval(8, 10), st.wilson_interval(0, 20)

    assert (eight.low, eight.high) == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert st.wilson_interval(5, 5).high == 1.0
    assert reason(st.wilson_interval, 0, 0) == "empty"
    assert reason(st.wilson_interval, 3, 2) == "unusable_value"


def test_sign_flips_are_exact_for_few_clusters():
    """Three clusters, all positive: of 8 flips the observed and its mirror are as extreme, p = 2/8."""
    assert st.sign_flip_test([1, 2, 3], clusters=[1, 2, 3], seed=1) == 0.25


def test_a_zero_difference_stays_in_and_changes_nothing():
    assert st.sign_flip_test([1, 2, 3, 0, 0], clusters=[1, 2, 3, 4, 5], seed=1) == 0.25


def test_rows_of_a_cluster_flip_together():
    assert st.sign_flip_test([1, 1, 1, 1], clusters=["a", "a", "b", "b"], seed=1) == 0.5


def test_many_clusters_are_sampled_with_the_seed_and_never_give_zero():
    differences = np.ones(40)

    p = st.sign_flip_test(differences, clusters=range(40), seed=1)

    assert p == 1 / 10_000
    assert st.sign_flip_test(differences, clusters=range(40), seed=1) == p


def test_sampled_and_exact_p_agree():
    from scoring.statistics.significance import _sampled

    differences = np.random.default_rng(1).normal(0.3, 1, 14)

    exact = st.sign_flip_test(differences, clusters=range(14), seed=1)

    assert _sampled(differences[None, :], seed=1, draws=9999)[0] == pytest.approx(exact, abs=0.02)


def test_sign_flip_needs_a_difference():
    assert reason(st.sign_flip_test, [], clusters=[], seed=1) == "empty"
    assert reason(st.sign_flip_test, [float("nan")], clusters=[1], seed=1) == "unusable_value"


def test_holm_steps_down_and_keeps_order():
    assert st.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert st.holm([0.6, 0.9]) == [1.0, 1.0]
    assert st.holm([]) == []
    assert reason(st.holm, [1.2]) == "unusable_value"


def test_equal_scores_share_the_better_rank():
    assert st.ranks([0.5, 0.9, 0.9, 0.1]) == [3, 1, 1, 4]


def test_rank_intervals_of_identical_systems_span_both_places():
    draws = np.random.default_rng(1).normal(size=(500, 1))

    intervals = st.rank_intervals(np.hstack([draws, draws, draws - 9]))

    assert [(interval.low, interval.high) for interval in intervals] == [(1, 2), (1, 2), (3, 3)]
    assert reason(st.rank_intervals, np.empty((0, 2))) == "empty"
    assert reason(st.rank_intervals, [[np.nan, 1.0]]) == "unusable_value"


def test_an_unbeaten_system_stays_finite_and_side_effect_is_found():
    games = [st.Comparison(left="a", right="b", choice="left")] * 20
    fitted = st.bradley_terry(games)

    assert 0 < fitted.strengths["a"] < 10
    assert sum(fitted.strengths.values()) == pytest.approx(0.0)

    always_left = [st.Comparison(left=x, right=y, choice="left") for x, y in ("ab", "ba")] * 20
    biased = st.bradley_terry(always_left)
    assert biased.side_effect > 2
    assert biased.strengths["a"] == pytest.approx(biased.strengths["b"])


def test_davidson_recovers_the_strengths_and_ties_of_a_simulation():
    generator = np.random.default_rng(8)
    truth = {"a": 0.8, "b": 0.0, "c": -0.8}
    games = []
    for left, right in ("ab", "ba", "bc", "cb", "ac", "ca"):
        odds = np.exp([truth[left] + 0.3, truth[right], np.log(0.5) + (truth[left] + truth[right] + 0.3) / 2])
        drawn = generator.choice(3, size=800, p=odds / odds.sum())
        games += [st.Comparison(left=left, right=right, choice=("left", "right", "both_bad")[d]) for d in drawn]

    fitted = st.bradley_terry(games, prior_sd=5)

    assert [fitted.strengths[name] for name in "abc"] == pytest.approx([0.8, 0.0, -0.8], abs=0.1)
    assert fitted.side_effect == pytest.approx(0.3, abs=0.12)
    assert fitted.tie == pytest.approx(np.log(0.5), abs=0.1)
    assert fitted.n_both_bad == fitted.n_ties > 0


def test_weights_count_like_repeated_preferences():
    games = [st.Comparison(left="a", right="b", choice=choice) for choice in ("left", "right", "tie")]

    weighted = st.bradley_terry(games, weights=[3, 1, 2])
    repeated = st.bradley_terry([*games[:1] * 3, *games[1:2], *games[2:] * 2])

    assert weighted.strengths == pytest.approx(repeated.strengths)


def test_preferences_that_cannot_be_used_are_refused():
    assert reason(st.bradley_terry, []) == "empty"
    assert reason(st.bradley_terry, [st.Comparison(left="a", right="a", choice="tie")]) == "unusable_value"
    assert reason(st.bradley_terry, [st.Comparison(left="a", right="b", choice="meh")]) == "unusable_value"
    one = [st.Comparison(left="a", right="b", choice="tie")]
    assert reason(st.bradley_terry, one, weights=[1, 2]) == "shape"
