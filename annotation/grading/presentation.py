"""What one reading shows, taken from the database through the one door that keeps it blind.

Nothing here selects a system, a submission, a file name or a checksum. A pane has a number, counted from 0:
inputs first, then the reference, then the outputs by place; its number is the only address its picture has.

What a reading shows and what a study asks never change once the study is open, so both are kept for a while in the
process; who may see them is asked of the database every time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404

from annotation.assets.models import Asset
from annotation.assets.quarantine import held_among
from annotation.datasets.models import ItemImage, ItemRevision
from annotation.formats.sections import flat, ordered_sections
from annotation.grading.rules import CriterionRule, Question, ShownOutput
from annotation.studies.models import Criterion, ErrorCode, StudyItem
from annotation.systems.models import OutputPart

INPUT, REFERENCE, OUTPUT = "input", "reference", "output"
READINGS_KEPT, STUDIES_KEPT = 512, 32
SHUT = "An image here may show identifying text and is not shown until a curator has looked at it. Take another one."


@dataclass(frozen=True)
class Pane:
    role: str
    label: str
    asset: Asset | None = None
    text: str | None = None
    sections: list[Any] | None = None
    output: UUID | None = None


@dataclass(frozen=True)
class Presentation:
    """What a reading shows; `asks` is the item whose instruction and choices stand above it, its own or another's."""

    revision: ItemRevision
    panes: tuple[Pane, ...]
    outputs: tuple[ShownOutput, ...]
    asks: ItemRevision

    def asset_of(self, number: int) -> Asset:
        """The picture of a pane; 404 for a pane without one and for a number that is not shown."""
        if number >= len(self.panes) or (asset := self.panes[number].asset) is None:
            raise Http404("no such pane")
        return asset


def is_shut(shown: Presentation) -> bool:
    """Whether a picture of it is in quarantine: one query, asked anew every time, since a curator may change it."""
    return bool(held_among(pane.asset.pk for pane in shown.panes if pane.asset is not None))


def refuse_shut(shown: Presentation) -> None:
    """Let nobody see a case of which a picture is in quarantine.

    Raises:
        PermissionDenied: with words for a reader.
    """
    if is_shut(shown):
        raise PermissionDenied(SHUT)


@dataclass(frozen=True)
class Sheet:
    """What a study asks: its criteria in order and the error codes."""

    criteria: tuple[Criterion, ...]
    codes: tuple[ErrorCode, ...]


@lru_cache(maxsize=READINGS_KEPT)
def presented(reading: UUID) -> Presentation:
    """What a reading shows: three queries, or none when it was shown lately."""
    item = StudyItem.objects.select_related("revision", "partner", "stand_in").get(readings=reading)
    return present_item(item, parts_of_reading(reading))


def present_item(item: StudyItem, parts: Iterable["Labeled"]) -> Presentation:
    """An item as its role shows it: as it is, or as an attention check with something that does not belong to it."""
    pictures = item.revision
    if item.control == StudyItem.Control.IMAGE_SHUFFLE and item.partner is not None:
        pictures = item.partner
    shown = present(item.revision, parts, pictures=pictures)
    if item.control == StudyItem.Control.INSTRUCTION_SHUFFLE and item.partner is not None:
        return replace(shown, asks=item.partner)
    return _blanked(shown, item.stand_in) if item.control == StudyItem.Control.BLANK and item.stand_in else shown


def _blanked(shown: Presentation, blank: Asset) -> Presentation:
    """With a blank picture for those of the outputs, or of the input where outputs are texts."""
    of_outputs = any(pane.role == OUTPUT and pane.asset is not None for pane in shown.panes)
    role = OUTPUT if of_outputs else INPUT
    panes = (
        replace(pane, asset=blank) if pane.role == role and pane.asset is not None else pane for pane in shown.panes
    )
    return replace(shown, panes=tuple(panes))


@lru_cache(maxsize=STUDIES_KEPT)
def sheet_of_open(study: UUID) -> Sheet:
    """The sheet of a study that was opened: its rubrics are locked."""
    return sheet_of(study)


