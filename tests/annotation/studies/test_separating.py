"""What tells systems apart is found against shuffled labels; what does not is not."""

import numpy as np
import pytest

from annotation.studies.separating import separations

ITEMS = 40
SYSTEMS = ["A", "B", "C"] * ITEMS
BLOCKS = [item for item in range(ITEMS) for _ in range(3)]


def found(**features):
    return {each.feature: each for each in separations(SYSTEMS, BLOCKS, features, seed=7)}


def test_a_value_that_names_the_system_is_told_perfectly():
    one = found(container=[f"type {name}" for name in SYSTEMS])["container"]

    assert one.told == 1.0 and one.tells and one.p == pytest.approx(0.001)
    assert one.by_chance < 0.5
    assert one.evidence["A"] == "type A (40 of 40)"


def test_a_number_that_names_one_system_is_told_by_its_area():
    rng = np.random.default_rng(3)
    sizes = [float(rng.normal(100, 1) + 50 * (name == "C")) for name in SYSTEMS]

    one = found(size=sizes)["size"]

    assert one.is_number and one.told == 1.0 and one.tells
    assert one.evidence["C"].startswith("15") and one.evidence["A"].startswith("99")


def test_what_depends_on_the_item_alone_tells_nothing():
    all_of = found(
        size=[item * 10 for item in BLOCKS], kind=[str(item % 4) for item in BLOCKS], same=["x"] * len(BLOCKS)
    )

    assert set(all_of) == {"size", "kind"}
    assert not any(each.tells for each in all_of.values())
    assert all_of["kind"].p == 1.0


def test_chance_tells_nothing_in_most_of_many_draws():
    rng = np.random.default_rng(11)
    told = [
        any(
            each.tells
            for each in separations(
                SYSTEMS,
                BLOCKS,
                {"a": list(rng.random(120)), "b": list(rng.choice(["x", "y"], 120))},
                seed=n,
                shuffles=99,
            )
        )
        for n in range(40)
    ]

    assert sum(told) <= 6, "at most 5 % are expected"


def test_a_perfect_but_small_separation_is_still_shown():
    small = separations(["A", "B"] * 3, [0, 0, 1, 1, 2, 2], {"header": ["x", "y"] * 3}, seed=1)

    assert small[0].p > 0.05 and small[0].told == 1.0 and small[0].tells


def test_ties_and_missing_values_count_half_and_not_at_all():
    values = [1, 1, None] * ITEMS

    assert found(n=values) == {}
    one = separations(["A", "B"] * 4, [0, 0, 1, 1, 2, 2, 3, 3], {"n": [1, 1, 2, 2, 1, 2, None, 2]}, seed=1)[0]
    assert one.n == 7
    assert one.told == pytest.approx((4.5 + 3) / 12 + 0.0, abs=0.5)


def test_one_system_alone_cannot_be_told():
    assert separations(["A", "A"], [0, 1], {"x": ["1", "2"]}, seed=1) == []
