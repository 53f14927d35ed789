"""What a design holds, counted: tables with spreads, the smallest gap, a verdict in words for each. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from annotation.studies.blueprint import Design, PlannedReading
from annotation.studies.ordering import smallest_gap

PAIRS = "reader pairs"


@dataclass(frozen=True, kw_only=True)
class BalanceTable:
    """Counts of one kind.

    Attributes:
        name: what is counted.
        rows: what should be equal (readers or systems).
        columns: within what it should be equal.
        counts: (row, column) → count, zeros included.
        spread: largest difference between two rows in one column.
        verdict: the same in words, naming the worst column.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Mapping[tuple[str, str], int]
    spread: int
    verdict: str


@dataclass(frozen=True, kw_only=True)
class BalanceReport:
    """All tables of a design.

    Attributes:
        tables: by name.
        n_items: items.
        n_readings: readings of all readers.
        readers_per_item: fewest and most readers of an item.
        smallest_gap: fewest readings between two readings of an item by one reader, None where no item comes
            twice.
        gap_verdict: the same in words, against the gap wanted.
        n_neighbors_of_one_cluster: readings that follow one of another item of the same cluster.
        balanced: whether every spread but that of reader pairs is at most 1.
    """

    tables: Mapping[str, BalanceTable]
    n_items: int
    n_readings: int
    readers_per_item: tuple[int, int]
    smallest_gap: int | None
    gap_verdict: str
    n_neighbors_of_one_cluster: int
    balanced: bool


def balance_report(design: Design) -> BalanceReport:
    """Count the main readings of a design."""
    main = {reader: tuple(one for one in found if one.role == "main") for reader, found in design.readings.items()}
    design = replace(design, readings=main)
    readers = sorted(design.readings)
    items = {reader: sorted({one.item for one in design.readings[reader]}) for reader in readers}
    per_item = Counter(item for found in items.values() for item in found)
    tables = [
        _reader_table(design, readers, items, "reader × stratum", depth=None),
        _reader_table(design, readers, items, "reader × format", depth=1),
        _reader_table(design, readers, items, "reader × all", depth=0),
        _pair_table(readers, items),
        *(_compared_tables if design.outputs_per_reading == "pair" else _system_tables)(design, readers),
    ]
    gaps = {reader: smallest_gap(design.readings[reader]) for reader in readers}
    known = {reader: gap for reader, gap in gaps.items() if gap is not None}
    worst = min(known, key=lambda reader: known[reader], default=None)
    return BalanceReport(
        tables={table.name: table for table in tables},
        n_items=len(design.items),
        n_readings=sum(len(found) for found in design.readings.values()),
        readers_per_item=(min(per_item.values(), default=0), max(per_item.values(), default=0)),
        smallest_gap=None if worst is None else known[worst],
        gap_verdict=_gap_verdict(design, worst, known, items),
        n_neighbors_of_one_cluster=sum(_neighbors(design, design.readings[reader]) for reader in readers),
        balanced=all(table.spread <= 1 for table in tables if table.name != PAIRS),
    )


def _table(name: str, counts: Counter[tuple[str, str]], rows: Sequence[str], columns: Sequence[str]) -> BalanceTable:
    spread, worst = 0, ""
    for column in columns:
        found = [counts[row, column] for row in rows]
        if found and max(found) - min(found) > spread:
            spread, worst = max(found) - min(found), column
    if spread <= 1:
        verdict = "balanced: counts differ by at most 1" if spread else "balanced: all counts are equal"
    else:
        ordered = sorted(rows, key=lambda row: (counts[row, worst], row))
        low, high = ordered[0], ordered[-1]
        verdict = f"uneven in {worst}: {low} has {counts[low, worst]} and {high} has {counts[high, worst]}"
    return BalanceTable(
        name=name,
        rows=tuple(rows),
        columns=tuple(columns),
        counts={(row, column): counts[row, column] for row in rows for column in columns},
        spread=spread,
        verdict=verdict,
    )


