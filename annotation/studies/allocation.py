"""Balanced assignment of readers, order and labels: drawn once from a seed, then stored. Pure.

`allocate` draws the design, `balance_report` counts it.
"""

from collections.abc import Sequence

from annotation.studies.assignment import assign_readers
from annotation.studies.blueprint import (
    LABELS,
    AllocationError,
    Chance,
    Design,
    DesignItem,
    DesignReader,
    OutputsPerReading,
    Placement,
    PlannedReading,
)
from annotation.studies.counting import BalanceReport, BalanceTable, balance_report
from annotation.studies.ordering import Circle, order_all, order_one


def allocate(
    items: Sequence[DesignItem],
    readers: Sequence[DesignReader],
    *,
    k: int,
    seed: int,
    outputs_per_reading: OutputsPerReading,
    gap: int = 20,
) -> Design:
    """Draw a design. The same inputs, in any order, give the same design byte for byte.

    Every item is read by k readers, each of whom reads all its outputs: side by side, or one at a time with as
    many readings between them as `gap` asks and the list allows. Counts reader × stratum (at every level of the
    path), system × reader, system × label and system × block differ by at most 1 where caps and missing
    outputs allow; `balance_report` says how far they do.

    Args:
        items: what is read, each with at least one output.
        readers: who reads.
        k: readers per item.
        seed: stored with the study.
        outputs_per_reading: "one" or "all".
        gap: readings wanted between two readings of an item by one reader.

    Raises:
        AllocationError: nothing to read or nobody to read it, a key that occurs twice, an item without output
            or with more outputs than labels, k or caps that cannot be met, a gap below 0.
    """
    _check(items, readers, outputs_per_reading, gap)
    ordered = sorted(items, key=lambda item: (item.stratum.split("/"), item.key))
    people = sorted(readers, key=lambda reader: reader.key)
    teams = assign_readers(ordered, people, k=k, seed=seed)
    systems = sorted({system for item in ordered for system in item.outputs})
    circle = Circle(systems=Chance(seed, "systems").shuffled(systems))
    readings = {}
    for person in people:
        own = [item for item in ordered if person.key in teams[item.key]]
        chance = Chance(seed, "order", person.key)
        if outputs_per_reading == "all":
            readings[person.key] = tuple(order_all(own, circle=circle, chance=chance))
        else:
            readings[person.key] = tuple(order_one(own, gap=gap, circle=circle, chance=chance))
    return Design(
        seed=seed,
        readers_per_item=k,
        outputs_per_reading=outputs_per_reading,
        gap=gap,
        items={item.key: (item.stratum, item.cluster) for item in ordered},
        readings=readings,
    )


def _check(items: Sequence[DesignItem], readers: Sequence[DesignReader], outputs_per_reading: str, gap: int) -> None:
    if not items:
        raise AllocationError("there is no item to read")
    if not readers:
        raise AllocationError("there is no reader")
    if outputs_per_reading not in ("one", "all"):
        raise AllocationError(f"outputs per reading {outputs_per_reading!r} is neither one nor all")
    if gap < 0:
        raise AllocationError(f"gap {gap} is below 0")
    for kind, keys in (("item", [item.key for item in items]), ("reader", [reader.key for reader in readers])):
        twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
        if twice:
            raise AllocationError(f"{kind} {twice[0]} occurs twice")
    for item in items:
        if not item.outputs:
            raise AllocationError(f"item {item.key} has no output to read")
        if outputs_per_reading == "all" and len(item.outputs) > len(LABELS):
            raise AllocationError(f"item {item.key} has {len(item.outputs)} outputs, {len(LABELS)} can be labeled")


__all__ = [
    "AllocationError",
    "BalanceReport",
    "BalanceTable",
    "Design",
    "DesignItem",
    "DesignReader",
    "OutputsPerReading",
    "Placement",
    "PlannedReading",
    "allocate",
    "balance_report",
]
