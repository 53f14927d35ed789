"""What is mixed into a reader's list beside the main readings: hidden repeats and attention checks. Pure.

A repeat shows the same output or outputs under the same labels again, at least a third of the list and the gap of the
study later. Checks stand in equal stretches of the list, none in its first. Main readings keep their order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from annotation.studies.blueprint import AllocationError, Chance, PlannedReading
from annotation.studies.ordering import smallest_gap


def with_repeats(
    readings: Sequence[PlannedReading], n: int, *, gap: int, chance: Chance, reader: str
) -> tuple[PlannedReading, ...]:
    """The list with n of its readings shown again, far from their first time.

    Args:
        readings: main readings in order.
        n: repeats.
        gap: readings wanted between two readings of an item.
        chance: draws which come again, and where.
        reader: for the message.

    Raises:
        AllocationError: the list is too short for so many repeats.
    """
    if not n:
        return tuple(readings)
    far = max(gap, -(-len(readings) // 3))
    near = min(gap, smallest_gap(readings) or gap)
    places: dict[str, list[int]] = {}
    for index, one in enumerate(readings):
        places.setdefault(one.item, []).append(index)
    taken: Counter[int] = Counter()
    again: list[tuple[int, PlannedReading]] = []
    for index in chance.shuffled(list(range(max(0, len(readings) - far + 1)))):
        if len(again) == n:
            break
        one = readings[index]
        if any(one.item == other.item for _, other in again):
            continue
        shut = _too_near([place for place in places[one.item] if place != index], near)
        free = [slot for slot in range(index + far, len(readings) + 1) if slot not in shut]
        if free:
            fresh = [slot for slot in free if not taken[slot]] or free
            slot = fresh[int(chance.draw() * len(fresh))]
            taken[slot] += 1
            again.append((slot, replace(one, role="repeat", replicate=2)))
    if len(again) < n:
        raise AllocationError(
            f"repeats {n}: reader {reader} reads {len(readings)}, of which {len(again)} can come again "
            f"{far} readings later"
        )
    return _inserted(readings, again)


def _too_near(places: Sequence[int], near: int) -> set[int]:
    """Slots (before the main reading of that number) that are fewer than `near` positions from one of the places."""
    return {slot for place in places for slot in range(place - near + 2, place + near)}


def with_checks(
    readings: Sequence[PlannedReading], checks: Sequence[PlannedReading], *, chance: Chance
) -> tuple[PlannedReading, ...]:
    """The list with checks mixed in, one in each of as many stretches of its length, the first stretch longer."""
    if not checks:
        return tuple(readings)
    size = len(readings) / (len(checks) + 1)
    placed = []
    for turn, one in enumerate(chance.shuffled(list(checks)), start=1):
        start, end = round(turn * size), max(round(turn * size), round((turn + 1) * size) - 1)
        placed.append((start + int(chance.draw() * (end - start + 1)), one))
    return _inserted(readings, placed)


def _inserted(
    readings: Sequence[PlannedReading], more: Sequence[tuple[int, PlannedReading]]
) -> tuple[PlannedReading, ...]:
    """Each of `more` before the reading of its place (at the end: after the last), in the block around it."""
    slots: dict[int, list[PlannedReading]] = {}
    for slot, one in more:
        slots.setdefault(slot, []).append(one)
    made: list[PlannedReading] = []
    for index in range(len(readings) + 1):
        around = readings[min(index, len(readings) - 1)].block if readings else 1
        made += [replace(one, block=around) for one in slots.get(index, [])]
        made += readings[index : index + 1]
    return tuple(
        one if one.position == place else replace(one, position=place) for place, one in enumerate(made, start=1)
    )


def first_times(readings: Sequence[PlannedReading]) -> dict[int, int]:
    """Position of each repeat → position of the reading it repeats."""
    seen: dict[tuple[str, tuple[str, ...]], int] = {}
    found = {}
    for one in readings:
        key = (one.item, tuple(shown.output for shown in one.placements))
        if one.role == "repeat":
            found[one.position] = seen[key]
        elif one.role == "main":
            seen[key] = one.position
    return found
