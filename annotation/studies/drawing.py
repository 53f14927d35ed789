"""From the rows of a study to the design that `allocation` draws, and from stored readings back to one.

Keys in a design are codes that mean the same in every home: item codes, reader codes, letters. So the same inputs
give the same design and the same hash, whatever identifiers the database made.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db.models import Max

from annotation.studies.allocation import (
    AssignmentPlan,
    Design,
    DesignItem,
    DesignReader,
    OutputsPerReading,
    Placement,
    PlannedReading,
    allocate,
    compose,
)
from annotation.studies.mixing import checks_of, pilot_of, training_of
from annotation.studies.models import Enrollment, Reading, ReadingOutput, Study, StudyItem
from annotation.studies.pairing import allocate_pairs
from annotation.studies.planning import gradable

QUARTERS = 4
APART = 1_000_000


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
    rows = study.study_items.select_related("revision__item", "partner__item")
    items = {row.revision.item.code: row for row in rows}
    partners = {row.partner_id: row.partner.item.code for row in rows if row.partner is not None}
    code_of = partners | {row.revision_id: code for code, row in items.items()}
    readers = active_readers(study)
    outputs: dict[str, UUID] = {}
    contents: dict[str, str] = {}
    shown: dict[str, dict[str, str]] = {code: {} for code in code_of.values()}
    for pk, submission, revision, content in gradable([row.submission for row in systems.values()]).values_list(
        "pk", "submission_id", "revision_id", "content_hash"
    ):
        if revision not in code_of:
            continue
        code, letter = code_of[revision], systems[submission].letter
        key = f"{code}/{letter}"
        outputs[key], shown[code][letter], contents[key] = pk, key, content
    facts: dict[str, Any] = {
        "systems": {row.letter: str(row.submission.system_version) for row in systems.values()},
        "items": {code: row.revision.content_hash for code, row in items.items()},
        "outputs": contents,
    }
    if aside := {code: [row.role, row.control] for code, row in items.items() if row.role != StudyItem.Role.MAIN}:
        facts["aside"] = aside
    return Inputs(items, readers, outputs, shown, facts)


def active_readers(study: Study) -> dict[str, Enrollment]:
    rows = study.enrollments.filter(role=Enrollment.Role.READER, active=True).order_by("reader_code")
    return {str(row.reader_code): row for row in rows}


def draw(study: Study, inputs: Inputs) -> Design:
    """The design of the study's seed, repeats and attention checks mixed in; items without an output take no part.

    Raises:
        AllocationError: it cannot be drawn; the message names the numbers that stand against it.
    """
    items = [
        DesignItem(key=code, stratum=row.stratum, cluster=row.cluster, outputs=inputs.shown[code])
        for code, row in inputs.items.items()
        if row.role == StudyItem.Role.MAIN and len(inputs.shown[code]) >= least_outputs(study)
    ]
    readers = [DesignReader(key=code, cap=row.cap) for code, row in inputs.readers.items()]
    if study.outputs_per_reading == Study.Mode.PAIR:
        design = allocate_pairs(
            items,
            readers,
            k=study.readers_per_item,
            seed=study.seed,
            pairs_per_item=study.pairs_per_item,
            gap=study.gap,
        )
    else:
        design = allocate(
            items,
            readers,
            k=study.readers_per_item,
            seed=study.seed,
            outputs_per_reading=_mode(study),
            gap=study.gap,
            plan=cast(AssignmentPlan, study.assignment),
            anchors=study.anchor_items,
        )
    return compose(design, repeats=study.repeats, checks=checks_of(study, inputs))


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


def draw_first(study: Study, inputs: Inputs, *, pilot: bool) -> dict[str, list[PlannedReading]]:
    """What comes before the main readings: training for whoever has none, then the pilot.

    Raises:
        AllocationError: it cannot be drawn.
    """
    roles = {row.role for row in inputs.items.values()}
    if not roles & {StudyItem.Role.TRAINING, StudyItem.Role.PILOT}:
        return {code: [] for code in inputs.readers}
    trained = study.readings.filter(role=Reading.Role.TRAINING).values("enrollment")
    new = study.enrollments.filter(role=Enrollment.Role.READER, active=True).exclude(pk__in=trained)
    codes = {str(code) for code in new.values_list("reader_code", flat=True)}
    training = training_of(study, inputs, readers=[code for code in inputs.readers if code in codes])
    piloted = pilot_of(study, inputs) if pilot else {}
    return {code: [*training.get(code, []), *piloted.get(code, [])] for code in inputs.readers}


def store(study: Study, inputs: Inputs, readings_of: Mapping[str, Sequence[PlannedReading]]) -> int:
    """Write readings behind those that a reader has; the number of them."""
    last: dict[str, int] = {}
    if study.piloted_at is not None:
        rows = study.readings.order_by().values_list("enrollment__reader_code").annotate(last=Max("position"))
        last = dict(rows)
    readings, places = [], []
    for code, planned in readings_of.items():
        for place, one in enumerate(planned, start=1 + last.get(code, 0)):
            reading = Reading(
                study=study,
                enrollment=inputs.readers[code],
                study_item=inputs.items[one.item],
                position=place,
                role=one.role,
                replicate=one.replicate,
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


def seats_of(study: Study) -> dict[int, tuple[str, int]]:
    """Enrollment → the codes of all who shared its part, oldest first, and its place among them: one query."""
    rows = {row.pk: row for row in study.enrollments.filter(role=Enrollment.Role.READER)}
    followed = {row.replaced_by_id for row in rows.values()}
    found: dict[int, tuple[str, int]] = {}
    for first in (row for row in rows.values() if row.pk not in followed):
        chain = [first]
        while (after := chain[-1].replaced_by_id) is not None and after in rows:
            chain.append(rows[after])
        name = " → ".join(str(row.reader_code) for row in chain)
        found |= {row.pk: (name, place) for place, row in enumerate(chain)}
    return found


def stored(study: Study) -> Design:
    """The main readings of an opened study as they are held: four queries.

    Readers who share one part, because one was replaced, count as one reader here, far apart in time.
    """
    letters = dict(study.study_systems.values_list("submission_id", "letter"))
    items = {
        row.pk: (row.revision.item.code, row.stratum, row.cluster)
        for row in study.study_items.filter(role=StudyItem.Role.MAIN).select_related("revision__item")
    }
    rows = (
        ReadingOutput.objects.filter(reading__study=study, reading__role=Reading.Role.MAIN)
        .exclude(reading__status=Reading.Status.VOID)
        .order_by("reading__enrollment__reader_code", "reading__position", "position")
        .values_list(
            "reading__enrollment",
            "reading__position",
            "reading__study_item",
            "label",
            "position",
            "output__submission",
        )
    )
    found: dict[str, dict[tuple[int, str], list[Placement]]] = {}
    seats = seats_of(study)
    for enrollment, place, study_item, label, side, submission in rows:
        reader, turn = seats[enrollment]
        position = place + turn * APART
        item, letter = items[study_item][0], letters[submission]
        placement = Placement(label=label, side=side + 1, system=letter, output=f"{item}/{letter}")
        found.setdefault(reader, {}).setdefault((position, item), []).append(placement)
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
