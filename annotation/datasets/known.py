"""What a dataset holds already, in the form that matching needs: a handful of queries, no write."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from annotation.assets.services import deidentification_key
from annotation.datasets.matching import Index
from annotation.datasets.models import Dataset, Item, ItemAlias, ItemImage, ItemRevision
from annotation.formats.records import OPTIONS_UNKNOWN, ItemRecord, item_content_key, text_key
from annotation.imaging.fingerprint import keyed_hash

MULTIPLE_CHOICE = "multiple-choice"
CHANGED_BY_IMPORT = "Changed in an imported file."
INPUT_NAMES = "input_names"  # key in raw_terms: keyed hash of the input files' names, for outputs without ids


@dataclass(slots=True)
class KnownItem:
    """An item with the revision its last imported file stated, and the number of its newest revision."""

    item: Item
    stated: ItemRevision
    newest: int
    images: list[tuple[str, int, str, str]] = field(default_factory=list)  # role, position, sha256, pixel digest
    aliases: set[tuple[str, str]] = field(default_factory=set)

    @property
    def code(self) -> str:
        return self.item.code


def load_index(dataset: Dataset) -> Index[KnownItem]:
    """Everything a line of an import may match (four queries)."""
    known = _known_items(dataset)
    index: Index[KnownItem] = Index()
    for item_id, scheme, value in ItemAlias.objects.filter(dataset=dataset).values_list("item", "scheme", "value"):
        if item_id in known:
            known[item_id].aliases.add((scheme, value))
            index.by_alias[scheme, value] = known[item_id]
    for each in known.values():
        add_to_index(index, each)
    return index


def add_to_index(index: Index[KnownItem], known: KnownItem) -> None:
    inputs, references = (
        [digest for role, _, _, digest in known.images if role == wanted] for wanted in ("input", "reference")
    )
    record = stated_record(known.stated, len(inputs), len(references))
    for key in _findable_by(record, inputs, references):
        index.add_content(key, known)
    index.place_hints[known.code] = place_hints(record.instruction, inputs)


def _known_items(dataset: Dataset) -> dict[UUID, KnownItem]:
    items = {item.pk: item for item in Item.objects.filter(dataset=dataset)}
    known: dict[UUID, KnownItem] = {}
    by_revision: dict[UUID, KnownItem] = {}
    revisions = ItemRevision.objects.filter(item__dataset=dataset).order_by("item__number", "number")
    for revision in revisions:
        each = known.get(revision.item_id)
        if each is None:
            known[revision.item_id] = KnownItem(items[revision.item_id], revision, revision.number)
            continue
        each.newest = revision.number
        if revision.reason == CHANGED_BY_IMPORT:
            each.stated = revision
    by_revision = {each.stated.pk: each for each in known.values()}
    images = ItemImage.objects.filter(revision__item__dataset=dataset).order_by("role", "position")
    places = images.values_list("revision", "role", "position", "asset__sha256", "asset__pixel_digest")
    for revision_id, role, position, sha256, digest in places:
        if revision_id in by_revision:
            by_revision[revision_id].images.append((role, position, sha256, digest))
    return known


def stated_record(revision: ItemRevision, n_inputs: int, n_references: int) -> ItemRecord:
    """A stored revision in the form its content key is computed from."""
    return ItemRecord(
        file="",
        line=0,
        layout="",
        instruction=revision.instruction,
        format=revision.format,
        task=revision.task,
        reference_text=revision.reference_text,
        choices=tuple(revision.choices),
        context=tuple((name, value) for name, value in revision.context),
        modality=revision.modality or None,
        input_images=(Path(),) * n_inputs,
        reference_images=(Path(),) * n_references,
        notes=tuple(revision.notes),
    )


def content_keys(record: ItemRecord, inputs: Sequence[str], references: Sequence[str]) -> list[Hashable]:
    """The content keys a line looks for, the strictest first.

    A packaging that dropped the options of multiple-choice items finds the items that have them, and the other
    way round; two items that differ in their options never find each other.
    """
    strict: Hashable = item_content_key(record, inputs, references)
    if record.task != MULTIPLE_CHOICE:
        return [strict]
    without = item_content_key(replace(record, choices=()), inputs, references)
    return [strict, ("any options" if OPTIONS_UNKNOWN in record.notes else "options lost", without)]


def _findable_by(record: ItemRecord, inputs: Sequence[str], references: Sequence[str]) -> list[Hashable]:
    keys: list[Hashable] = [item_content_key(record, inputs, references)]
    if record.task == MULTIPLE_CHOICE:
        without = item_content_key(replace(record, choices=()), inputs, references)
        keys.append(("any options", without))
        if OPTIONS_UNKNOWN in record.notes:
            keys.append(("options lost", without))
    return keys


def place_hints(instruction: str, inputs: Sequence[str]) -> frozenset[Hashable]:
    """What an edited line still shares with its item: the instruction, or the input pictures in order."""
    hints: set[Hashable] = {("instruction", text_key(instruction))}
    if inputs:
        hints.add(("inputs", *inputs))
    return frozenset(hints)


def input_names_digest(names: Sequence[str]) -> str:
    """The names of the input files as one keyed hash: they may name a patient; "" without names."""
    if not names:
        return ""
    return keyed_hash("\0".join(names), key=deidentification_key(), purpose="input names")
