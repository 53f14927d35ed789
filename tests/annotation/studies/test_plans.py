"""Plans of assignment, hidden repeats, attention checks and later items, drawn from random requests."""

from collections import Counter
from itertools import combinations

import pytest

from annotation.studies.allocation import AllocationError, DesignReader, allocate, compose, extend
from annotation.studies.blocks import blocks
from annotation.studies.extras import first_times
from tests.annotation.studies.requests_of_designs import (
    Request,
    draw,
    faults,
    items_of,
    names_its_limit,
    random_request,
    readers_of,
)

USUAL = Request(
    n=24, n_readers=4, k=2, n_systems=3, n_strata=3, seed=5, mode="all", gap=4, plan="even", anchors=0, cap=None,
    repeats=0, checks=0,
)  # fmt: skip


def asked(**changes):
    return Request(**{**vars(USUAL), **changes})


def run(numbers) -> Counter[str]:
    """How many requests were drawn and how many refused; a fault of either fails."""
    counts: Counter[str] = Counter()
    for number in numbers:
        request = random_request(number)
        try:
            design = draw(request)
        except AllocationError as problem:
            assert names_its_limit(problem), (request, str(problem))
            counts["refused"] += 1
            continue
        assert faults(request, design) == [], request
        counts["drawn"] += 1
    return counts


def test_random_requests_are_drawn_as_stated_or_refused_by_their_limit():
    counts = run(range(40))

    assert counts["drawn"] >= 28
    assert counts["refused"] >= 1


@pytest.mark.soak
def test_a_thousand_random_requests_are_drawn_as_stated_or_refused_by_their_limit():
    counts = run(range(1000))

    print(f"designs: {counts['drawn']} drawn, {counts['refused']} refused by their limit")
    assert counts["drawn"] >= 700
    assert counts["refused"] >= 50


@pytest.mark.parametrize(
    ("v", "k", "b", "shared"),
    [(4, 2, 6, 1), (7, 3, 7, 1), (13, 4, 13, 1), (11, 5, 11, 2), (13, 3, 26, 1), (5, 4, 5, 3), (6, 3, 20, 4)],
)
def test_blocks_are_the_known_balanced_designs(v, k, b, shared):
    found = blocks(v, k)

    assert len(found) == b
    assert {len(set(block)) for block in found} == {k}
    pairs = Counter(pair for block in found for pair in combinations(block, 2))
    assert {pairs[pair] for pair in combinations(range(v), 2)} == {shared}


def test_anchors_are_read_by_everybody_and_come_from_every_stratum():
    design = draw(asked(plan="anchored", anchors=6, n_readers=5))

    assert len(design.anchors) == 6
    assert Counter(design.items[item][0] for item in design.anchors) == Counter(
        {f"{form}/task {number}/CT": 2 for number, form in enumerate(["vqa", "vqa", "editing"])}
    )
    for readings in design.readings.values():
        assert set(design.anchors) <= {one.item for one in readings}


def test_the_pool_of_an_anchored_design_is_the_one_of_the_formula():
    """One system, 6 readers, caps of 200, 40 anchors, 2 readers: 40 + ⌊6 · 160 / 2⌋ = 520 items and not one more."""
    sizes = {"n_readers": 6, "cap": 200, "anchors": 40, "plan": "anchored", "k": 2, "n_systems": 1}

    assert len(draw(asked(n=520, **sizes)).items) == 520
    with pytest.raises(AllocationError, match=r"521 items.*at most 520 can be read"):
        draw(asked(n=521, **sizes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plan": "crossed", "cap": 20}, "cap 20, but crossed gives everybody 24 items"),
        ({"plan": "incomplete", "n_readers": 7, "k": 3}, "need a multiple of 7, so 21 or 28"),
        ({"plan": "incomplete", "n_readers": 4, "k": 2, "cap": 11}, "cap 11, but balanced blocks give everybody 12"),
        ({"plan": "anchored", "anchors": 25}, "25 anchor items: choose 1 to 24"),
        ({"plan": "anchored", "anchors": 8, "cap": 5}, "cap 5 is below the 8 anchor items"),
        ({"anchors": 3}, "only anchored has anchors"),
        ({"repeats": 11}, "repeats 11: reader R01 reads 12, of which 9 can come again 4 readings later"),
        ({"cap": 11}, "need 48 places, the caps give 44"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_the_limit_that_binds(changes, words):
    with pytest.raises(AllocationError) as refused:
        draw(asked(**changes))

    assert words in str(refused.value)


def test_repeats_show_the_same_outputs_under_the_same_labels_a_third_of_the_list_later():
    design = draw(asked(n=40, n_readers=2, repeats=6))

    for readings in design.readings.values():
        by_position = {one.position: one for one in readings}
        pairs = first_times(readings)
        assert len(pairs) == 6
        for again, first in pairs.items():
            assert by_position[again].placements == by_position[first].placements
            assert by_position[again].replicate == 2
            assert again - first >= 14


def test_checks_and_repeats_leave_the_order_of_main_readings_alone():
    plain, mixed = draw(USUAL), draw(asked(repeats=2, checks=3))

    for reader, readings in mixed.readings.items():
        main = [one.item for one in readings if one.role == "main"]
        assert main == [one.item for one in plain.readings[reader]]
        assert readings[0].role == "main"


def test_items_added_twice_get_the_readers_with_least_and_move_nobody():
    request = asked(n=10, n_readers=4, k=2)
    design = draw(request)
    longer = extend(design, items_of(request, start=10, n=2), readers_of(request))
    longest = extend(longer, items_of(request, start=12, n=2), readers_of(request))

    counts = [len({one.item for one in readings}) for readings in longest.readings.values()]
    assert max(counts) - min(counts) <= 1
    for reader, readings in design.readings.items():
        assert longest.readings[reader][: len(readings)] == readings
    with pytest.raises(AllocationError, match="IT-0003 is in the design already"):
        extend(design, items_of(request)[3:4], readers_of(request))


def test_a_plan_without_extras_keeps_the_checksum_of_earlier_versions():
    request = USUAL
    plain = allocate(items_of(request), readers_of(request), k=2, seed=5, outputs_per_reading="all", gap=4)

    assert compose(plain).digest() == plain.digest()
    assert "role" not in plain.as_data()["readings"]["R01"][0]


def test_a_plan_that_is_none_is_refused():
    with pytest.raises(AllocationError, match="is none of even, crossed, incomplete, anchored"):
        allocate(items_of(USUAL), [DesignReader(key="R01")], k=1, seed=1, outputs_per_reading="all", plan="odd")
