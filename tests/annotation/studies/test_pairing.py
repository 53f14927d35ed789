"""Pairs for blind comparison: balance over sizes, byte for byte the same, refusals."""

from collections import Counter
from random import Random

import pytest

from annotation.studies.allocation import AllocationError, DesignItem, DesignReader, balance_report
from annotation.studies.pairing import all_pairs, allocate_pairs

SYSTEMS = "PQRSTU"


def items(n, systems="PQR", *, lacking=()):
    return [
        DesignItem(
            key=f"IT-{number:03d}",
            stratum=f"vqa/task {number % 3}/ct",
            cluster=f"case {number // 2}",
            outputs={name: f"{number}/{name}" for name in systems if not (number in lacking and name == systems[0])},
        )
        for number in range(n)
    ]


def readers(n, cap=None):
    return [DesignReader(key=f"R{number:02d}", cap=cap) for number in range(1, n + 1)]


def sides(design):
    """(reader, system) → left minus right; (reader, pair) → first left minus second left; pair → items."""
    stands, turns, pairs = Counter(), Counter(), Counter()
    for reader, readings in design.readings.items():
        for reading in readings:
            left, right = (shown.system for shown in reading.placements)
            stands[reader, left] += 1
            stands[reader, right] -= 1
            pair = tuple(sorted((left, right)))
            turns[reader, pair] += 1 if left == pair[0] else -1
            pairs[pair] += 1
    return stands, turns, pairs


@pytest.mark.parametrize("seed", range(40))
def test_sides_and_pairs_differ_by_at_most_one(seed):
    luck = Random(seed)
    systems, n_readers = SYSTEMS[: luck.randint(2, 6)], luck.randint(1, 6)
    k, wanted = luck.randint(1, n_readers), luck.choice([None, 1, 1, 2])
    asked = {"k": k, "seed": seed, "pairs_per_item": wanted}
    made = items(luck.randint(1, 50), systems)

    design = allocate_pairs(made, readers(n_readers), **asked)

    luck.shuffle(made)
    assert allocate_pairs(made, readers(n_readers)[::-1], **asked).digest() == design.digest()
    stands, turns, pairs = sides(design)
    assert all(abs(n) <= 1 for n in stands.values())
    assert all(abs(n) <= 1 for n in turns.values())
    together = Counter()
    for (_, system), n in stands.items():
        together[system] += n
    assert all(abs(n) <= 1 for n in together.values())
    shares = [pairs[pair] // k for pair in all_pairs(systems)]
    assert max(shares) - min(shares) <= 1
    for reader in design.readings:
        own = Counter(tuple(sorted(s.system for s in one.placements)) for one in design.readings[reader])
        shares = [own[pair] for pair in all_pairs(systems)]
        assert max(shares) - min(shares) <= 2


def test_every_reader_of_an_item_compares_the_same_pairs_of_it():
    design = allocate_pairs(items(20), readers(4), k=3, seed=2, pairs_per_item=1)

    compared = {}
    for readings in design.readings.values():
        for one in readings:
            compared.setdefault(one.item, []).append(frozenset(shown.system for shown in one.placements))

    assert all(len(pairs) == 3 and len(set(pairs)) == 1 for pairs in compared.values())


def test_all_pairs_of_an_item_come_in_passes_a_gap_apart():
    design = allocate_pairs(items(30), readers(2), k=1, seed=5, gap=8)

    report = balance_report(design)

    assert report.n_readings == 90 and report.smallest_gap >= 8
    assert report.tables["system pair × all"].spread == 0
    assert report.tables["system side × reader"].spread <= 1
    assert report.balanced


def test_an_item_without_one_system_is_compared_by_what_it_has():
    design = allocate_pairs(items(12, lacking=range(6)), readers(2), k=1, seed=1)

    assert Counter(one.item for own in design.readings.values() for one in own)["IT-000"] == 1
    assert sides(design)[2] == {("Q", "R"): 12, ("P", "Q"): 6, ("P", "R"): 6}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"items": []}, "there is no item with two outputs"),
        ({"items": items(2, "P")}, "item IT-000 has 1 outputs, a comparison needs 2"),
        ({"items": [*items(2), *items(1)]}, "item IT-000 occurs twice"),
        ({"readers": []}, "there is no reader"),
        ({"readers": readers(2, cap=1)}, "4 items × 1 readers need 4 places, the caps give 2"),
        ({"k": 3}, "3 readers per item, but the study has 2"),
        ({"pairs_per_item": 0}, "pairs per item 0 is below 1"),
        ({"gap": -1}, "gap -1 is below 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(given, words):
    asked = {"items": items(4), "readers": readers(2), "k": 1, "seed": 1} | given

    with pytest.raises(AllocationError, match=words):
        allocate_pairs(asked.pop("items"), asked.pop("readers"), **asked)
