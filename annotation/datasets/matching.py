"""Which item a line means: by an id, else by content and ordinal, else by the place where it stood.

Two lines of one file are never one item. An id decides alone. Content pairs the first unpaired line with the
first unpaired item of equal content, in file order and item order. A place (`source_line`) moves when lines
are added, so it decides only for a line that nothing else paired and an item that still shares the
instruction or the input pictures with it.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from annotation.formats.records import SOURCE_LINE, Aliases

Alias = tuple[str, str]


class Known(Protocol):
    """An item that is there already."""

    @property
    def code(self) -> str: ...


class Line(Protocol):
    """A line that looks for its item; `contents` are its content keys, the strictest first."""

    @property
    def aliases(self) -> Aliases: ...

    @property
    def contents(self) -> Sequence[Hashable]: ...

    @property
    def place_hints(self) -> frozenset[Hashable]: ...


K = TypeVar("K", bound=Known)
L = TypeVar("L", bound=Line)


class AmbiguousError(ValueError):
    """A line whose ids cannot be followed; the rule says why."""

    def __init__(self, alias: Alias, rule: str) -> None:
        super().__init__(rule)
        self.alias, self.rule = alias, rule


@dataclass
class Index(Generic[K]):
    """What is known of a dataset: its ids, its contents in item order, what each place's item shares."""

    by_alias: dict[Alias, K] = field(default_factory=dict)
    by_content: dict[Hashable, list[K]] = field(default_factory=lambda: defaultdict(list))
    place_hints: dict[str, frozenset[Hashable]] = field(default_factory=dict)

    def add_content(self, key: Hashable, known: K) -> None:
        self.by_content.setdefault(key, []).append(known)


@dataclass
class Pairing(Generic[K]):
    """The outcome: for each line its item (None: new), or why it is refused."""

    items: dict[int, K] = field(default_factory=dict)
    refused: dict[int, AmbiguousError] = field(default_factory=dict)
    by_id: set[int] = field(default_factory=set)


def pair(lines: Sequence[Line], index: Index[K], *, place_first: bool = False) -> Pairing[K]:
    """Pair the lines of one import with the known items.

    Args:
        lines: all lines of the import, in file order.
        index: what is known.
        place_first: trust places before content; for outputs, whose place hints hold all that content does.
    """
    pairing: Pairing[K] = Pairing()
    claimed: dict[str, int] = {}
    _pair_by_id(lines, index, pairing, claimed)
    if place_first:
        _pair_by_place(lines, index, pairing, claimed)
    levels = max((len(line.contents) for line in lines), default=0)
    for level in range(levels):
        _pair_by_content(lines, index, pairing, claimed, level)
    _pair_by_place(lines, index, pairing, claimed)
    return pairing


def strong(aliases: Iterable[Alias]) -> list[Alias]:
    """The ids that name an item, without the places where it stood."""
    return [alias for alias in aliases if alias[0] != SOURCE_LINE]


def _pair_by_id(lines: Sequence[Line], index: Index[K], pairing: Pairing[K], claimed: dict[str, int]) -> None:
    used: dict[Alias, int] = {}
    for number, line in enumerate(lines):
        ids = strong(line.aliases)
        taken = next((alias for alias in ids if alias in used), None)
        if taken is not None:
            pairing.refused[number] = AmbiguousError(taken, "the id stands already in an earlier line of this import")
            continue
        used.update(dict.fromkeys(ids, number))
        named = {known.code: known for alias in ids if (known := index.by_alias.get(alias)) is not None}
        if len(named) > 1:
            rule = f"its ids name several items: {', '.join(sorted(named))}"
            pairing.refused[number] = AmbiguousError(ids[0], rule)
            continue
        for code, known in named.items():
            if code in claimed:
                rule = f"the id names {code}, which an earlier line of this import names too"
                pairing.refused[number] = AmbiguousError(ids[0], rule)
            else:
                claimed[code] = number
                pairing.items[number] = known
                pairing.by_id.add(number)


def _open_lines(lines: Sequence[Line], pairing: Pairing[K]) -> list[tuple[int, Line]]:
    return [
        (number, line)
        for number, line in enumerate(lines)
        if number not in pairing.items and number not in pairing.refused
    ]


def _pair_by_content(
    lines: Sequence[Line], index: Index[K], pairing: Pairing[K], claimed: dict[str, int], level: int
) -> None:
    waiting: dict[Hashable, list[K]] = {}
    for number, line in _open_lines(lines, pairing):
        if level >= len(line.contents) or line.contents[level] not in index.by_content:
            continue
        key = line.contents[level]
        if key not in waiting:
            waiting[key] = [known for known in reversed(index.by_content[key]) if known.code not in claimed]
        while waiting[key]:
            known = waiting[key].pop()
            if known.code not in claimed:
                claimed[known.code] = number
                pairing.items[number] = known
                break


def _pair_by_place(lines: Sequence[Line], index: Index[K], pairing: Pairing[K], claimed: dict[str, int]) -> None:
    for number, line in _open_lines(lines, pairing):
        for alias in line.aliases:
            known = index.by_alias.get(alias) if alias[0] == SOURCE_LINE else None
            if known is None or known.code in claimed:
                continue
            if line.place_hints & index.place_hints.get(known.code, frozenset()):
                claimed[known.code] = number
                pairing.items[number] = known
                break
