"""A reading design as plain data: who reads which item in which order, under which labels. Pure.

item: what is read. reader: who reads, by code. stratum: "format/task/modality", coarse to fine. system: what made an
output. placement: one output under a label at a side. All of it is drawn once from a seed and stored.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Literal, TypeVar

OutputsPerReading = Literal["one", "all", "pair"]
Entry = TypeVar("Entry")

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USUAL = {"assignment": "even", "anchors": (), "role": "main", "replicate": 1}


class AllocationError(ValueError):
    """A design that cannot be drawn; the message names the numbers that stand against it."""


@dataclass(frozen=True, kw_only=True)
class DesignItem:
    """An item to be read.

    Attributes:
        key: key of the item.
        stratum: path from coarse to fine, "format/task/modality"; balanced at every level.
        cluster: key of what belongs together (case, shared input image).
        outputs: system → output key; a system without a readable output is absent.
    """

    key: str
    stratum: str
    cluster: str
    outputs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DesignReader:
    """A reader and the most items that they read (None: no limit). A reader reads all outputs of an item."""

    key: str
    cap: int | None = None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One output in a reading: its label, its side (1 is leftmost), and what it is."""

    label: str
    side: int
    system: str
    output: str


@dataclass(frozen=True, kw_only=True)
class PlannedReading:
    """One place in a reader's list.

    Attributes:
        position: from 1.
        block: from 1; a pass through the items with one output per reading, a quarter of the list otherwise.
        item: key of the item.
        placements: outputs from left to right.
        role: main, repeat, training, attention or pilot; only main readings enter results.
        replicate: 1, and 2 for a repeat.
    """

    position: int
    block: int
    item: str
    placements: tuple[Placement, ...]
    role: str = "main"
    replicate: int = 1


@dataclass(frozen=True, kw_only=True)
class Design:
    """The stored design.

    Attributes:
        seed: what it was drawn from.
        readers_per_item: k.
        outputs_per_reading: "one", "all" or "pair".
        gap: readings wanted between two readings of an item by one reader (not with "all").
        items: item key → (stratum, cluster).
        readings: reader → ordered readings, readers in order of their keys.
        assignment: plan by which readers were given items.
        anchors: keys of the items that all readers read as anchors.
    """

    seed: int
    readers_per_item: int
    outputs_per_reading: OutputsPerReading
    gap: int
    items: Mapping[str, tuple[str, str]]
    readings: Mapping[str, tuple[PlannedReading, ...]]
    assignment: str = "even"
    anchors: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Plain values for JSON; what is as usual is left out, so that earlier designs keep their checksum."""
        data = asdict(self)
        for one in [data, *(one for readings in data["readings"].values() for one in readings)]:
            for name, usual in _USUAL.items():
                if one.get(name) == usual:
                    del one[name]
        return data

    def digest(self) -> str:
        """sha256 of the canonical JSON: equal for equal designs, byte for byte."""
        text = json.dumps(self.as_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Chance:
    """Seeded draws whose values depend only on `random()`, which Python promises never to change."""

    def __init__(self, *parts: object) -> None:
        self._random = Random("/".join(str(part) for part in parts))  # noqa: S311 balance, not secrecy

    def draw(self) -> float:
        return self._random.random()

    def shuffled(self, entries: list[Entry]) -> list[Entry]:
        """A new list in random order (Fisher and Yates)."""
        mixed = list(entries)
        for last in range(len(mixed) - 1, 0, -1):
            other = int(self.draw() * (last + 1))
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed
