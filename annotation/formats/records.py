"""What a reader hands over: one benchmark item or one output of a system, as found in one line.

Texts are kept exactly as they stand in the file; they are normalized only inside keys. Identity is content: ids
from files are aliases.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Aliases = tuple[tuple[str, str], ...]
Redistributable = Literal["yes", "no", "unknown"]
OutputStatus = Literal["ok", "empty", "declined", "error", "missing"]

SAMPLE_ID, SOURCE_LINE = "sample_id", "source_line"

OPTIONS_UNKNOWN = "options_unknown"
ANSWER_INDEX_RESOLVED = "answer_index_resolved"
CONTACT_SHEET_IGNORED = "contact_sheet_ignored"
SUBTASKS_DIFFER = "subtasks_differ"
SUB_CATEGORY_DIFFERS = "sub_category_differs"
MODALITY_UNMAPPED = "modality_unmapped"
NO_INPUT_IMAGE = "no_input_image"
SEVERAL_INPUTS = "several_inputs"
ID_TWIN = "id_twin"

NOTES: Mapping[str, str] = {
    OPTIONS_UNKNOWN: "The options of this multiple-choice item are not in the file.",
    ANSWER_INDEX_RESOLVED: "The answer was an index; it was resolved against the options, counting from 0.",
    CONTACT_SHEET_IGNORED: "A contact sheet stood beside the single images; the single images were taken.",
    SUBTASKS_DIFFER: "The declared and the observed subtask differ.",
    SUB_CATEGORY_DIFFERS: "The sub-category names another task than paper_task; paper_task was taken.",
    MODALITY_UNMAPPED: "The modality is not one of the known spellings; a curator has to map it.",
    NO_INPUT_IMAGE: "The record names no input image.",
    SEVERAL_INPUTS: "More than one input image in a format that has one.",
    ID_TWIN: "The id differs from that of an earlier line only in case or Unicode form.",
}


@dataclass(frozen=True, slots=True)
class MatchKeys:
    """What pairs an output with its item when no id does.

    Attributes:
        instruction: `text_key` of the instruction; "" when the record has none.
        answer: `text_key` of the reference text, derived as for items.
        input_names: base names of the input images in order, without folders.
    """

    instruction: str
    answer: str
    input_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One benchmark item as a file states it.

    Attributes:
        file: name of the file inside the package.
        line: line number from 1; the row number in a parquet file.
        layout: canonical, eval_view, inference, evaluated or parquet.
        instruction: never blank.
        format: canonical format code.
        task: canonical task code; its format is `format`.
        aliases: (scheme, value) of every id seen. `sample_id` names an item; `source_line` says where it stood and
            moves when lines are added, so it is a hint for search, weaker than any content.
        reference_text: the expert text; "" when there is none. For nested sections it is `sections_text` of them.
        reference_sections: the nested object as found, or None.
        choices: options in their order; empty when the item has none.
        context: further key-value pairs to show with the instruction.
        raw_terms: the terms as found, under the names of their fields; `format`, `task` and `modality` hold the
            spellings that were mapped.
        declared_subtask: what the authors state; "" when they state none.
        observed_subtask: what the record shows; "" when it says nothing.
        modality: canonical modality code, or None when unmapped (the raw term is in `raw_terms`).
        input_images: existing files inside the package, in order.
        reference_images: existing files inside the package, in order.
        case_key: the case as the file names it; it may identify a patient, so store only a keyed hash of it.
        is_fixture: True for the benchmark's smoke fixtures.
        notes: codes of `NOTES`.
    """

    file: str
    line: int
    layout: str
    instruction: str
    format: str
    task: str
    aliases: Aliases = ()
    reference_text: str = ""
    reference_sections: dict[str, object] | None = None
    choices: tuple[str, ...] = ()
    context: tuple[tuple[str, str], ...] = ()
    raw_terms: Mapping[str, str] = field(default_factory=dict)
    declared_subtask: str = ""
    observed_subtask: str = ""
    modality: str | None = None
    input_images: tuple[Path, ...] = ()
    reference_images: tuple[Path, ...] = ()
    source: str = ""
    license: str = ""
    redistributable: Redistributable = "unknown"
    synopsis: str = ""
    why_selected: str = ""
    case_key: str = ""
    is_fixture: bool = False
    notes: tuple[str, ...] = ()

    @property
    def match(self) -> MatchKeys:
        """The keys by which an output without ids finds this item."""
        return MatchKeys(
            text_key(self.instruction), text_key(self.reference_text), tuple(p.name for p in self.input_images)
        )


