"""A measure against the experts: what correlates, within which scope, and what the readers reach themselves."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats

from scoring import statistics as st
from scoring.statistics.association import KINDS, as_pairs, correlations

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "radpref_triples.json"
SCALE = [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def radpref() -> np.ndarray:
    counts = json.loads(GOLDEN.read_text())["counts"]
    rows = [[int(digit) for digit in triple] for triple, n in counts.items() for _ in range(n)]
    return np.array(rows, dtype=float).T


def study(seed=0, *, n_clusters=40, n_systems=3, n_readers=3, spread=1.0):
    """Levels 1…5 of readers and a judge over clusters × systems; systems differ by `spread`."""
    generator = np.random.default_rng(seed)
    quality = generator.normal(size=(n_clusters, n_systems)) + spread * np.arange(n_systems)
    noise = generator.normal(size=(n_readers + 1, n_clusters, n_systems))
    levels = np.clip(np.round(quality + noise + 2), 1, 5).reshape(n_readers + 1, -1)
    systems = np.tile(np.arange(n_systems), n_clusters).tolist()
    clusters = np.repeat(np.arange(n_clusters), n_systems).tolist()
    return levels[0], levels[1:], systems, clusters


def correlation(measure, experts, systems, clusters, *, kind="spearman", scope="within system", **named):
    return st.expert_correlation(
        measure, experts, kind=kind, scope=scope, systems=systems, clusters=clusters, **named
    )


def reason(act, *arguments, **named) -> str:
    with pytest.raises(st.UndefinedStatisticError) as caught:
        act(*arguments, **named)
    assert str(caught.value)
    return caught.value.reason


def by_hand(first, second, systems, kind) -> float:
    """Within-system coefficients written out system by system, ranks from SciPy."""
    systems = np.array(systems)
    crossed = square_a = square_b = 0.0
    for system in np.unique(systems):
        a, b = first[systems == system], second[systems == system]
        if kind == "kendall":
            a, b = (np.sign(side[:, None] - side[None, :]).ravel() for side in (a, b))
        elif kind == "spearman":
            a, b = (2 * (stats.rankdata(side) - 0.5) / side.size - 1 for side in (a, b))
        else:
            a, b = a - a.mean(), b - b.mean()
        crossed, square_a, square_b = crossed + a @ b, square_a + a @ a, square_b + b @ b
    return crossed / np.sqrt(square_a * square_b)


@pytest.mark.parametrize(
    ("kind", "other"), [("pearson", stats.pearsonr), ("spearman", stats.spearmanr), ("kendall", stats.kendalltau)]
)
def test_pooled_coefficients_equal_scipy(kind, other):
    judge, ratings, systems, clusters = study()
    experts = ratings.mean(axis=0)

    found = correlation(judge, experts, systems, clusters, kind=kind, scope="pooled")

    assert found.value == pytest.approx(other(judge, experts).statistic, abs=1e-12)
    assert (found.n_outputs, found.n_clusters, found.n_systems) == (120, 40, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_within_systems_equal_those_written_out_by_hand(kind):
    judge, ratings, systems, clusters = study()
    experts = ratings.mean(axis=0)

    found = correlation(judge, experts, systems, clusters, kind=kind)

    assert found.value == pytest.approx(by_hand(judge, experts, systems, kind), abs=1e-12)
    assert found.n_systems == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("within", [False, True])
def test_a_weighted_cluster_counts_as_often_as_it_is_drawn(kind, within):
    judge, ratings, systems, clusters = study(n_clusters=12)
    experts = ratings.mean(axis=0)
    drawn = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=4).astype(float)
    pairs = as_pairs(judge, experts, groups=systems if within else None, clusters=clusters)

    values, _ = correlations(pairs, drawn, kind=kind)

    for weights, value in zip(drawn, values, strict=True):
        rows = np.repeat(np.arange(36), weights[clusters].astype(int))
        labels = np.array(systems)[rows] if within else np.zeros(rows.size)
        assert value == pytest.approx(by_hand(judge[rows], experts[rows], labels, kind), abs=1e-12)


def test_pooling_credits_a_measure_that_only_knows_the_system():
    generator = np.random.default_rng(5)
    systems = np.tile(range(3), 60).tolist()
    clusters = np.repeat(range(60), 3).tolist()
    level = np.tile([0.0, 2.0, 4.0], 60)
    measure, experts = level + generator.normal(size=180), level + generator.normal(size=180)

    assert correlation(measure, experts, systems, clusters, scope="pooled").value > 0.6
    within = correlation(measure, experts, systems, clusters)
    assert abs(within.value) < 0.2
    assert within.interval.low < 0.0 < within.interval.high


def test_the_interval_is_miller_s_jackknife_of_fisher_s_z():
    judge, ratings, systems, clusters = study(n_clusters=15)
    experts, member = ratings.mean(axis=0), np.array(clusters)
    without = [
        np.arctanh(by_hand(judge[member != c], experts[member != c], np.array(systems)[member != c], "pearson"))
        for c in range(15)
    ]
    half = stats.t.ppf(0.975, 14) * np.sqrt(14 / 15 * np.sum((np.array(without) - np.mean(without)) ** 2))

    found = correlation(judge, experts, systems, clusters, kind="pearson")

    center = np.arctanh(found.value)
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (np.tanh(center - half), np.tanh(center + half))
    )
    assert found.interval.method == "Fisher z, cluster jackknife"
    assert found.interval.n_clusters == 15


def test_a_metric_whose_lower_values_are_better_is_turned():
    judge, ratings, systems, clusters = study()
    experts = ratings.mean(axis=0)

    up = correlation(judge, experts, systems, clusters)
    down = correlation(-judge, experts, systems, clusters, higher_is_better=False)

    assert down == up


def test_a_judge_that_repeats_the_experts_is_perfect_with_an_interval_of_no_width():
    _, ratings, systems, clusters = study()

    found = correlation(ratings[0], ratings[0], systems, clusters)

    assert found.value == 1.0
    assert (found.interval.low, found.interval.high) == (1.0, 1.0)


def test_perfect_but_for_one_cluster_has_no_interval():
    values = np.arange(30.0)
    other = values.copy()
    other[:2] = 1.0, 0.0

    found = correlation(values, other, ["s"] * 30, np.repeat(range(15), 2).tolist())

    assert found.value < 1.0
    assert (found.interval, found.interval_reason) == (None, "unstable")


def test_nineteen_outputs_are_too_few_and_twenty_enough():
    values = np.random.default_rng(0).normal(size=(2, 20))

    with pytest.raises(st.UndefinedStatisticError, match="at least 20 outputs, 19 entered"):
        correlation(values[0][:19], values[1][:19], ["s"] * 19, range(19), scope="pooled")
    assert correlation(values[0], values[1], ["s"] * 20, range(20), scope="pooled").n_outputs == 20


def test_nine_clusters_have_a_correlation_without_an_interval():
    values = np.random.default_rng(0).normal(size=(2, 27))

    found = correlation(values[0], values[1], ["s"] * 27, np.repeat(range(9), 3).tolist())

    assert (found.interval, found.interval_reason) == (None, "too_few_clusters")
    assert str(st.verdict(found)).endswith("without an interval: the limit of 0.7 is undecided")


def test_missing_values_are_left_out_and_counted_and_lone_outputs_too():
    judge, ratings, systems, clusters = study()
    experts = ratings.mean(axis=0)
    holes, grades = np.r_[judge, np.nan, 3.0, 5.0], np.r_[experts, 3.0, np.nan, 1.0]

    found = correlation(holes, grades, [*systems, 0, 1, "one output"], [*clusters, 0, 1, 2])

    assert (found.n_outputs, found.n_missing, found.n_alone) == (120, 2, 1)
    assert found.value == correlation(judge, experts, systems, clusters).value


def test_what_cannot_be_correlated_is_refused():
    judge, ratings, systems, clusters = study()
    experts = ratings.mean(axis=0)

    assert reason(correlation, np.full(120, 3.0), experts, systems, clusters) == "no_variation"
    assert reason(correlation, np.array(systems) / 3, experts, systems, clusters, kind="pearson") == "no_variation"
    assert reason(correlation, judge[:-1], experts, systems, clusters) == "shape"
    assert reason(correlation, np.r_[judge[:-1], np.inf], experts, systems, clusters) == "unusable_value"
    assert reason(correlation, judge, experts, systems, clusters, kind="tau") == "unknown_category"


def test_another_system_leaves_the_pairs_within_systems_as_they_were():
    """Tau within systems counts pairs: those of the first three systems are the same with a fourth."""
    judge, ratings, systems, clusters = study(n_systems=4)
    experts, first = ratings.mean(axis=0), np.array(systems) < 3

    three = correlation(judge[first], experts[first], np.array(systems)[first].tolist(), np.array(clusters)[first])
    fourth_ungraded = correlation(judge, np.where(first, experts, np.nan), systems, clusters)

    assert fourth_ungraded.value == three.value
    assert fourth_ungraded.interval == three.interval
    assert fourth_ungraded.n_missing == 40


def test_the_verdict_uses_the_lower_end_and_says_which_correlation():
    judge, ratings, systems, clusters = study()
    found = correlation(judge, ratings.mean(axis=0), systems, clusters)

    missed = st.verdict(found)
    met = st.verdict(found, limit=found.interval.low)

    assert (missed.outcome, met.outcome, missed.limit) == ("misses", "meets", 0.7)
    assert str(missed).startswith(f"Spearman, within system: {found.value:.3f} (95 %: {found.interval.low:.3f} to ")
    assert str(missed).endswith("the lower end stays below the limit of 0.7")
    assert reason(st.verdict, found, limit=7) == "unusable_value"


def test_expert_means_take_who_graded():
    means = st.expert_means([[1, 2, np.nan, np.nan], [3, np.nan, 5, np.nan]])

    assert means[:3].tolist() == [2.0, 2.0, 5.0]
    assert np.isnan(means[3])


def distances(judge, experts, **named):
    asked = {"judge_scale": (1, 5), "expert_scale": (1, 5), "seed": 1, "draws": 200, **named}
    return st.gaps(judge, experts, clusters=range(len(judge)), **asked)


def test_gaps_are_counted_by_points():
    found = distances([1, 2, 3, 4, 5, 5, 5, 3, 3, 3, np.nan], [1, 3, 3, 3.5, 2, 5, 1, 4.5, 3, 3, 3])

    assert found.counts == (5, 2, 1, 1, 1)
    assert (found.n_outputs, found.n_missing, found.largest) == (10, 1, 4.0)
    assert found.mean == pytest.approx((1 + 0.5 + 3 + 4 + 1.5) / 10)
    assert found.median == pytest.approx(0.25)
    assert found.share_within == pytest.approx(0.7)
    assert found.share_interval.low <= 0.7 <= found.share_interval.high


def test_a_gap_of_thirds_that_add_up_to_one_point_is_within_one_point():
    assert distances([4.0 + 1 / 3], [10 / 3]).share_within == 1.0


def test_a_judge_on_another_scale_has_no_gap_until_it_is_rescaled():
    with pytest.raises(st.UndefinedStatisticError, match=r"the judge is on 1…10, the experts on 1…5"):
        distances([8.0], [4.0], judge_scale=(1, 10))
    with pytest.raises(st.UndefinedStatisticError, match=r"95 of the judge is outside the scale 1…5"):
        distances([95.0, 3.0], [4.0, 4.0])
    assert reason(distances, [np.nan], [4.0]) == "empty"


def ceiling(judge, ratings, systems, clusters, *, kind="kendall", scope="pooled", **named):
    return st.human_ceiling(judge, ratings, kind=kind, scope=scope, systems=systems, clusters=clusters, **named)


@pytest.mark.parametrize(
    ("kind", "values"), [("kendall", (0.799, 0.782, 0.775)), ("spearman", (0.887, 0.883, 0.874))]
)
def test_radpref_each_reader_against_the_mean_of_the_other_two(radpref, kind, values):
    found = ceiling(radpref[0], radpref, ["s"] * 200, range(200), kind=kind)

    other = stats.kendalltau if kind == "kendall" else stats.spearmanr
    by_scipy = [other(radpref[r], np.delete(radpref, r, axis=0).mean(axis=0)).statistic for r in range(3)]
    assert [row.human for row in found.readers] == pytest.approx(by_scipy, abs=1e-12)
    # The published 0.887 is 0.88647 in SciPy too: its last digit was rounded up.
    assert by_scipy == pytest.approx(values, abs=6e-4)
    assert found.human == pytest.approx(np.mean([row.human for row in found.readers]))


def test_a_judge_that_is_one_of_the_readers_reaches_what_that_reader_reaches(radpref):
    found = ceiling(radpref[1], radpref, ["s"] * 200, range(200))

    assert found.readers[1].judge == found.readers[1].human
    assert found.readers[0].judge > found.readers[0].human  # the second reader is part of this target


def test_a_judge_as_noisy_as_a_reader_reaches_the_ceiling_and_only_the_same_target_shows_it():
    judge, ratings, systems, clusters = study(3, n_clusters=150, n_readers=2)

    same = ceiling(judge, ratings, systems, clusters, kind="spearman", scope="within system")
    unfair = correlation(judge, ratings.mean(axis=0), systems, clusters).value

    assert same.difference_interval.low < 0.0 < same.difference_interval.high
    assert unfair - same.human > 0.05
    assert same.difference == pytest.approx(same.judge - same.human)


def test_readers_and_judge_are_compared_on_the_same_outputs_and_the_rest_is_counted():
    judge, ratings, systems, clusters = study(n_readers=3)
    judge[:5] = np.nan
    ratings[1:, 5:12] = np.nan
    ratings[2, 12:110] = np.nan

    found = ceiling(judge, ratings, systems, clusters, readers=["anna", "ben", "cleo"])

    assert [row.n_outputs for row in found.readers] == [108, 108, 10]
    assert [row.reason for row in found.readers] == ["", "", "too_few_units"]
    assert (found.n_missing, found.n_one_reader, found.n_outputs) == (5, 7, 108)
    assert found.human == pytest.approx((found.readers[0].human + found.readers[1].human) / 2)


def test_one_reader_has_no_ceiling():
    judge, ratings, systems, clusters = study(n_readers=1)

    assert reason(ceiling, judge, ratings, systems, clusters) == "too_few_readers"
    assert reason(ceiling, judge, ratings, systems, clusters, kind="lin") == "unknown_category"
    assert reason(ceiling, judge[:9], np.vstack([ratings, ratings])[:, :9], systems[:9], clusters[:9]) == (
        "too_few_units"
    )


def test_the_judge_s_kappa_stands_beside_that_of_the_readers(radpref):
    """Pairs of readers have quadratic kappas 0.846, 0.857 and 0.822 (golden numbers of RadPref)."""
    found = st.judge_kappa(radpref[2], radpref, categories=SCALE, clusters=range(200))

    assert found.human == pytest.approx((0.846 + 0.857 + 0.822) / 3, abs=5e-4)
    assert [row.judge for row in found.readers] == pytest.approx([0.857, 0.822, 1.0], abs=5e-4)
    assert found.human_interval.low < found.human < found.human_interval.high
    assert found.coefficient == "quadratic kappa"


def test_a_kappa_needs_levels_of_the_declared_scale_and_ten_shared_outputs(radpref):
    with pytest.raises(st.UndefinedStatisticError, match=r"3.5 is not on the scale"):
        st.judge_kappa(np.full(200, 3.5), radpref, categories=SCALE, clusters=range(200))
    few = np.where(np.arange(200) < 9, radpref[0], np.nan)
    assert reason(st.judge_kappa, few, radpref, categories=SCALE, clusters=range(200)) == "too_few_units"


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=some.integers(0, 10_000), kind=some.sampled_from(KINDS), scope=some.sampled_from(["pooled", "within system"])
)
def test_order_of_outputs_readers_and_scale_do_not_matter(seed, kind, scope):
    judge, ratings, systems, clusters = study(seed, n_clusters=14)
    order = np.random.default_rng(seed).permutation(judge.size)
    plain = ceiling(judge, ratings, systems, clusters, kind=kind, scope=scope)

    moved = ceiling(
        3.0 * judge[order] + 7.0,
        0.5 * ratings[::-1][:, order] - 2.0,
        [systems[row] for row in order],
        [f"c{clusters[row]}" for row in order],
        kind=kind,
        scope=scope,
    )

    assert (moved.human, moved.judge) == pytest.approx((plain.human, plain.judge), abs=1e-9)
    assert [row.human for row in moved.readers] == pytest.approx([row.human for row in plain.readers][::-1], abs=1e-9)
    assert (moved.judge_interval.low, moved.difference_interval.high) == pytest.approx(
        (plain.judge_interval.low, plain.difference_interval.high), abs=1e-9
    )


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=some.integers(0, 10_000), kind=some.sampled_from(KINDS))
def test_identical_readers_are_perfect_against_each_other(seed, kind):
    judge, ratings, systems, clusters = study(seed, n_readers=1)

    found = ceiling(judge, np.repeat(ratings, 3, axis=0), systems, clusters, kind=kind, scope="within system")

    assert found.human == pytest.approx(1.0)
    assert found.judge == pytest.approx(correlation(judge, ratings[0], systems, clusters, kind=kind).value)
