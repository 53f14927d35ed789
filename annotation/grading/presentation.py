"""What one reading shows, taken from the database through the one door that keeps it blind.

Nothing here selects a system, a submission, a file name or a checksum. A pane has a number, counted from 0:
inputs first, then the reference, then the outputs by place; its number is the only address its picture has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from annotation.assets.models import Asset
from annotation.datasets.models import ItemImage, ItemRevision
from annotation.formats.sections import flat, ordered_sections
from annotation.grading.rules import CriterionRule, Question, ShownOutput
from annotation.studies.models import Criterion, ErrorCode, Reading, ReadingOutput, Study
from annotation.systems.models import OutputPart

INPUT, REFERENCE, OUTPUT = "input", "reference", "output"


@dataclass(frozen=True)
class Part:
    """One part of an output under its label."""

    label: str
    kind: str | None
    text: str | None
    asset_id: UUID | None


@dataclass(frozen=True)
class Pane:
    role: str
    label: str
    asset_id: UUID | None = None
    text: str | None = None
    sections: list[Any] | None = None


@dataclass(frozen=True)
class Presentation:
    revision: ItemRevision
    panes: tuple[Pane, ...]
    outputs: tuple[ShownOutput, ...]


def parts_of_reading(reading: Reading) -> list[Part]:
    """The parts of a reading's outputs, by place: one query."""
    rows = (
        ReadingOutput.objects.filter(reading=reading)
        .order_by("position", "output__parts__position")
        .values_list("label", "output__parts__kind", "output__parts__text", "output__parts__asset_id")
    )
    return [Part(*row) for row in rows]


def parts_of_outputs(labeled: Sequence[tuple[str, UUID]]) -> list[Part]:
    """The parts of outputs that no reading holds yet (a preview), in the order given: one query."""
    rows = OutputPart.objects.filter(output__in=[output for _, output in labeled]).order_by("position")
    found: dict[UUID, list[OutputPart]] = {}
    for row in rows:
        found.setdefault(row.output_id, []).append(row)
    return [
        Part(label, part.kind, part.text, part.asset_id)
        for label, output in labeled
        for part in found.get(output, [])
    ]


def present(revision: ItemRevision, parts: Iterable[Part]) -> Presentation:
    """Panes and outputs of an item with these output parts: one query, for the item's images."""
    images: dict[str, list[UUID]] = {INPUT: [], REFERENCE: []}
    rows = ItemImage.objects.filter(revision=revision).order_by("position").values_list("role", "asset_id")
    for role, asset_id in rows:
        images[role].append(asset_id)
    by_label: dict[str, list[Part]] = {}
    for part in parts:
        by_label.setdefault(part.label, []).append(part)
    panes = [Pane(INPUT, _numbered("Input", place), asset) for place, asset in enumerate(images[INPUT])]
    panes += _reference_panes(revision, images[REFERENCE])
    for label, own in by_label.items():
        panes += _output_panes(label, own)
    outputs = [
        ShownOutput(label, any(p.kind == "image" for p in own), any(p.kind == "text" for p in own))
        for label, own in by_label.items()
    ]
    return Presentation(revision, tuple(panes), tuple(outputs))


def _numbered(word: str, place: int) -> str:
    return word if place == 0 else f"{word} {place + 1}"


def _reference_panes(revision: ItemRevision, assets: list[UUID]) -> list[Pane]:
    sections = report_sections(revision.reference_sections)
    text = None if sections else revision.reference_text or None
    if not assets:
        return [Pane(REFERENCE, "Reference", None, text, sections)] if text or sections else []
    first = Pane(REFERENCE, "Reference", assets[0], text, sections)
    rest = [Pane(REFERENCE, _numbered("Reference", place), asset) for place, asset in enumerate(assets[1:], start=1)]
    return [first, *rest]


def _output_panes(label: str, parts: list[Part]) -> list[Pane]:
    """One pane for an output's text and first image, one more for each further image."""
    assets = [part.asset_id for part in parts if part.kind == "image"]
    texts = [part.text for part in parts if part.kind == "text" and part.text]
    first = Pane(OUTPUT, label, assets[0] if assets else None, "\n\n".join(texts) or None)
    rest = [Pane(OUTPUT, _numbered(label, place), asset) for place, asset in enumerate(assets[1:], start=1)]
    return [first, *rest]


def report_sections(stored: Any) -> list[Any] | None:
    """A sectioned report as [[heading, [[name, text], …]], …] in reading order; None without one."""
    if not isinstance(stored, dict):
        return None
    found = [[heading, [list(line) for line in lines]] for heading, lines in ordered_sections(stored)]
    return found or None


def context_chips(stored: Iterable[Any]) -> list[list[str]]:
    """The item's context as [[name, text], …]."""
    return [[flat(name), flat(text)] for name, text in stored]


def criteria_of(study: Study) -> list[Criterion]:
    """The study's criteria in order, with rubric and anchors: two queries."""
    return list(
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .prefetch_related("anchors")
        .order_by("rubric__study_rubrics__position", "position")
    )


def rule_of(criterion: Criterion) -> CriterionRule:
    rubric = criterion.rubric
    return CriterionRule(
        code=criterion.code,
        label=criterion.label,
        low=rubric.scale_min,
        high=rubric.scale_max,
        step=rubric.scale_step,
        required=criterion.required,
        na_allowed=criterion.na_allowed,
        rationale_at_most=criterion.rationale_at_most,
        formats=tuple(criterion.applies_to_formats),
        needs_image=criterion.needs_image,
        needs_text=criterion.needs_text,
    )


def question_of(shown: Presentation, criteria: Iterable[Criterion], codes: Iterable[ErrorCode]) -> Question:
    return Question(
        format=shown.revision.format,
        outputs=shown.outputs,
        criteria=tuple(rule_of(criterion) for criterion in criteria),
        localizable={code.code: code.localizable for code in codes},
    )


def asset_of_pane(shown: Presentation, number: int) -> Asset:
    """The picture of a pane; 404 for a pane without one and for a number that this reading does not have."""
    if number >= len(shown.panes) or (asset_id := shown.panes[number].asset_id) is None:
        raise Http404("no such pane")
    return get_object_or_404(Asset, pk=asset_id)
