"""Counts of preferences and limits of their model, against an independent program and against single fits."""

import json
from pathlib import Path

import numpy as np
import pytest

from scoring.statistics.intervals import resample_counts
from scoring.statistics.preferences import pair_counts, strength_intervals, values_of_first
from scoring.statistics.ranking import Comparison, bradley_terry
from tests.scoring.statistics.test_intervals_and_tests import reason

GOLDEN = Path(__file__).parents[2] / "golden" / "preferences_conditional_logit.json"


def drawn(n=240, *, seed=3, strengths=(0.8, 0.1, -0.9), side=0.4, tie=-0.5):
    """Preferences drawn from the model itself: three systems, four of them a cluster."""
    luck = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        a, b = luck.choice(3, size=2, replace=False)
        logits = np.array([strengths[a] + side, strengths[b], tie + (strengths[a] + strengths[b] + side) / 2.0])
        shares = np.exp(logits) / np.exp(logits).sum()
        choice = ("left", "right", "tie")[luck.choice(3, p=shares)]
        found.append(Comparison(left="abc"[a], right="abc"[b], choice=choice))
    return found, [f"case {number // 4}" for number in range(n)]


def test_a_pair_is_counted_from_its_first_system_whatever_side_it_stood_on():
    said = [("a", "b", "left"), ("b", "a", "left"), ("b", "a", "right"), ("a", "b", "tie"), ("b", "a", "both_bad")]

    (pair,) = pair_counts([Comparison(left=left, right=right, choice=choice) for left, right, choice in said])

    assert (pair.first_wins, pair.second_wins, pair.ties, pair.both_bad, pair.left_wins, pair.n) == (2, 1, 1, 1, 2, 5)
    assert pair.share == pytest.approx((2 + 1) / 5)
    rows = [Comparison(left=left, right=right, choice=choice) for left, right, choice in said]
    assert list(values_of_first(rows, "a")) == [1, -1, 1, 0, 0]


def test_the_model_is_what_a_conditional_logit_of_another_program_finds():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    said = [
        Comparison(left=pair[0], right=pair[2], choice=choice)
        for pair, counts in golden["counts"].items()
        for choice, n in zip(("left", "right", "tie", "both_bad"), counts, strict=True)
        for _ in range(n)
    ]

    ours = bradley_terry(said, prior_sd=1e5)

    found = {"a": ours.strengths["a"], "b": ours.strengths["b"], "side_effect": ours.side_effect, "tie": ours.tie}
    assert found == pytest.approx(golden["parameters"], abs=1e-6)


def test_fits_of_all_resamples_at_once_are_the_fits_one_by_one():
    said, clusters = drawn(80)
    draws, seed = 12, 7

    limits = strength_intervals(said, clusters=clusters, seed=seed, draws=draws)

    weights = resample_counts(20, draws=draws, seed=seed)
    single = [
        bradley_terry(said, weights=[float(row[number // 4]) for number in range(len(said))]) for row in weights
    ]
    sides = sorted(one.side_effect for one in single)
    assert limits.side_effect.low >= sides[0] - 1e-7 and limits.side_effect.high <= sides[-1] + 1e-7
    widest = strength_intervals(said, clusters=clusters, seed=seed, draws=draws, level=0.9999999)
    assert widest.side_effect.low == pytest.approx(sides[0], abs=1e-6)
    assert widest.strengths["a"].high == pytest.approx(max(one.strengths["a"] for one in single), abs=1e-6)


def test_limits_hold_what_the_preferences_were_drawn_from():
    said, clusters = drawn(400, seed=11)

    limits = strength_intervals(said, clusters=clusters, seed=1, draws=300)

    for system, truth in {"a": 0.8, "b": 0.1, "c": -0.9}.items():
        assert limits.strengths[system].low < truth < limits.strengths[system].high
    assert limits.side_effect.low < 0.4 < limits.side_effect.high
    assert (limits.ranks["a"].low, limits.ranks["c"].high) == (1, 3)


def test_two_systems_that_always_tie_share_both_ranks():
    said = [Comparison(left="ab"[n % 2], right="ba"[n % 2], choice="tie") for n in range(20)]

    limits = strength_intervals(said, clusters=range(20), seed=1, draws=50)

    assert (limits.strengths["a"].low, limits.strengths["a"].high) == pytest.approx((0, 0), abs=1e-9)
    assert {(one.low, one.high) for one in limits.ranks.values()} <= {(1, 2), (1, 1), (2, 2)}


def test_few_clusters_and_impossible_choices_are_refused():
    said, _ = drawn(9)

    assert reason(strength_intervals, said, clusters=range(9), seed=1) == "too_few_clusters"
    assert reason(pair_counts, [Comparison(left="a", right="a", choice="tie")]) == "unusable_value"
