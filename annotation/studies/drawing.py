"""From the rows of a study to the design that `allocation` draws, and from stored readings back to one.

Keys in a design are codes that mean the same in every home: item codes, reader codes, letters. So the same inputs
give the same design and the same hash, whatever identifiers the database made.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotation.studies.allocation import (
    Design,
    DesignItem,
    DesignReader,
    OutputsPerReading,
    Placement,
    PlannedReading,
    allocate,
)
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study, StudyItem
from annotation.studies.pairing import allocate_pairs
from annotation.studies.planning import gradable

QUARTERS = 4


@dataclass(frozen=True)
class Inputs:
    """What a draw depends on, and the rows behind its keys."""

    items: dict[str, StudyItem]
    readers: dict[str, Enrollment]
    outputs: dict[str, UUID]
    shown: dict[str, dict[str, str]]
    facts: dict[str, Any]


def inputs_of(study: Study) -> Inputs:
    """Everything a draw needs: four queries, whatever the size of the study."""
    systems = {
        row.submission_id: row
        for row in study.study_systems.select_related("submission__system_version__system").order_by("letter")
    }
    items = {row.revision.item.code: row for row in study.study_items.select_related("revision__item")}
    code_of = {row.revision_id: code for code, row in items.items()}
    readers = active_readers(study)
    outputs: dict[str, UUID] = {}
    contents: dict[str, str] = {}
    shown: dict[str, dict[str, str]] = {code: {} for code in items}
    for pk, submission, revision, content in gradable([row.submission for row in systems.values()]).values_list(
        "pk", "submission_id", "revision_id", "content_hash"
    ):
        if revision not in code_of:
            continue
        code, letter = code_of[revision], systems[submission].letter
        key = f"{code}/{letter}"
        outputs[key], shown[code][letter], contents[key] = pk, key, content
    facts = {
        "systems": {row.letter: str(row.submission.system_version) for row in systems.values()},
        "items": {code: row.revision.content_hash for code, row in items.items()},
        "outputs": contents,
    }
    return Inputs(items, readers, outputs, shown, facts)


def active_readers(study: Study) -> dict[str, Enrollment]:
    rows = study.enrollments.filter(role=Enrollment.Role.READER, active=True).order_by("reader_code")
    return {str(row.reader_code): row for row in rows}


def draw(study: Study, inputs: Inputs) -> Design:
    """The design of the study's seed; items without an output take no part.

    Raises:
        AllocationError: it cannot be drawn; the message names the numbers that stand against it.
    """
    items = [
        DesignItem(key=code, stratum=row.stratum, cluster=row.cluster, outputs=inputs.shown[code])
        for code, row in inputs.items.items()
        if len(inputs.shown[code]) >= least_outputs(study)
    ]
    readers = [DesignReader(key=code, cap=row.cap) for code, row in inputs.readers.items()]
    if study.outputs_per_reading == Study.Mode.PAIR:
        return allocate_pairs(
            items,
            readers,
            k=study.readers_per_item,
            seed=study.seed,
            pairs_per_item=study.pairs_per_item,
            gap=study.gap,
        )
    return allocate(
        items,
        readers,
        k=study.readers_per_item,
        seed=study.seed,
        outputs_per_reading=_mode(study),
        gap=study.gap,
    )


def least_outputs(study: Study) -> int:
    """How many outputs an item needs to be read: one to be graded, two to be compared."""
    return 2 if study.compares else 1


def _mode(study: Study) -> OutputsPerReading:
    if study.outputs_per_reading == Study.Mode.PAIR:
        return "pair"
    return "one" if study.outputs_per_reading == Study.Mode.ONE else "all"


def design_hash(study: Study, inputs: Inputs, design: Design) -> str:
    """Checksum of what the study shows to whom, in which order: canonical JSON of the design and its inputs."""
    compared = {"pairs_per_item": study.pairs_per_item, "compare_criteria": study.compare_criteria}
    data = {
        "release": [str(study.release), study.release.content_hash],
        "rubrics": [str(row.rubric) for row in study.study_rubrics.select_related("rubric")],
        "caps": {code: row.cap for code, row in inputs.readers.items()},
        "inputs": inputs.facts,
        "design": design.as_data(),
        **({"compared": compared | {"mode": study.outputs_per_reading}} if study.compares else {}),
    }
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def store(study: Study, inputs: Inputs, design: Design) -> int:
    """Write the readings of a design; the number of them."""
    readings, places = [], []
    for code, planned in design.readings.items():
        for one in planned:
            reading = Reading(
                study=study,
                enrollment=inputs.readers[code],
                study_item=inputs.items[one.item],
                position=one.position,
            )
            readings.append(reading)
            places += [
                ReadingOutput(
                    reading=reading,
                    output_id=inputs.outputs[shown.output],
                    label=shown.label,
                    position=shown.side - 1,
                )
                for shown in one.placements
            ]
    Reading.objects.bulk_create(readings, batch_size=1000)
    ReadingOutput.objects.bulk_create(places, batch_size=1000)
    return len(readings)


def stored(study: Study) -> Design:
    """The design of an opened study as its readings hold it: three queries."""
    letters = dict(study.study_systems.values_list("submission_id", "letter"))
    items = {
        row.pk: (row.revision.item.code, row.stratum, row.cluster)
        for row in study.study_items.select_related("revision__item")
    }
    rows = (
        ReadingOutput.objects.filter(reading__study=study)
        .exclude(reading__status=Reading.Status.VOID)
        .order_by("reading__enrollment__reader_code", "reading__position", "position")
        .values_list(
            "reading__enrollment__reader_code",
            "reading__position",
            "reading__study_item",
            "label",
            "position",
            "output__submission",
        )
    )
    found: dict[str, dict[tuple[int, str], list[Placement]]] = {}
    for reader, position, study_item, label, side, submission in rows:
        item, letter = items[study_item][0], letters[submission]
        placement = Placement(label=label, side=side + 1, system=letter, output=f"{item}/{letter}")
        found.setdefault(str(reader), {}).setdefault((position, item), []).append(placement)
    return Design(
        seed=study.seed,
        readers_per_item=study.readers_per_item,
        outputs_per_reading=_mode(study),
        gap=study.gap,
        items={code: (stratum, cluster) for code, stratum, cluster in items.values()},
        readings={reader: _in_order(study, by_place) for reader, by_place in found.items()},
    )


def _in_order(study: Study, by_place: dict[tuple[int, str], list[Placement]]) -> tuple[PlannedReading, ...]:
    """Readings with their block: the time an item is met, or the quarter of the list."""
    met: dict[str, int] = {}
    planned = []
    parts = min(QUARTERS, len(by_place))
    for index, ((position, item), placements) in enumerate(by_place.items()):
        met[item] = met.get(item, 0) + 1
        quarter = index * parts // len(by_place) + 1
        block = quarter if _mode(study) == "all" else met[item]
        planned.append(PlannedReading(position=position, block=block, item=item, placements=tuple(placements)))
    return tuple(planned)
