"""Which two outputs of an item are compared, by whom, and which of them stands left. Pure.

comparison: one pair of systems on one item. Every reader of an item compares the same pairs of it, so that readers
can be compared too. Pairs are dealt so that their counts differ by at most 1; sides are set by walking the
comparisons of all readers as circuits in which every entry to a system is left again on the other side.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from annotation.studies.assignment import assign_readers
from annotation.studies.blueprint import (
    LABELS,
    AllocationError,
    Chance,
    Design,
    DesignItem,
    DesignReader,
    Placement,
    PlannedReading,
)
from annotation.studies.ordering import smallest_gap, spread_clusters

Pair = tuple[str, str]
Comparison = tuple[str, Pair]
"""Item and pair."""
Vertex = tuple[str, str]
"""Reader and system; without a reader, the system's own."""
Edge = tuple[Vertex, Vertex, Comparison | None]
REPAIRS = 8


def all_pairs(systems: Iterable[str]) -> list[Pair]:
    """Every two systems once, both in order of their keys."""
    return list(combinations(sorted(systems), 2))


def allocate_pairs(
    items: Sequence[DesignItem],
    readers: Sequence[DesignReader],
    *,
    k: int,
    seed: int,
    pairs_per_item: int | None = None,
    gap: int = 20,
) -> Design:
    """Draw a design of comparisons. The same inputs, in any order, give the same design byte for byte.

    Counts of pairs differ by at most 1 where every item has an output of every system; within a reader as little as
    shared items allow. For every reader, and for all readers together, a system stands left as often as right but
    for one; within a reader the same holds for the two systems of every pair.

    Args:
        items: what is read, each with at least two outputs.
        readers: who reads; a cap counts items.
        k: readers per item.
        seed: stored with the study.
        pairs_per_item: pairs of an item that each of its readers compares; None takes all. An item that has fewer
            pairs gives all it has.
        gap: readings wanted between two comparisons of an item by one reader.

    Raises:
        AllocationError: nothing to compare or nobody to do it, a key that occurs twice, an item with fewer than two
            outputs, k, caps, pairs per item or gap out of their limits.
    """
    _check(items, readers, pairs_per_item, gap)
    ordered = sorted(items, key=lambda item: (item.stratum.split("/"), item.key))
    people = sorted(readers, key=lambda reader: reader.key)
    teams = assign_readers(ordered, people, k=k, seed=seed)
    pairs = _deal(ordered, teams, pairs_per_item, Chance(seed, "pairs"))
    own_items = {person.key: [item for item in ordered if person.key in teams[item.key]] for person in people}
    comparisons = {
        reader: [(item.key, pair) for item in own for pair in pairs[item.key]] for reader, own in own_items.items()
    }
    left = set_sides(comparisons, Chance(seed, "sides"))
    readings = {}
    for person in people:
        own, chance = own_items[person.key], Chance(seed, "order", person.key)
        readings[person.key] = _order(own, pairs, left[person.key], gap=gap, chance=chance)
    return Design(
        seed=seed,
        readers_per_item=k,
        outputs_per_reading="pair",
        gap=gap,
        items={item.key: (item.stratum, item.cluster) for item in ordered},
        readings=readings,
    )


def _check(
    items: Sequence[DesignItem], readers: Sequence[DesignReader], pairs_per_item: int | None, gap: int
) -> None:
    if not items:
        raise AllocationError("there is no item with two outputs to compare")
    if not readers:
        raise AllocationError("there is no reader")
    if gap < 0:
        raise AllocationError(f"gap {gap} is below 0")
    if pairs_per_item is not None and pairs_per_item < 1:
        raise AllocationError(f"pairs per item {pairs_per_item} is below 1")
    for kind, keys in (("item", [item.key for item in items]), ("reader", [reader.key for reader in readers])):
        twice = [key for key, n in Counter(keys).items() if n > 1]
        if twice:
            raise AllocationError(f"{kind} {min(twice)} occurs twice")
    for item in items:
        if len(item.outputs) < 2:
            raise AllocationError(f"item {item.key} has {len(item.outputs)} outputs, a comparison needs 2")


