"""Readings that enter no result, as plain data: training first, a pilot, and attention checks for everybody."""

from collections.abc import Mapping
from typing import Protocol

from annotation.studies.allocation import (
    AllocationError,
    DesignItem,
    DesignReader,
    OutputsPerReading,
    Placement,
    PlannedReading,
)
from annotation.studies.allocation import allocate as allocate_graded
from annotation.studies.blueprint import LABELS, Chance
from annotation.studies.models import Enrollment, Study, StudyItem
from annotation.studies.pairing import allocate_pairs

OTHERS_OUTPUT = (StudyItem.Control.UNRELATED, StudyItem.Control.SAME_MODALITY)


class Drawn(Protocol):
    """What a draw knows: items and readers by code, and which outputs an item has."""

    @property
    def items(self) -> dict[str, StudyItem]: ...

    @property
    def readers(self) -> dict[str, Enrollment]: ...

    @property
    def shown(self) -> dict[str, dict[str, str]]: ...


def checks_of(study: Study, inputs: Drawn) -> dict[str, list[PlannedReading]]:
    """Attention checks of every reader: the same cases and systems, side by side in an order of their own.

    Raises:
        AllocationError: a check has nothing to show any more.
    """
    checks: dict[str, list[PlannedReading]] = {reader: [] for reader in inputs.readers}
    for code, row in sorted(inputs.items.items()):
        if row.role != StudyItem.Role.ATTENTION:
            continue
        source = code
        if row.control in OTHERS_OUTPUT and row.partner is not None:
            source = row.partner.item.code
        outputs = inputs.shown.get(source, {})
        if not outputs:
            raise AllocationError(f"attention check {code} has no output to show ({row.control} of {source})")
        systems = Chance(study.seed, "check", code).shuffled(sorted(outputs))
        for reader in inputs.readers:
            own = Chance(study.seed, "check", code, reader).shuffled(systems)
            placed = own if study.outputs_per_reading == Study.Mode.ALL else systems[:1]
            checks[reader].append(_reading(code, placed, outputs, role="attention"))
    return checks


def training_of(study: Study, inputs: Drawn, *, readers: list[str]) -> dict[str, list[PlannedReading]]:
    """Training readings, the same for everybody: the outputs that something is expected of, or the first drawn."""
    planned = []
    for code, row in sorted(inputs.items.items()):
        outputs = inputs.shown.get(code, {})
        if row.role != StudyItem.Role.TRAINING or not outputs:
            continue
        systems = Chance(study.seed, "training", code).shuffled(sorted(outputs))
        if study.outputs_per_reading == Study.Mode.ALL:
            planned.append(_reading(code, systems, outputs, role="training"))
            continue
        asked = [system for system in systems if system in row.expected] or systems[:1]
        planned += [_reading(code, [system], outputs, role="training") for system in asked]
    return {reader: list(planned) for reader in readers}


def pilot_of(study: Study, inputs: Drawn) -> dict[str, list[PlannedReading]]:
    """Pilot readings: every reader reads every pilot item.

    Raises:
        AllocationError: they cannot be drawn.
    """
    items = [
        DesignItem(key=code, stratum=row.stratum, cluster=row.cluster, outputs=inputs.shown[code])
        for code, row in inputs.items.items()
        if row.role == StudyItem.Role.PILOT and len(inputs.shown[code]) >= (2 if study.compares else 1)
    ]
    readers = [DesignReader(key=code) for code in inputs.readers]
    if not items:
        return {reader.key: [] for reader in readers}
    if study.outputs_per_reading == Study.Mode.PAIR:
        design = allocate_pairs(
            items, readers, k=len(readers), seed=study.seed, pairs_per_item=study.pairs_per_item, gap=study.gap
        )
    else:
        mode: OutputsPerReading = "one" if study.outputs_per_reading == Study.Mode.ONE else "all"
        design = allocate_graded(
            items, readers, k=len(readers), seed=study.seed, outputs_per_reading=mode, gap=study.gap, plan="crossed"
        )
    return {reader: [_in_role(one, "pilot") for one in readings] for reader, readings in design.readings.items()}


def _in_role(one: PlannedReading, role: str) -> PlannedReading:
    return PlannedReading(position=one.position, block=1, item=one.item, placements=one.placements, role=role)


def _reading(code: str, systems: list[str], outputs: Mapping[str, str], *, role: str) -> PlannedReading:
    if len(systems) > len(LABELS):
        raise AllocationError(f"item {code} has {len(systems)} outputs, {len(LABELS)} can be labeled")
    placements = tuple(
        Placement(label=LABELS[side], side=side + 1, system=system, output=outputs[system])
        for side, system in enumerate(systems)
    )
    return PlannedReading(position=1, block=1, item=code, placements=placements, role=role)