Labeled = tuple[str, OutputPart]


def parts_of_reading(reading: UUID) -> list[Labeled]:
    """The parts of a reading's outputs under their labels, by place: one query."""
    rows = (
        OutputPart.objects.filter(output__reading_outputs__reading=reading)
        .annotate(label=F("output__reading_outputs__label"), place=F("output__reading_outputs__position"))
        .select_related("asset")
        .order_by("place", "position")
    )
    return [(row.label, row) for row in rows]


def parts_of_outputs(labeled: Sequence[tuple[str, UUID]]) -> list[Labeled]:
    """The parts of outputs that no reading holds yet (a preview), in the order given: one query."""
    outputs = [output for _, output in labeled]
    found: dict[UUID, list[OutputPart]] = {}
    for row in OutputPart.objects.filter(output__in=outputs).select_related("asset").order_by("position"):
        found.setdefault(row.output_id, []).append(row)
    return [(label, part) for label, output in labeled for part in found.get(output, [])]


def present(
    revision: ItemRevision, parts: Iterable[Labeled], *, pictures: ItemRevision | None = None
) -> Presentation:
    """Panes and outputs of an item with these output parts: one query, for the item's images.

    Args:
        revision: the item.
        parts: of outputs, under their labels.
        pictures: whose input pictures are shown; the item's own if left out.
    """
    source = pictures or revision
    images: dict[str, list[Asset]] = {INPUT: [], REFERENCE: []}
    rows = ItemImage.objects.filter(revision__in={revision, source}).select_related("asset")
    for image in rows.order_by("position"):
        if image.revision_id == (source.pk if image.role == INPUT else revision.pk):
            images[image.role].append(image.asset)
    by_label: dict[str, list[OutputPart]] = {}
    for label, part in parts:
        by_label.setdefault(label, []).append(part)
    panes = [Pane(INPUT, _numbered("Input", place), asset) for place, asset in enumerate(images[INPUT])]
    panes += _reference_panes(revision, images[REFERENCE])
    for label, own in by_label.items():
        panes += _output_panes(label, own)
    outputs = [
        ShownOutput(label, any(p.kind == "image" for p in own), any(p.kind == "text" for p in own))
        for label, own in by_label.items()
    ]
    return Presentation(revision, tuple(panes), tuple(outputs), asks=revision)


def _numbered(word: str, place: int) -> str:
    return word if place == 0 else f"{word} {place + 1}"


def _reference_panes(revision: ItemRevision, assets: list[Asset]) -> list[Pane]:
    sections = report_sections(revision.reference_sections)
    text = None if sections else revision.reference_text or None
    if not assets:
        return [Pane(REFERENCE, "Reference", None, text, sections)] if text or sections else []
    first = Pane(REFERENCE, "Reference", assets[0], text, sections)
    rest = [Pane(REFERENCE, _numbered("Reference", place), asset) for place, asset in enumerate(assets[1:], start=1)]
    return [first, *rest]


def _output_panes(label: str, parts: list[OutputPart]) -> list[Pane]:
    """One pane for an output's text and first image, one more for each further image."""
    assets = [part.asset for part in parts if part.asset is not None]
    texts = [part.text for part in parts if part.kind == "text" and part.text]
    output = parts[0].output_id
    first = Pane(OUTPUT, label, assets[0] if assets else None, "\n\n".join(texts) or None, output=output)
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


def sheet_of(study: UUID) -> Sheet:
    """The criteria of a study in order, with rubric and anchors, and the error codes: three queries."""
    criteria = (
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .prefetch_related("anchors")
        .order_by("rubric__study_rubrics__position", "position")
    )
    return Sheet(tuple(criteria), tuple(ErrorCode.objects.all()))


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


def question_of(shown: Presentation, sheet: Sheet) -> Question:
    return Question(
        format=shown.revision.format,
        outputs=shown.outputs,
        criteria=tuple(rule_of(criterion) for criterion in sheet.criteria),
        localizable={code.code: code.localizable for code in sheet.codes},
    )
