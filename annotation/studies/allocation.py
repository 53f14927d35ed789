"""Balanced assignment of readers, order and labels: drawn once from a seed, then stored. Pure.

`allocate` draws the main readings, `compose` mixes repeats and checks in, `extend` adds items later, `balance_report`
counts what was drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
from annotation.studies.extras import with_checks, with_repeats
from annotation.studies.ordering import Circle, order_all, order_one
from annotation.studies.teams import AssignmentPlan, Teams, choose_teams, teams_of_later


def allocate(
    items: Sequence[DesignItem],
    readers: Sequence[DesignReader],
    *,
    k: int,
    seed: int,
    outputs_per_reading: OutputsPerReading,
    gap: int = 20,
    plan: AssignmentPlan = "even",
    anchors: int = 0,
) -> Design:
    """Draw a design. The same inputs, in any order, give the same design byte for byte.

    Every item is read by k readers, or as its plan says, each of whom reads all its outputs: side by side, or one at
    a time with as many readings between them as `gap` asks and the list allows. Counts reader × stratum (at every
    level of the path), system × reader, system × label and system × block differ by at most 1 where caps and missing
    outputs allow; `balance_report` says how far they do. Balanced incomplete blocks are exact over readers and pairs
    of readers, and as even within strata as blocks can be dealt.

    Args:
        items: what is read, each with at least one output.
        readers: who reads.
        k: readers per item.
        seed: stored with the study.
        outputs_per_reading: "one" or "all".
        gap: readings wanted between two readings of an item by one reader.
        plan: how items get their readers (`teams.choose_teams`).
        anchors: items that everybody reads, under the plan `anchored`.

    Raises:
        AllocationError: nothing to read or nobody to read it, a key that occurs twice, an item without output
            or with more outputs than labels, k or caps that cannot be met, a gap below 0.
    """
    _check(items, readers, outputs_per_reading, gap)
    ordered = sorted(items, key=lambda item: (item.stratum.split("/"), item.key))
    people = sorted(readers, key=lambda reader: reader.key)
    teams = choose_teams(ordered, people, k=k, seed=seed, plan=plan, anchors=anchors)
    return Design(
        seed=seed,
        readers_per_item=len(people) if plan == "crossed" else k,
        outputs_per_reading=outputs_per_reading,
        gap=gap,
        items={item.key: (item.stratum, item.cluster) for item in ordered},
        readings=_readings(ordered, people, teams, seed=seed, mode=outputs_per_reading, gap=gap),
        assignment=plan,
        anchors=teams.anchors,
    )


def _readings(
    ordered: Sequence[DesignItem],
    people: Sequence[DesignReader],
    teams: Teams,
    *,
    seed: int | str,
    mode: str,
    gap: int,
) -> dict[str, tuple[PlannedReading, ...]]:
    systems = sorted({system for item in ordered for system in item.outputs})
    circle = Circle(systems=Chance(seed, "systems").shuffled(systems))
    readings = {}
    for person in people:
        own = [item for item in ordered if person.key in teams.of[item.key]]
        chance = Chance(seed, "order", person.key)
        if mode == "all":
            readings[person.key] = tuple(order_all(own, circle=circle, chance=chance))
        else:
            readings[person.key] = tuple(order_one(own, gap=gap, circle=circle, chance=chance))
    return readings


def compose(
    design: Design, *, repeats: int = 0, checks: Mapping[str, Sequence[PlannedReading]] | None = None
) -> Design:
    """The design with repeats and checks mixed into every list; main readings keep their order.

    Args:
        design: main readings only.
        repeats: of each reader.
        checks: reader → attention checks, in any order.

    Raises:
        AllocationError: a reader's list is too short for the repeats.
    """
    made = {}
    for reader, readings in design.readings.items():
        chance = Chance(design.seed, "repeats", reader)
        longer = with_repeats(readings, repeats, gap=design.gap, chance=chance, reader=reader)
        own = (checks or {}).get(reader, ())
        made[reader] = with_checks(longer, own, chance=Chance(design.seed, "checks", reader))
    return replace(design, readings=made)


def extend(
    design: Design, later: Sequence[DesignItem], readers: Sequence[DesignReader], *, anchors_too: bool = False
) -> Design:
    """Add items that come later: their readings stand behind all others, none of which moves.

    Readers with least items get them, and among these those with least of the stratum.

    Args:
        design: as it was drawn; repeats and checks in it stay.
        later: items that it does not have.
        readers: who reads from now on; a cap counts main items.
        anchors_too: whether everybody reads them.

    Raises:
        AllocationError: an item is there already, or k readers cannot be found below their caps.
    """
    known = sorted(item.key for item in later if item.key in design.items)
    if known:
        raise AllocationError(f"item {known[0]} is in the design already")
    _check(later, readers, design.outputs_per_reading, design.gap)
    ordered = sorted(later, key=lambda item: (item.stratum.split("/"), item.key))
    people = sorted(readers, key=lambda reader: reader.key)
    strata = {item: stratum for item, (stratum, _) in design.items.items()}
    everybody = anchors_too or design.assignment == "crossed"
    k = len(people) if everybody else design.readers_per_item
    teams = teams_of_later(ordered, people, Teams(of=teams_of(design)), strata, k=k, seed=design.seed)
    seed_of_turn = f"{design.seed}/{len(design.items)}"
    added = _readings(ordered, people, teams, seed=seed_of_turn, mode=design.outputs_per_reading, gap=design.gap)
    readings = dict(design.readings)
    for reader, more in added.items():
        before = readings.get(reader, ())
        last = max((one.position for one in before), default=0)
        block = max((one.block for one in before), default=0)
        readings[reader] = (
            *before,
            *(
                replace(one, position=last + place, block=block + one.block)
                for place, one in enumerate(more, start=1)
            ),
        )
    return replace(
        design,
        items={**design.items, **{item.key: (item.stratum, item.cluster) for item in ordered}},
        readings={reader: readings[reader] for reader in sorted(readings)},
        anchors=tuple(sorted([*design.anchors, *(item.key for item in ordered if anchors_too)])),
    )


def teams_of(design: Design) -> dict[str, list[str]]:
    """Item → its readers, of main readings."""
    found: dict[str, set[str]] = {}
    for reader, readings in design.readings.items():
        for one in readings:
            if one.role == "main":
                found.setdefault(one.item, set()).add(reader)
    return {item: sorted(team) for item, team in found.items()}


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
    "AssignmentPlan",
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
    "compose",
    "extend",
    "teams_of",
]