def _reader_table(
    design: Design, readers: Sequence[str], items: Mapping[str, Sequence[str]], name: str, *, depth: int | None
) -> BalanceTable:
    """Items per reader within strata cut at a depth (None: whole path, 0: all together)."""

    def column(item: str) -> str:
        path = design.items[item][0].split("/")
        return "/".join(path if depth is None else path[:depth]) or "all"

    counts = Counter((reader, column(item)) for reader in readers for item in items[reader])
    return _table(name, counts, readers, sorted({column(item) for item in design.items}))


def _pair_table(readers: Sequence[str], items: Mapping[str, Sequence[str]]) -> BalanceTable:
    counts: Counter[tuple[str, str]] = Counter()
    names = []
    for first, second in combinations(readers, 2):
        names.append(f"{first} and {second}")
        counts[names[-1], "shared items"] = len(set(items[first]) & set(items[second]))
    return _table(PAIRS, counts, names, ["shared items"])


def _system_tables(design: Design, readers: Sequence[str]) -> list[BalanceTable]:
    by_reader: Counter[tuple[str, str]] = Counter()
    by_label: Counter[tuple[str, str]] = Counter()
    by_both: Counter[tuple[str, str]] = Counter()
    by_block: Counter[tuple[str, str]] = Counter()
    for reader in readers:
        for reading in design.readings[reader]:
            for shown in reading.placements:
                by_reader[shown.system, reader] += 1
                by_label[shown.system, shown.label] += 1
                by_both[shown.system, f"{reader}, {shown.label}"] += 1
                by_block[shown.system, f"block {reading.block}"] += 1
    systems = sorted({system for system, _ in by_reader})
    named = {
        "system × reader": by_reader,
        "system × label": by_label,
        "system × reader and label": by_both,
        "system × block": by_block,
    }
    return [_table(name, counts, systems, sorted({column for _, column in counts})) for name, counts in named.items()]


def _compared_tables(design: Design, readers: Sequence[str]) -> list[BalanceTable]:
    """Which systems are compared how often, and where they stand; items count once for each reader."""
    pairs: Counter[tuple[str, str]] = Counter()
    by_reader: Counter[tuple[str, str]] = Counter()
    sides: Counter[tuple[str, str]] = Counter()
    sides_by_reader: Counter[tuple[str, str]] = Counter()
    for reader in readers:
        for reading in design.readings[reader]:
            pair = " and ".join(sorted(shown.system for shown in reading.placements))
            pairs[pair, "all"] += 1
            by_reader[pair, reader] += 1
            for shown in reading.placements:
                side = "left" if shown.side == 1 else "right"
                sides[side, shown.system] += 1
                sides_by_reader[side, f"{reader}, {shown.system}"] += 1
    names = sorted({pair for pair, _ in pairs})
    tables = [
        _table("system pair × all", pairs, names, ["all"]),
        _table("system pair × reader", by_reader, names, readers),
    ]
    for name, counts in (("system side", sides), ("system side × reader", sides_by_reader)):
        tables.append(_table(name, counts, ["left", "right"], sorted({column for _, column in counts})))
    return tables


def _gap_verdict(
    design: Design, worst: str | None, gaps: Mapping[str, int], items: Mapping[str, Sequence[str]]
) -> str:
    if worst is None:
        return "no reader meets an item twice"
    if gaps[worst] >= design.gap:
        return f"an item comes back after {gaps[worst]} readings at the earliest, {design.gap} wanted"
    return (
        f"an item comes back after {gaps[worst]} readings for reader {worst}, {design.gap} wanted: "
        f"their list has only {len(items[worst])} items"
    )


def _neighbors(design: Design, readings: Sequence[PlannedReading]) -> int:
    return sum(
        one.item != other.item and design.items[one.item][1] == design.items[other.item][1]
        for one, other in pairwise(readings)
    )