def _deal(
    items: Sequence[DesignItem], teams: Mapping[str, Sequence[str]], wanted: int | None, chance: Chance
) -> dict[str, list[Pair]]:
    """Item → its pairs: always one that all items had least, then that its readers had least, then luck."""
    total: Counter[Pair] = Counter()
    own: Counter[tuple[str, Pair]] = Counter()
    systems: Counter[str] = Counter()
    dealt: dict[str, list[Pair]] = {}
    for item in items:
        offered = all_pairs(item.outputs)
        luck = {pair: chance.draw() for pair in offered}
        chosen: list[Pair] = []
        for _ in range(len(offered) if wanted is None else min(wanted, len(offered))):
            free = [pair for pair in offered if pair not in chosen]
            least = min(total[pair] for pair in free)
            rare = [pair for pair in free if total[pair] == least]
            chosen.append(_lightest(rare, teams[item.key], own, systems, luck))
            total[chosen[-1]] += 1
            systems.update(chosen[-1])
            own.update((reader, chosen[-1]) for reader in teams[item.key])
        dealt[item.key] = sorted(chosen)
    _Dealt(dealt, {item.key: item.outputs for item in items}, teams, own).repair()
    return dealt


def _lightest(
    pairs: Sequence[Pair],
    team: Sequence[str],
    own: Counter[tuple[str, Pair]],
    systems: Counter[str],
    luck: Mapping[Pair, float],
) -> Pair:
    """The pair that these readers compared least, then of the systems that were compared least, then by luck."""

    def burden(pair: Pair) -> tuple[int, int, float]:
        return sum(own[reader, pair] for reader in team), systems[pair[0]] + systems[pair[1]], luck[pair]

    return min(pairs, key=burden)


class _Dealt:
    """Dealt pairs whose items may change pairs with each other; how often each pair is dealt stays as it is."""

    def __init__(
        self,
        dealt: dict[str, list[Pair]],
        outputs: Mapping[str, Mapping[str, str]],
        teams: Mapping[str, Sequence[str]],
        own: Counter[tuple[str, Pair]],
    ) -> None:
        self.dealt, self.outputs, self.teams, self.own = dealt, outputs, teams, own
        self.items_of: dict[Pair, list[str]] = {}
        for key, pairs in dealt.items():
            for pair in pairs:
                self.items_of.setdefault(pair, []).append(key)

    def repair(self) -> None:
        """Even out what each reader compares, in a few rounds over the items."""
        readers = sorted({reader for team in self.teams.values() for reader in team})
        for _ in range(REPAIRS):
            least = {reader: min(self.own[reader, pair] for pair in self.items_of) for reader in readers}
            moved = False
            for key, pairs in self.dealt.items():
                for pair in list(pairs):
                    if any(self.own[reader, pair] > least[reader] + 1 for reader in self.teams[key]):
                        moved |= self._move(key, pair)
            if not moved:
                return

    def _move(self, key: str, pair: Pair) -> bool:
        """Exchange a pair of an item, of which a reader has too much, for one of another item, if it helps."""
        team = self.teams[key]
        for wanted in all_pairs(self.outputs[key]):
            if wanted in self.dealt[key] or wanted not in self.items_of:
                continue
            if not any(self.own[reader, pair] > self.own[reader, wanted] + 1 for reader in team):
                continue
            for other in self.items_of[wanted]:
                fits = pair not in self.dealt[other] and set(pair) <= set(self.outputs[other])
                if fits and self._gain(key, other, pair, wanted) > 0:
                    self._exchange(key, other, pair, wanted)
                    return True
        return False

    def _gain(self, key: str, other: str, pair: Pair, wanted: Pair) -> int:
        """How much the sum of the squared counts falls when the first item takes `wanted` and the other `pair`."""
        gain = 0
        for reader in set(self.teams[key]) ^ set(self.teams[other]):
            less, more = (pair, wanted) if reader in self.teams[key] else (wanted, pair)
            gain += 2 * (self.own[reader, less] - self.own[reader, more] - 1)
        return gain

    def _exchange(self, key: str, other: str, pair: Pair, wanted: Pair) -> None:
        for item, drops, takes in ((key, pair, wanted), (other, wanted, pair)):
            self.own.subtract((reader, drops) for reader in self.teams[item])
            self.own.update((reader, takes) for reader in self.teams[item])
            self.dealt[item][:] = sorted([*[each for each in self.dealt[item] if each != drops], takes])
            self.items_of[drops].remove(item)
            self.items_of[takes].append(item)


