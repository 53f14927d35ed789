"""Why a picture may carry text in its pixels, as far as its file says: an allow-list of headers cleans no pixel.

Nothing here looks at pixels. A file that is DICOM is asked for what it declares of itself; every other format
declares nothing, so nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

STATED, CAPTURED, ULTRASOUND, KIND, LABEL = "stated", "captured", "ultrasound", "kind", "label"
UNKNOWN, UNLIKELY, DENIED = "unknown", "unlikely", "denied"

SUSPECTED = (STATED, CAPTURED, ULTRASOUND, KIND, LABEL)
"""What makes a picture wait for a person."""
BY_STRENGTH = (STATED, LABEL, ULTRASOUND, CAPTURED, KIND, UNKNOWN, UNLIKELY, DENIED)
"""The strongest first: of two files with the same picture the stronger one counts."""

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ULTRASOUND_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.6.2", "1.2.840.10008.5.1.4.1.1.6.3",
)  # fmt: skip
ULTRASOUND_MODALITIES = frozenset({"US", "IVUS", "BDUS"})
OVERLAID_MODALITIES = frozenset({"OT", "SC", "DOC", "ES", "XC"})
SLIDE_PARTS = frozenset({"LABEL", "OVERVIEW"})


def text_risk(dataset: Dataset) -> str:
    """Why the pixels of a DICOM file may carry text that was drawn into them.

    Args:
        dataset: the original header.

    Returns:
        'stated': Burned In Annotation (0028,0301) is there and does not say NO (PS3.3 C.7.6.1.1).
        'denied': Burned In Annotation is NO.
        Without the attribute: 'label' for a label or overview picture of a slide (value 3 of Image Type
        (0008,0008), PS3.3 C.8.12.4.1.1); 'ultrasound' for a SOP class of ultrasound (PS3.4 B.5) or the modality
        US, IVUS or BDUS (0008,0060); 'captured' for a SOP class of secondary capture or a Conversion Type
        (0008,0064) of the SC equipment module (PS3.3 C.8.6.1); 'kind' for the modality OT, SC, DOC, ES or XC,
        whose devices draw on what they show; 'unlikely' for every other modality; 'unknown' for a file that
        names neither class nor modality.

    References:
        DICOM PS3.15 E.3.1 Clean Pixel Data Option: what a header says about text in pixels is no proof.
    """
    from annotation.imaging import dicom_facts as facts
    from annotation.imaging.dicom_file import text, value

    said = value(dataset, "BurnedInAnnotation")
    if said is not None and str(said).strip():
        return DENIED if str(said).strip().upper() == "NO" else STATED
    sop_class = str(value(dataset, "SOPClassUID") or "")
    modality = facts.modality_of(dataset)
    if _is_slide_part(value(dataset, "ImageType")):
        return LABEL
    if sop_class in ULTRASOUND_CLASSES or modality in ULTRASOUND_MODALITIES:
        return ULTRASOUND
    if is_capture(sop_class) or text(dataset, "ConversionType"):
        return CAPTURED
    if modality in OVERLAID_MODALITIES:
        return KIND
    return UNLIKELY if sop_class or modality else UNKNOWN


def is_capture(sop_class: str) -> bool:
    """Secondary Capture Image Storage or one of its multi-frame siblings .7.1 to .7.4 (PS3.4 B.5)."""
    return sop_class == SECONDARY_CAPTURE or sop_class.startswith(f"{SECONDARY_CAPTURE}.")


def stronger(one: str, other: str) -> str:
    """Of what two files say about the same picture, what makes a person look."""
    return min(one, other, key=BY_STRENGTH.index)


def _is_slide_part(image_type: object) -> bool:
    parts = list(image_type) if isinstance(image_type, Iterable) and not isinstance(image_type, str) else []
    return any(str(part).strip().upper() in SLIDE_PARTS for part in parts[2:3])
