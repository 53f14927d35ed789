"""Formats, tasks and modalities: one code each, every spelling seen in the field, and the words on the screen.

Pure data and functions. Spellings are compared after case folding and without blanks, `_`, `-` and typographic
hyphens. An unknown format or task is a problem of its line, never a guess. An unknown modality is kept as found
and waits for a curator. Codes and aliases follow the benchmark's public files; its "Other" bucket is the label of
a chart and no modality.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

VQA, IMAGE_EDITING, MULTIMODAL_GENERATION = "vqa", "image_editing", "multimodal_generation"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the benchmark: what goes in and what comes out."""

    code: str
    label: str
    short: str
    produces_text: bool
    produces_image: bool
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A clinical task; each task belongs to exactly one format."""

    code: str
    label: str
    format: str
    produces: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Modality:
    """A kind of imaging, with its DICOM-style abbreviation (DICOM PS3.3 C.7.3.1.1.1) for narrow places."""

    code: str
    label: str
    abbreviation: str
    aliases: tuple[str, ...]


FORMATS: Mapping[str, Format] = {
    entry.code: entry
    for entry in (
        Format(VQA, "Visual Question Answering", "VQA", True, False, ("VQA", "Visual Question Answering")),
        Format(IMAGE_EDITING, "Image Editing", "Editing", False, True, ("ImageEdit", "ImageEditing", "edit")),
        Format(
            MULTIMODAL_GENERATION,
            "Contextual Multimodal Generation",
            "Generation",
            True,
            True,
            ("MMGeneration", "MultimodalGeneration", "generate", "gen", "CMG", "Contextual Multimodal Generation"),
        ),
    )
}

TASKS: Mapping[str, Task] = {
    entry.code: entry
    for entry in (
        Task("multiple-choice", "Multiple choice", VQA, "option", ("MCQ",)),
        Task("blank-filling", "Blank filling", VQA, "short text", ("fill-in-the-blank",)),
        Task("question-answering", "Question answering", VQA, "free text", ("QA", "open QA")),
        Task("report-generation", "Report generation", VQA, "sectioned text", ("report",)),
        Task("resolution-editing", "Resolution editing", IMAGE_EDITING, "image", ("super-resolution",)),
        Task("contrast-enhancement", "Contrast enhancement", IMAGE_EDITING, "image"),
        Task("noise-reconstruction", "Noise reconstruction", IMAGE_EDITING, "image", ("denoising",)),
        Task("artifact-removal", "Artifact removal", IMAGE_EDITING, "image"),
        Task("anatomical-annotation", "Anatomical annotation", IMAGE_EDITING, "image with marks"),
        Task("style-transfer", "Style transfer", IMAGE_EDITING, "image"),
        Task("disease-prediction", "Disease prediction", MULTIMODAL_GENERATION, "image and text"),
        Task("instruction-editing", "Instruction editing", MULTIMODAL_GENERATION, "image and text"),
        Task("organic-removal", "Organ removal", MULTIMODAL_GENERATION, "image and text", ("organ-removal",)),
        Task(
            "organic-reconstruction",
            "Organ reconstruction",
            MULTIMODAL_GENERATION,
            "image and text",
            ("organ-reconstruction",),
        ),
        Task("3d-to-2d-projection", "3D to 2D projection", MULTIMODAL_GENERATION, "image and text"),
        Task("2d-to-3d-reconstruction", "2D to 3D reconstruction", MULTIMODAL_GENERATION, "image and text"),
    )
}

MODALITIES: Mapping[str, Modality] = {
    entry.code: entry
    for entry in (
        Modality("ct", "CT", "CT", ("CT", "computed tomography")),
        Modality("mri", "MRI", "MR", ("MRI", "Magnetic_Resonance_Imaging", "MR", "magnetic resonance")),
        Modality("us", "Ultrasound", "US", ("Ultrasound", "US", "sonography", "Doppler", "echo")),
        Modality(
            "xr",
            "X-ray / Radiography",
            "CR",
            ("Radiograph", "X-ray", "CR", "DX", "XR", "CXR", "xray", "plain film", "radiography"),
        ),
        Modality("path", "Pathology", "SM", ("Pathology", "histology", "HIS", "WSI", "SM")),
        Modality(
            "photo",
            "Clinical Photography",
            "XC",
            ("Clinical Photo", "XC", "clinical photograph", "clinical photography"),
        ),
    )
}

UNMAPPED_LABEL = "unmapped"
_JOINERS = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")


@lru_cache(maxsize=4096)
def fold(raw: str) -> str:
    """Return the spelling that is compared: NFKC, case-folded, without blanks, `_` and hyphens."""
    return _JOINERS.sub("", unicodedata.normalize("NFKC", raw)).casefold()


def _table(entries: Iterable[Format | Task | Modality]) -> dict[str, str]:
    table: dict[str, str] = {}
    for entry in entries:
        for spelling in (entry.code, entry.label, *entry.aliases):
            if table.setdefault(fold(spelling), entry.code) != entry.code:
                raise ValueError(f"spelling {spelling!r} names both {table[fold(spelling)]} and {entry.code}")
    return table


_FORMAT_CODES = _table(FORMATS.values())
_TASK_CODES = _table(TASKS.values())
_MODALITY_CODES = _table(MODALITIES.values())


def canonical_format(raw: object) -> str | None:
    """Return the format code of any known spelling, or None when the spelling is unknown or not a text."""
    return _FORMAT_CODES.get(fold(raw)) if isinstance(raw, str) else None


def canonical_task(raw: object, format: str | None = None) -> str | None:
    """Return the task code of any known spelling, or None when it is unknown.

    Args:
        raw: the spelling found, such as `3d_to_2d_projection` or `MCQ`.
        format: a canonical format code; when given, a task of another format counts as unknown.
    """
    code = _TASK_CODES.get(fold(raw)) if isinstance(raw, str) else None
    if code is None or (format is not None and TASKS[code].format != format):
        return None
    return code


def canonical_modality(raw: object) -> str | None:
    """Return the modality code of any known spelling; None means unmapped, so keep the raw term."""
    return _MODALITY_CODES.get(fold(raw)) if isinstance(raw, str) else None


def format_label(code: str) -> str:
    """Return the name of a format on the screen; an unknown code is shown as it is."""
    return FORMATS[code].label if code in FORMATS else code


def format_short(code: str) -> str:
    """Return the name of a format for narrow places; an unknown code is shown as it is."""
    return FORMATS[code].short if code in FORMATS else code


def task_label(code: str) -> str:
    """Return the name of a task on the screen; an unknown code is shown as it is."""
    return TASKS[code].label if code in TASKS else code


def modality_label(code: str | None) -> str:
    """Return the name of a modality on the screen; an empty code is "unmapped"."""
    if not code:
        return UNMAPPED_LABEL
    return MODALITIES[code].label if code in MODALITIES else code


def modality_abbreviation(code: str | None) -> str:
    """Return the DICOM-style abbreviation of a modality (CT, MR, US, CR, SM, XC), or "?" when it is unmapped."""
    if not code:
        return "?"
    return MODALITIES[code].abbreviation if code in MODALITIES else code
