"""In which order a reader meets the items, and which output stands under which label. Pure.

Full items (an output of every system) go through Latin squares: in groups of as many items as systems, every system
takes every place once. What is left of a group takes its places from one circle that runs on from reader to reader,
so that sums over readers stay within one as well. Items that lack an output take the place used least.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from annotation.studies.blueprint import LABELS, Chance, DesignItem, Placement, PlannedReading

QUARTERS = 4


@dataclass
class Circle:
    """Systems in a fixed random order and the place where the next reader goes on."""

    systems: list[str]
    place: int = 0
    uses: Counter[tuple[int, str]] = field(default_factory=Counter)


def order_all(items: Sequence[DesignItem], *, circle: Circle, chance: Chance) -> list[PlannedReading]:
    """Readings that show all outputs of an item side by side."""
    slots = _slots(items, circle, chance)
    order = spread_clusters(chance.shuffled(list(items)))
    readings = []
    for index, item in enumerate(order):
        by_slot = sorted((slot, system) for system, slot in slots[item.key].items())
        placements = tuple(
            Placement(label=LABELS[side], side=side + 1, system=system, output=item.outputs[system])
            for side, (_, system) in enumerate(by_slot)
        )
        block = index * min(QUARTERS, len(order)) // len(order) + 1
        readings.append(PlannedReading(position=index + 1, block=block, item=item.key, placements=placements))
    return readings


def order_one(items: Sequence[DesignItem], *, gap: int, circle: Circle, chance: Chance) -> list[PlannedReading]:
    """Readings that show one output: passes through the items, in each pass at most one output of an item.

    The same order in every pass puts an item's readings a whole pass apart, which no other order can beat when all
    items are full. Where passes are longer than the gap, stretches of them are mixed.
    """
    slots = _slots(items, circle, chance)
    base = spread_clusters(chance.shuffled(list(items)))
    full = [item for item in base if len(item.outputs) == len(circle.systems)]
    rest = [item for item in base if len(item.outputs) < len(circle.systems)]
    stretch = max(1, len(items) - gap + 1)
    best = _passes(base, slots, stretch=stretch, chance=chance)
    for order in (base, full + rest):
        if _reaches(smallest_gap(best), gap):
            break
        candidate = _passes(order, slots, stretch=1, chance=chance)
        if _reaches(smallest_gap(candidate), (smallest_gap(best) or 0) + 1):
            best = candidate
    return best


def smallest_gap(readings: Sequence[PlannedReading]) -> int | None:
    """Fewest positions from one reading of an item to the next; None when no item comes twice."""
    last: dict[str, int] = {}
    gaps = []
    for reading in readings:
        if reading.item in last:
            gaps.append(reading.position - last[reading.item])
        last[reading.item] = reading.position
    return min(gaps, default=None)


def spread_clusters(items: list[DesignItem]) -> list[DesignItem]:
    """Move items so that neighbors belong to different clusters, where another item allows it."""
    order = list(items)
    for index in range(1, len(order)):
        if order[index].cluster != order[index - 1].cluster:
            continue
        for other in [*range(index + 1, len(order)), *range(index - 1)]:
            if _fits(order, index, order[other]) and _fits(order, other, order[index]):
                order[index], order[other] = order[other], order[index]
                break
    return order


def _fits(order: Sequence[DesignItem], index: int, item: DesignItem) -> bool:
    around = [place for place in (index - 1, index + 1) if 0 <= place < len(order)]
    return all(order[place].cluster != item.cluster for place in around)


def _reaches(found: int | None, wanted: int) -> bool:
    return found is None or found >= wanted


def _slots(items: Sequence[DesignItem], circle: Circle, chance: Chance) -> dict[str, dict[str, int]]:
    """Item → system → slot (side from the left, or pass), from 0."""
    size = len(circle.systems)
    by_stratum = sorted(items, key=lambda item: (item.stratum, item.key))
    full = [item for item in by_stratum if len(item.outputs) == size]
    slots: dict[str, dict[str, int]] = {}
    n_grouped = len(full) - len(full) % size
    square: list[str] = []
    for index, item in enumerate(full[:n_grouped]):
        if index % size == 0:
            square = chance.shuffled(circle.systems)
        slots[item.key] = {square[(index + slot) % size]: slot for slot in range(size)}
    for item in full[n_grouped:]:
        slots[item.key] = {circle.systems[(circle.place + slot) % size]: slot for slot in range(size)}
        circle.place += 1
    own: Counter[tuple[int, str]] = Counter()
    for item in by_stratum:
        if item.key not in slots:
            slots[item.key] = _least_used(item, own, circle.uses, size, chance)
        for system, slot in slots[item.key].items():
            own[slot, system] += 1
    circle.uses.update(own)
    return slots


def _least_used(
    item: DesignItem, own: Counter[tuple[int, str]], uses: Counter[tuple[int, str]], size: int, chance: Chance
) -> dict[str, int]:
    """Slots of an item that lacks outputs, each system where it stood least, for this reader and then for all."""
    free = list(range(size))
    found = {}
    for system in chance.shuffled(sorted(item.outputs)):
        luck = {slot: chance.draw() for slot in free}
        slot = min(free, key=lambda place: (own[place, system], uses[place, system], luck[place]))
        free.remove(slot)
        found[system] = slot
    return found


def _passes(
    base: Sequence[DesignItem], slots: dict[str, dict[str, int]], *, stretch: int, chance: Chance
) -> list[PlannedReading]:
    used = sorted({slot for by_system in slots.values() for slot in by_system.values()})
    in_slot = {item: {slot: system for system, slot in by_system.items()} for item, by_system in slots.items()}
    readings: list[PlannedReading] = []
    for block, number in enumerate(used, start=1):
        for start in range(0, len(base), stretch):
            part = list(base[start : start + stretch])
            for item in chance.shuffled(part) if stretch > 1 else part:
                system = in_slot[item.key].get(number)
                if system is None:
                    continue
                shown = Placement(label=LABELS[0], side=1, system=system, output=item.outputs[system])
                readings.append(
                    PlannedReading(position=len(readings) + 1, block=block, item=item.key, placements=(shown,))
                )
    return readings