@dataclass(frozen=True, slots=True)
class Judgment:
    """A judge's object as found: carried along, never used as a grade.

    Attributes:
        field: the name it had in the record.
        view: with_reference, without_reference, or "" when the field's name does not say.
        status: failed for an empty object (the call failed), otherwise given.
        result: the object as found.
    """

    field: str
    view: Literal["with_reference", "without_reference", ""]
    status: Literal["given", "failed"]
    result: dict[str, object]


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """What a system generated for one item, as a file states it.

    Attributes:
        file, line, layout, aliases: as in `ItemRecord`.
        match: what pairs the output with its item when no alias does.
        format: canonical format code, or "" when the record does not say.
        task: canonical task code, or "".
        text: the generated text as found; "" when there is none or when it was an error message.
        image_paths: existing files inside the package, in order.
        missing_images: image names whose file is not there.
        status: error or declined when the answer fields hold an error message; missing when a named image is not
            there, or when an image editing record names none; empty when there is neither text nor image;
            otherwise ok. Whether an image can be decoded is not decided here.
        error_text: the message, or what is missing.
        raw_response: the system's raw reply as found; an object is given as JSON text.
        is_fixture: True for the benchmark's smoke fixtures, whose outputs are copies of the reference.
        metrics: flat metric values found beside the output, as found.
        judgments: judge objects found beside the output.
        metadata: further fields that are text, number or truth value, such as latency.
        notes: codes of `NOTES`.
    """

    file: str
    line: int
    layout: str
    match: MatchKeys
    aliases: Aliases = ()
    format: str = ""
    task: str = ""
    text: str = ""
    image_paths: tuple[Path, ...] = ()
    missing_images: tuple[str, ...] = ()
    status: OutputStatus = "ok"
    error_text: str = ""
    raw_response: str = ""
    is_fixture: bool = False
    metrics: Mapping[str, object] = field(default_factory=dict)
    judgments: tuple[Judgment, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def text_key(text: str) -> str:
    """Return a text as it enters keys: Unicode NFC, line ends as a line feed, no outer blanks."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


def item_content_key(record: ItemRecord, image_digests: Sequence[str], reference_digests: Sequence[str] = ()) -> str:
    """Return the identity of an item: the SHA-256 of what it says and shows.

    File, line, layout, ids, subtasks, source, license, notes and raw spellings do not enter: the same item in
    another layout or release has the same key. An unmapped modality enters as none.

    Args:
        record: the item.
        image_digests: digest of each input image, in the record's order.
        reference_digests: digest of each reference image, in the record's order.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: the number of digests differs from the number of images of the record.
    """
    for name, digests, images in (
        ("input", image_digests, record.input_images),
        ("reference", reference_digests, record.reference_images),
    ):
        if len(digests) != len(images):
            raise ValueError(f"{len(digests)} {name} digests for {len(images)} {name} images")
    content = {
        "instruction": text_key(record.instruction),
        "reference": text_key(record.reference_text),
        "choices": [text_key(choice) for choice in record.choices],
        "context": [[text_key(name), text_key(value)] for name, value in record.context],
        "format": record.format,
        "task": record.task,
        "modality": record.modality,
        "inputs": list(image_digests),
        "references": list(reference_digests),
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
