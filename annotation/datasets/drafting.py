"""From a record of a file to the rows it would become: an unsaved revision with its pictures."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from annotation.assets.services import deidentification_key
from annotation.datasets.content import ImagePlace, revision_hash
from annotation.datasets.known import (
    CHANGED_BY_IMPORT,
    INPUT_NAMES,
    KnownItem,
    content_keys,
    input_names_digest,
    place_hints,
)
from annotation.datasets.models import ItemRevision
from annotation.datasets.pictures import Picture, Pictures
from annotation.formats.problems import Problem
from annotation.formats.records import OPTIONS_UNKNOWN, Aliases, ItemRecord, text_key
from annotation.imaging.fingerprint import keyed_hash
from annotation.imaging.image import ImageError
from annotation.people.models import User

# What a file may leave out without taking it back: a blank keeps what the item states already.
KEPT_WHEN_BLANK = ("declared_subtask", "observed_subtask", "source", "license", "synopsis", "why_selected")


@dataclass(slots=True)
class ItemDraft:
    """One line, read and with its pictures taken, before it is known which item it means."""

    record: ItemRecord
    pictures: list[tuple[str, int, Picture]]  # role, position, picture
    contents: list[Hashable]
    place_hints: frozenset[Hashable]

    @property
    def aliases(self) -> Aliases:
        return self.record.aliases

    @property
    def where(self) -> str:
        return f"{self.record.file}:{self.record.line}"

    @property
    def image_places(self) -> list[ImagePlace]:
        return [(role, position, picture.sha256) for role, position, picture in self.pictures]

    @property
    def twin_key(self) -> Hashable:
        """Question, answer and pictures alone: two lines that share them are probably one item twice."""
        shown = tuple(picture.sha256 for _, _, picture in self.pictures)
        return text_key(self.record.instruction), text_key(self.record.reference_text), shown

    def case_key(self) -> str:
        """Keyed hash of the case: as the file names it, else of the patient of the first picture that has one."""
        if self.record.case_key:
            return keyed_hash(self.record.case_key.strip(), key=deidentification_key(), purpose="case")
        return next((picture.case_key for _, _, picture in self.pictures if picture.case_key), "")


def draft_item(record: ItemRecord, pictures: Pictures) -> ItemDraft | Problem:
    """Take the pictures of a record; a picture that cannot be decoded refuses the line by its name."""
    taken: list[tuple[str, int, Picture]] = []
    for role, paths in (("input", record.input_images), ("reference", record.reference_images)):
        for position, path in enumerate(paths):
            try:
                taken.append((role, position, pictures.take(path)))
            except ImageError as problem:
                field = "input_image" if role == "input" else "ground_truth_image"
                return Problem(record.file, record.line, field, path.name, f"{problem.reason}: {problem.message}")
    inputs, references = (
        [picture.pixel_digest for role, _, picture in taken if role == wanted] for wanted in ("input", "reference")
    )
    hints = place_hints(record.instruction, inputs)
    return ItemDraft(record, taken, content_keys(record, inputs, references), hints)


def draft_revision(draft: ItemDraft, known: KnownItem | None, *, author: User | None) -> ItemRevision:
    """The revision this line states, unsaved and without its item when that is new.

    For a known item, what the line leaves blank is taken from the revision an earlier file stated.
    """
    record = draft.record
    stated = _stated_fields(record)
    if known is not None:
        stated |= {name: getattr(known.stated, name) for name in KEPT_WHEN_BLANK if not stated[name]}
        if record.redistributable == "unknown":
            stated["redistributable"] = known.stated.redistributable
        if OPTIONS_UNKNOWN in record.notes and known.stated.choices:
            stated["choices"] = known.stated.choices
            stated["notes"] = [note for note in record.notes if note != OPTIONS_UNKNOWN]
        if record.reference_sections is None and record.reference_text == known.stated.reference_text:
            stated["reference_sections"] = known.stated.reference_sections
        stated["raw_terms"] = known.stated.raw_terms | stated["raw_terms"]
    revision = ItemRevision(author=author, **stated)
    if known is not None:
        revision.item_id, revision.number, revision.reason = known.item.pk, known.newest + 1, CHANGED_BY_IMPORT
    revision.content_hash = revision_hash(revision, draft.image_places)
    return revision


def _stated_fields(record: ItemRecord) -> dict[str, Any]:
    raw_terms = dict(record.raw_terms)
    names = input_names_digest([path.name for path in record.input_images])
    if names:
        raw_terms[INPUT_NAMES] = names
    return {
        "instruction": record.instruction,
        "reference_text": record.reference_text,
        "reference_sections": record.reference_sections,
        "choices": list(record.choices),
        "context": [list(pair) for pair in record.context],
        "format": record.format,
        "task": record.task,
        "modality": record.modality or "",
        "declared_subtask": record.declared_subtask,
        "observed_subtask": record.observed_subtask,
        "raw_terms": raw_terms,
        "source": record.source,
        "license": record.license,
        "redistributable": record.redistributable,
        "synopsis": record.synopsis,
        "why_selected": record.why_selected,
        "notes": list(record.notes),
        "is_fixture": record.is_fixture,
    }
