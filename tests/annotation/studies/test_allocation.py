"""Balanced, seeded reading designs: properties over sizes, worked cases, refusals."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from annotation.studies.allocation import (
    AllocationError,
    Design,
    DesignItem,
    DesignReader,
    allocate,
    balance_report,
)

SYSTEMS = ("alpha", "beta", "gamma", "delta")


def items(
    n: int, *, n_systems: int = 3, n_strata: int = 4, lacking: int = 0, per_cluster: int = 1
) -> list[DesignItem]:
    found = []
    for number in range(n):
        form = "vqa" if number % n_strata < n_strata / 2 else "editing"
        systems = SYSTEMS[: n_systems - 1] if number < lacking else SYSTEMS[:n_systems]
        found.append(
            DesignItem(
                key=f"IT-{number:04d}",
                stratum=f"{form}/task {number % n_strata}/CT",
                cluster=f"case {number // per_cluster}",
                outputs={system: f"{system}:{number}" for system in systems},
            )
        )
    return found


def readers(n: int, *, cap: int | None = None) -> list[DesignReader]:
    return [DesignReader(key=f"R{number:02d}", cap=cap) for number in range(1, n + 1)]


def readers_of(design: Design) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for reader, readings in design.readings.items():
        for reading in readings:
            found.setdefault(reading.item, set()).add(reader)
    return found


sizes = some.fixed_dictionaries(
    {
        "n": some.integers(1, 70),
        "n_readers": some.integers(1, 7),
        "k": some.integers(1, 4),
        "n_systems": some.integers(1, 4),
        "n_strata": some.integers(1, 9),
        "seed": some.integers(0, 10**6),
        "mode": some.sampled_from(["one", "all"]),
        "gap": some.integers(0, 25),
    }
)


def drawn(size: dict, **more) -> Design:
    k = min(size["k"], size["n_readers"])
    found = items(size["n"], n_systems=size["n_systems"], n_strata=size["n_strata"], **more)
    return allocate(
        found, readers(size["n_readers"]), k=k, seed=size["seed"], outputs_per_reading=size["mode"], gap=size["gap"]
    )


@settings(max_examples=80, deadline=None)
@given(sizes)
def test_every_item_is_read_by_k_readers_who_read_all_its_outputs_once(size):
    design = drawn(size, lacking=size["n"] // 3 if size["n_systems"] > 1 else 0)
    outputs = {item.key: set(item.outputs.values()) for item in items(size["n"], n_systems=size["n_systems"])}

    assert {len(team) for team in readers_of(design).values()} == {min(size["k"], size["n_readers"])}
    assert set(readers_of(design)) == set(outputs)
    for readings in design.readings.values():
        assert [reading.position for reading in readings] == list(range(1, len(readings) + 1))
        seen: dict[str, list[str]] = {}
        for reading in readings:
            seen.setdefault(reading.item, []).extend(shown.output for shown in reading.placements)
            assert [shown.side for shown in reading.placements] == list(range(1, len(reading.placements) + 1))
            assert [shown.label for shown in reading.placements] == list("ABCD"[: len(reading.placements)])
        for item, found in seen.items():
            assert len(found) == len(set(found))
            assert set(found) <= outputs[item]


@settings(max_examples=80, deadline=None)
@given(sizes)
def test_without_caps_and_gaps_every_count_differs_by_at_most_one(size):
    report = balance_report(drawn(size))

    assert report.balanced
    for name in ("reader × stratum", "reader × format", "reader × all"):
        assert report.tables[name].spread <= 1, report.tables[name].verdict
    assert report.tables["system × reader"].spread == 0
    assert report.tables["system × label"].spread <= 1, report.tables["system × label"].verdict
    assert report.tables["system × reader and label"].spread <= 1
    assert report.tables["system × block"].spread <= 1, report.tables["system × block"].verdict


@settings(max_examples=100, deadline=None)
@given(sizes)
def test_with_one_output_per_reading_an_item_stays_away_as_long_as_the_list_allows(size):
    design = drawn(size | {"mode": "one"})
    report = balance_report(design)

    if size["n_systems"] == 1:
        assert report.smallest_gap is None
    else:
        shortest = min(len({one.item for one in found}) for found in design.readings.values() if found)
        assert report.smallest_gap >= min(size["gap"], shortest)


@settings(max_examples=60, deadline=None)
@given(sizes, some.integers(0, 20))
def test_items_that_lack_an_output_cost_at_most_their_own_number_of_readings(size, lacking):
    design = drawn(size | {"mode": "one", "n_systems": 3}, lacking=lacking)

    for readings in design.readings.values():
        last: dict[str, int] = {}
        own = Counter(one.item for one in readings)
        n_full = sum(count == 3 for count in own.values())
        for one in readings:
            if one.item in last:
                assert one.position - last[one.item] >= min(size["gap"], n_full)
            last[one.item] = one.position


@settings(max_examples=40, deadline=None)
@given(sizes, some.randoms(use_true_random=False))
def test_the_same_inputs_in_any_order_give_the_same_design_byte_for_byte(size, chance):
    found, people = items(size["n"], n_systems=size["n_systems"]), readers(size["n_readers"])
    k = min(size["k"], size["n_readers"])
    first = allocate(found, people, k=k, seed=size["seed"], outputs_per_reading=size["mode"])
    chance.shuffle(found)
    chance.shuffle(people)
    found = [
        DesignItem(
            key=item.key,
            stratum=item.stratum,
            cluster=item.cluster,
            outputs=dict(reversed(list(item.outputs.items()))),
        )
        for item in found
    ]

    second = allocate(found, people, k=k, seed=size["seed"], outputs_per_reading=size["mode"])

    assert second.digest() == first.digest()
    assert second == first


def test_a_design_stays_what_it_was_when_first_drawn():
    """The digest is stored: a change of the algorithm must not redraw existing studies unnoticed."""
    design = allocate(items(12), readers(4), k=2, seed=1, outputs_per_reading="one", gap=5)

    assert design.digest() == "7aa481447ff3e584756d3333a09be0445cf11f53a50f186770000c8eff161879"


def test_another_seed_gives_another_design():
    first = allocate(items(12), readers(4), k=2, seed=1, outputs_per_reading="all")

    assert allocate(items(12), readers(4), k=2, seed=2, outputs_per_reading="all").digest() != first.digest()


@settings(max_examples=80, deadline=None)
@given(some.integers(4, 50), some.lists(some.integers(0, 50), min_size=2, max_size=6), some.integers(1, 3))
def test_caps_hold_and_the_others_share_evenly(n, caps, k):
    people = [DesignReader(key=f"R{number}", cap=cap) for number, cap in enumerate(caps)]
    if k > len(people) or sum(min(cap, n) for cap in caps) < n * k:
        with pytest.raises(AllocationError):
            allocate(items(n), people, k=k, seed=3, outputs_per_reading="all")
        return

    design = allocate(items(n), people, k=k, seed=3, outputs_per_reading="all")

    loads = {person.key: len(design.readings[person.key]) for person in people}
    assert sum(loads.values()) == n * k
    assert {len(team) for team in readers_of(design).values()} == {k}
    free = [loads[person.key] for person in people if loads[person.key] < min(person.cap, n)]
    for person in people:
        assert loads[person.key] <= person.cap
    assert not free or max(loads.values()) - min(free) <= 1


def test_every_pair_of_readers_shares_items():
    """6 readers, 2 per item, 60 items: 15 pairs of 4 each at best."""
    design = allocate(items(60), readers(6), k=2, seed=5, outputs_per_reading="all")
    teams = Counter(frozenset(team) for team in readers_of(design).values())

    assert {frozenset(pair) for pair in combinations(design.readings, 2)} == set(teams)
    assert balance_report(design).tables["reader pairs"].spread <= 3


def test_one_reading_with_all_outputs_is_in_a_quarter_of_the_list():
    design = allocate(items(10), readers(1), k=1, seed=1, outputs_per_reading="all")

    assert [one.block for one in design.readings["R01"]] == [1, 1, 1, 2, 2, 3, 3, 3, 4, 4]


def test_items_of_one_case_are_not_neighbors_where_it_can_be_helped():
    design = allocate(items(40, per_cluster=2), readers(2), k=2, seed=1, outputs_per_reading="all")

    assert balance_report(design).n_neighbors_of_one_cluster == 0


def test_a_short_list_gives_the_largest_gap_and_says_so():
    report = balance_report(allocate(items(6), readers(1), k=1, seed=1, outputs_per_reading="one", gap=20))

    assert report.smallest_gap == 6
    assert report.gap_verdict == (
        "an item comes back after 6 readings for reader R01, 20 wanted: their list has only 6 items"
    )


def test_a_long_list_keeps_the_gap_and_mixes_the_order_of_the_passes():
    design = allocate(items(40), readers(1), k=1, seed=1, outputs_per_reading="one", gap=20)
    order = [one.item for one in design.readings["R01"]]

    assert balance_report(design).smallest_gap >= 20
    assert order[:40] != order[40:80]
    assert sorted(order[:40]) == sorted(order[40:80])


def test_no_item_twice_is_said_when_outputs_stand_side_by_side():
    report = balance_report(allocate(items(8), readers(2), k=1, seed=1, outputs_per_reading="all"))

    assert report.smallest_gap is None
    assert report.gap_verdict == "no reader meets an item twice"
    assert (report.n_items, report.n_readings, report.readers_per_item) == (8, 8, (1, 1))
    assert report.tables["reader × stratum"].verdict == "balanced: all counts are equal"


def test_an_uneven_count_is_named_with_both_sides():
    people = [DesignReader(key="R1", cap=2), DesignReader(key="R2")]

    report = balance_report(allocate(items(12), people, k=1, seed=1, outputs_per_reading="all"))

    assert not report.balanced
    assert report.tables["reader × all"].spread == 8
    assert report.tables["reader × all"].verdict == "uneven in all: R1 has 2 and R2 has 10"


def test_a_missing_output_moves_labels_up_and_leaves_no_hole():
    design = allocate(items(9, lacking=9), readers(1), k=1, seed=1, outputs_per_reading="all")

    assert {tuple(shown.label for shown in one.placements) for one in design.readings["R01"]} == {("A", "B")}
    assert balance_report(design).tables["system × label"].spread <= 1


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: allocate([], readers(2), k=1, seed=1, outputs_per_reading="all"), "no item to read"),
        (lambda: allocate(items(2), [], k=1, seed=1, outputs_per_reading="all"), "no reader"),
        (
            lambda: allocate(items(2), readers(2), k=3, seed=1, outputs_per_reading="all"),
            "3 readers per item, but the study has 2",
        ),
        (lambda: allocate(items(2), readers(2), k=0, seed=1, outputs_per_reading="all"), "must be at least 1"),
        (
            lambda: allocate(items(12), readers(2, cap=10), k=2, seed=1, outputs_per_reading="all"),
            "12 items × 2 readers need 24 places, the caps give 20",
        ),
        (lambda: allocate(items(2), readers(2, cap=-1), k=1, seed=1, outputs_per_reading="all"), "cap -1 is below 0"),
        (lambda: allocate(items(2), readers(2), k=1, seed=1, outputs_per_reading="all", gap=-1), "gap -1"),
        (lambda: allocate(items(2), readers(2), k=1, seed=1, outputs_per_reading="two"), "neither one nor all"),
        (
            lambda: allocate(items(2) + items(1), readers(2), k=1, seed=1, outputs_per_reading="all"),
            "item IT-0000 occurs twice",
        ),
        (
            lambda: allocate(items(2), readers(2) + readers(1), k=1, seed=1, outputs_per_reading="all"),
            "reader R01 occurs twice",
        ),
        (
            lambda: allocate(items(1, n_systems=1, lacking=1), readers(1), k=1, seed=1, outputs_per_reading="all"),
            "item IT-0000 has no output to read",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_numbers(act, message):
    with pytest.raises(AllocationError, match=message):
        act()