def set_sides(comparisons: Mapping[str, Sequence[Comparison]], chance: Chance) -> dict[str, dict[Comparison, str]]:
    """Reader → comparison → the system that stands left.

    Two comparisons of one pair by one reader get opposite sides. What is left over is walked as circuits through the
    vertices (reader, system); a vertex of odd degree is joined to its system's own vertex, and those of odd degree to
    one more, so that every walk closes: whoever comes in leaves, and left and right differ by at most 1 at each.
    """
    left: dict[str, dict[Comparison, str]] = {reader: {} for reader in comparisons}
    edges: list[Edge] = []
    for reader in sorted(comparisons):
        by_pair: dict[Pair, list[str]] = {}
        for item, pair in chance.shuffled(list(comparisons[reader])):
            by_pair.setdefault(pair, []).append(item)
        for pair in sorted(by_pair):
            mixed = by_pair[pair]
            for first, second in zip(mixed[0::2], mixed[1::2], strict=False):
                left[reader][first, pair], left[reader][second, pair] = pair
            if len(mixed) % 2:
                edges.append(((reader, pair[0]), (reader, pair[1]), (mixed[-1], pair)))
    edges = chance.shuffled(edges)
    edges += [((reader, system), ("", system), None) for reader, system in _odd(edges)]
    edges += [(vertex, ("", ""), None) for vertex in _odd(edges)]
    for (reader, system), comparison in _circuits(edges):
        left[reader][comparison] = system
    return left


def _odd(edges: Iterable[Edge]) -> list[Vertex]:
    degree = Counter(vertex for start, end, _ in edges for vertex in (start, end))
    return sorted(vertex for vertex, n in degree.items() if n % 2)


def _circuits(edges: Sequence[Edge]) -> Iterable[tuple[Vertex, Comparison]]:
    """Each comparison with the vertex from which its edge is walked; all degrees are even, so every walk closes."""
    at: dict[Vertex, list[int]] = {}
    for number, (start, end, _) in enumerate(edges):
        at.setdefault(start, []).append(number)
        at.setdefault(end, []).append(number)
    walked = [False] * len(edges)
    for number in range(len(edges)):
        here = edges[number][0]
        while True:
            open_edges = at[here]
            while open_edges and walked[open_edges[-1]]:
                open_edges.pop()
            if not open_edges:
                break
            edge = open_edges.pop()
            walked[edge] = True
            start, end, key = edges[edge]
            if key is not None:
                yield here, key
            here = end if here == start else start


def _order(
    items: Sequence[DesignItem],
    pairs: Mapping[str, Sequence[Pair]],
    sides: Mapping[Comparison, str],
    *,
    gap: int,
    chance: Chance,
) -> tuple[PlannedReading, ...]:
    """Passes through the items, in each at most one comparison of an item; mixed as far as the gap allows."""
    base = spread_clusters(chance.shuffled(list(items)))
    turns = {item.key: chance.shuffled(list(pairs[item.key])) for item in base}
    passes = max((len(turn) for turn in turns.values()), default=0)
    stretch = max(1, len(base) - gap + 1)
    mixed = _passes(base, turns, sides, passes=passes, stretch=stretch, chance=chance)
    found = smallest_gap(mixed)
    if found is None or found >= gap:
        return mixed
    plain = _passes(base, turns, sides, passes=passes, stretch=1, chance=chance)
    return plain if (smallest_gap(plain) or 0) > found else mixed


def _passes(
    base: Sequence[DesignItem],
    turns: Mapping[str, Sequence[Pair]],
    sides: Mapping[Comparison, str],
    *,
    passes: int,
    stretch: int,
    chance: Chance,
) -> tuple[PlannedReading, ...]:
    readings: list[PlannedReading] = []
    for number in range(passes):
        for start in range(0, len(base), stretch):
            part = list(base[start : start + stretch])
            for item in chance.shuffled(part) if stretch > 1 and number else part:
                if number < len(turns[item.key]):
                    pair = turns[item.key][number]
                    readings.append(_reading(item, pair, sides[item.key, pair], len(readings) + 1, number + 1))
    return tuple(readings)


def _reading(item: DesignItem, pair: Pair, left: str, position: int, block: int) -> PlannedReading:
    shown = (left, pair[1] if left == pair[0] else pair[0])
    placements = tuple(
        Placement(label=LABELS[side], side=side + 1, system=system, output=item.outputs[system])
        for side, system in enumerate(shown)
    )
    return PlannedReading(position=position, block=block, item=item.key, placements=placements)
