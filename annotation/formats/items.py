"""A raw record as an item."""

from pathlib import Path

from annotation.formats import taxonomy
from annotation.formats.fields import (
    Source,
    aliases_of,
    answer_of,
    choices_of,
    context_of,
    fixture_of,
    label_of,
    names_of,
    redistributable_of,
    required,
    text_of,
)
from annotation.formats.lines import JsonObject, LineError
from annotation.formats.records import (
    ANSWER_INDEX_RESOLVED,
    CONTACT_SHEET_IGNORED,
    MODALITY_UNMAPPED,
    NO_INPUT_IMAGE,
    OPTIONS_UNKNOWN,
    SEVERAL_INPUTS,
    SUBTASKS_DIFFER,
    ItemRecord,
)
from annotation.formats.terms import Terms, find_terms, require_terms

_INPUT_FIELDS = ("input_images", "input_image", "input_files")
_REFERENCE_FIELDS = ("ground_truth_images", "ground_truth_image", "reference_images", "reference_files")
_CONTACT_SHEET, _CONTACT_SHEET_FOLDER = "labeled_contact_sheet", "vqa_contact_sheets"


def item_record(data: JsonObject, source: Source, line: int) -> ItemRecord:
    """Return the item that one raw record states.

    Args:
        data: the raw record; it is not changed.
        source: the file it stands in.
        line: its line number.

    Raises:
        LineError: a field breaks a rule, a term is unknown, or an image is not in the package.
    """
    terms = require_terms(find_terms(data, source.folder))
    choices = choices_of(data)
    text, sections, was_index = answer_of(data, choices)
    inputs = _images(data, source, _checked_inputs(data))
    modality = _modality(data, terms)
    declared = label_of(data, "paper_subtask", "subtask", "named_subtask", limit=120)
    observed = label_of(data, "observed_subtask", limit=120)
    found = {
        ANSWER_INDEX_RESOLVED: was_index,
        OPTIONS_UNKNOWN: terms.task == "multiple-choice" and not choices,
        CONTACT_SHEET_IGNORED: _names_contact_sheet(data),
        SUBTASKS_DIFFER: bool(declared and observed and declared != observed),
        MODALITY_UNMAPPED: modality is None,
        NO_INPUT_IMAGE: not inputs,
        SEVERAL_INPUTS: len(inputs) > 1 and terms.format != taxonomy.VQA,
    }
    return ItemRecord(
        file=source.file,
        line=line,
        layout=source.layout,
        aliases=aliases_of(data, source, line),
        instruction=required(text_of(data, "instruction"), "instruction"),
        format=terms.format,
        task=terms.task,
        reference_text=text,
        reference_sections=sections,
        choices=choices,
        context=context_of(data),
        raw_terms=terms.raw,
        declared_subtask=declared,
        observed_subtask=observed,
        modality=modality,
        input_images=inputs,
        reference_images=_images(data, source, _REFERENCE_FIELDS),
        source=label_of(data, "source", "source_dataset_label", limit=200),
        license=label_of(data, "license", "licence", limit=120),
        redistributable=redistributable_of(data),
        synopsis=text_of(data, "reviewer_synopsis", "synopsis"),
        why_selected=text_of(data, "selection_summary", "why_selected"),
        case_key=label_of(data, "case_key", "case_id", limit=200),
        is_fixture=fixture_of(data),
        notes=terms.notes + tuple(note for note, is_so in found.items() if is_so),
    )


def _names_contact_sheet(data: JsonObject) -> bool:
    adapter = data.get("eval_adapter")
    if isinstance(adapter, dict) and adapter.get("input_strategy") == _CONTACT_SHEET:
        return True
    single = data.get("input_image")
    return isinstance(single, str) and _CONTACT_SHEET_FOLDER in single.split("/")


def _checked_inputs(data: JsonObject) -> tuple[str, ...]:
    """The fields to take input images from; a contact sheet is never one of them."""
    if not _names_contact_sheet(data):
        return _INPUT_FIELDS
    if not names_of(data, "input_images")[1]:
        raise LineError("input_images", data.get("input_images"), "only a contact sheet is named, not its images")
    return ("input_images",)


def _images(data: JsonObject, source: Source, fields: tuple[str, ...]) -> tuple[Path, ...]:
    field, names = names_of(data, *fields)
    found = []
    for name in names:
        path = source.package.find(name, field)
        if path is None:
            raise LineError(field, name, "image not found")
        found.append(path)
    return tuple(found)


def _modality(data: JsonObject, terms: Terms) -> str | None:
    """The first of `modality` and `canonical_modality` that is known; the raw spelling goes to the raw terms."""
    for name in ("modality", "canonical_modality"):
        raw = data.get(name)
        if raw is not None and not isinstance(raw, str):
            raise LineError(name, raw, "must be text")
        code = taxonomy.canonical_modality(raw)
        if code is not None and isinstance(raw, str):
            terms.raw["modality"] = raw
            return code
    return None
