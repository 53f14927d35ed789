"""A new DICOM file from decoded pixels and an allow-list of display facts."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from annotation.imaging import burned_in
from annotation.imaging import dicom_facts as facts
from annotation.imaging.dicom import DicomPicture
from annotation.imaging.dicom_file import numbers, text, value
from annotation.imaging.fingerprint import keyed_hash, sha256_bytes

IMPLEMENTATION = "2.25.190331277530951274862437302867158126083"
METHOD = "MedGEN allow-list 1"

ALLOWED = (
    "SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber",
    "SliceThickness", "SpacingBetweenSlices", "FrameTime", "CineRate", "ImagePositionPatient",
    "ImageOrientationPatient", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "NumberOfFrames", "Rows", "Columns", "PixelSpacing", "ImagerPixelSpacing", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "RescaleIntercept", "RescaleSlope", "RescaleType", "LossyImageCompression", "Units", "DoseUnits",
    "DoseGridScaling", "SegmentationType", "MaximumFractionalValue", "PerFrameFunctionalGroupsSequence",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "PixelData",
    "FloatPixelData", "DoubleFloatPixelData",
)  # fmt: skip
_ALLOWED = set(ALLOWED)
_OF_MASKED = {"BurnedInAnnotation"}
_CODES = {
    "VOILUTFunction": {"LINEAR", "LINEAR_EXACT", "SIGMOID"},
    "RescaleType": {"HU", "HU_MOD", "OD", "US", "MGML", "Z_EFF", "ED", "EDW", "PCT"},
    "LossyImageCompression": {"00", "01"},
    "Units": {"BQML", "GML", "CNTS", "CPS", "PROPCNTS", "PROPCPS", "NONE"},
    "DoseUnits": {"GY", "RELATIVE"},
    "SegmentationType": {"BINARY", "FRACTIONAL"},
}
_SCALARS = {
    "InstanceNumber": 1, "SliceThickness": 1, "SpacingBetweenSlices": 1, "FrameTime": 1, "CineRate": 1,
    "ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2, "ImagerPixelSpacing": 2,
    "MaximumFractionalValue": 1,
}  # fmt: skip
_INTEGERS = {"InstanceNumber", "CineRate", "MaximumFractionalValue"}
_META = {
    "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID",
    "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID",
}  # fmt: skip
_HEAD = ("HEAD", "BRAIN", "SKULL", "FACE", "ORBIT", "SINUS", "JAW", "NECK")


@dataclass(frozen=True, slots=True)
class CleanedDicom:
    """The new file, names of what it does not hold, keyed identifiers and risks."""

    data: bytes
    removed: tuple[str, ...]
    case_key: str | None
    series_key: str | None
    burned_in: bool | None
    risk: tuple[str, ...]
    text_risk: str


def clean_dicom(picture: DicomPicture, *, key: bytes, masked: bool = False) -> CleanedDicom:
    """Build the stored form of a decoded DICOM file.

    Args:
        picture: header and stored values of the original.
        key: secret for remapped identifiers.
        masked: a person covered the text in the pixels; the file says so by the Clean Pixel Data Option
            (113101, PS3.16 CID 7050) and Burned In Annotation (0028,0301) NO.

    Returns:
        A file with a zeroed preamble, new meta information, the attributes of `ALLOWED` and native pixels.
        UIDs become 2.25 UIDs from a keyed hash, the same for the same original.
    """
    source = picture.dataset
    out = Dataset()
    _identify(out, source, picture, key)
    _copy_facts(out, source, picture)
    _put_rescale(out, picture)
    _put_pixels(out, picture)
    if masked:
        _say_masked(out)
    patient = value(source, "PatientID")
    series = value(source, "SeriesInstanceUID")
    text_risk = burned_in.DENIED if masked else burned_in.text_risk(source)
    return CleanedDicom(
        data=_written(out),
        removed=_removed(source),
        case_key=keyed_hash(str(patient).strip(), key=key, purpose="case") if patient else None,
        series_key=keyed_hash(str(series), key=key, purpose="series") if series else None,
        burned_in={burned_in.STATED: True, burned_in.DENIED: False}.get(text_risk),
        risk=_risk(source, text_risk),
        text_risk=text_risk,
    )


def remapped_uid(uid: str, *, key: bytes) -> str:
    """A UID under 2.25 (PS3.5 B.2) from 128 bits of a keyed hash of `uid`."""
    return f"2.25.{int(keyed_hash(uid, key=key, purpose='uid')[:32], 16)}"


def _identify(out: Dataset, source: Dataset, picture: DicomPicture, key: bytes) -> None:
    known = str(value(source, "SOPClassUID") or "")
    out.SOPClassUID = UID(known if known in UID_dictionary else burned_in.SECONDARY_CAPTURE)
    instance = value(source, "SOPInstanceUID") or sha256_bytes(picture.samples.tobytes())
    out.SOPInstanceUID = UID(remapped_uid(str(instance), key=key))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        original = value(source, keyword)
        if original:
            setattr(out, keyword, UID(remapped_uid(str(original), key=key)))
    modality = facts.modality_of(source)
    if modality:
        out.Modality = modality
    out.PatientIdentityRemoved = "YES"
    out.DeidentificationMethod = METHOD
    out.DeidentificationMethodCodeSequence = [_code("113100", "Basic Application Confidentiality Profile")]


def _say_masked(out: Dataset) -> None:
    out.BurnedInAnnotation = "NO"
    out.DeidentificationMethodCodeSequence.append(_code("113101", "Clean Pixel Data Option"))


def _code(value: str, meaning: str) -> Dataset:
    """An item of a code sequence (PS3.3 Table 8.8-1)."""
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "DCM"
    code.CodeMeaning = meaning
    return code


def _copy_facts(out: Dataset, source: Dataset, picture: DicomPicture) -> None:
    for keyword, count in _SCALARS.items():
        found = numbers(source, keyword)
        if len(found) == count and all(math.isfinite(one) and abs(one) < 1e9 for one in found):
            shown = [int(one) if keyword in _INTEGERS else format_number_as_ds(one) for one in found]
            setattr(out, keyword, shown if count > 1 else shown[0])
    for keyword, codes in _CODES.items():
        found_text = text(source, keyword)
        if found_text in codes:
            setattr(out, keyword, found_text)
    image = picture.image
    if image.spacing_mm is not None and "spacing_at_detector" not in image.flags:
        out.PixelSpacing = [format_number_as_ds(one) for one in image.spacing_mm]
    if image.slice_mm is not None:
        out.SpacingBetweenSlices = format_number_as_ds(image.slice_mm)
    if image.orientation is not None:
        out.ImageOrientationPatient = [format_number_as_ds(float(one)) for one in image.orientation]
    if image.window is not None:
        out.WindowCenter, out.WindowWidth = (format_number_as_ds(one) for one in image.window)
    if "lossy" in image.flags:
        out.LossyImageCompression = "01"


def _put_rescale(out: Dataset, picture: DicomPicture) -> None:
    source, pairs = picture.dataset, picture.pairs
    if "SegmentationType" in out:
        return
    if numbers(source, "DoseGridScaling") and facts.modality_of(source) == "RTDOSE":
        out.DoseGridScaling = format_number_as_ds(pairs[0][0])
        return
    group = facts.group_item(source, "PixelValueTransformationSequence")
    kind = text(source if group is None else group, "RescaleType")
    if len(pairs) > 1:
        out.PerFrameFunctionalGroupsSequence = [_frame_rescale(pair, kind) for pair in pairs]
        return
    declared = group is not None or bool(numbers(source, "RescaleIntercept"))
    if declared or pairs != [(1.0, 0.0)]:
        _set_rescale(out, pairs[0], kind)


def _frame_rescale(pair: tuple[float, float], kind: str | None) -> Dataset:
    group, transformation = Dataset(), Dataset()
    _set_rescale(transformation, pair, kind)
    group.PixelValueTransformationSequence = [transformation]
    return group


def _set_rescale(out: Dataset, pair: tuple[float, float], kind: str | None) -> None:
    out.RescaleSlope, out.RescaleIntercept = (format_number_as_ds(one) for one in pair)
    if kind in _CODES["RescaleType"]:
        out.RescaleType = kind


def _put_pixels(out: Dataset, picture: DicomPicture) -> None:
    samples = picture.samples
    out.NumberOfFrames, out.Rows, out.Columns = (int(side) for side in samples.shape[:3])
    color = samples.ndim == 4
    out.SamplesPerPixel = 3 if color else 1
    out.PhotometricInterpretation = "RGB" if color else "MONOCHROME1" if picture.image.inverted else "MONOCHROME2"
    if color:
        out.PlanarConfiguration = 0
    out.BitsAllocated = samples.dtype.itemsize * 8
    data = np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("<")).tobytes()
    if samples.dtype.kind == "f":
        keyword = "FloatPixelData" if samples.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(out, keyword, data)
        return
    stored = min(picture.bits, out.BitsAllocated)
    out.BitsStored, out.HighBit = stored, stored - 1
    out.PixelRepresentation = int(picture.signed)
    out.add_new("PixelData", "OB" if out.BitsAllocated == 8 else "OW", data + b"\0" * (len(data) % 2))


def _written(out: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = out.SOPClassUID
    meta.MediaStorageSOPInstanceUID = out.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    stream = io.BytesIO()
    file = FileDataset(stream, out, preamble=b"\0" * 128, file_meta=meta)
    unexpected = {element.keyword for element in file} - _ALLOWED - _OF_MASKED
    assert not unexpected, unexpected
    pydicom.dcmwrite(stream, file, enforce_file_format=True)
    return stream.getvalue()


def _removed(source: Dataset) -> tuple[str, ...]:
    names = set(map(_name, source.keys())) - _ALLOWED
    names |= set(map(_name, source.file_meta.keys())) - _META
    if any(getattr(source, "preamble", b"") or b""):
        names.add("preamble")
    return tuple(sorted(names))


def _name(tag: BaseTag) -> str:
    """The standard's keyword, or group and element alone: a private creator's name stays behind."""
    return keyword_for_tag(tag) or f"({tag.group:04x},{tag.element:04x})"


def _risk(source: Dataset, text_risk: str) -> tuple[str, ...]:
    risk: list[Any] = []
    modality = facts.modality_of(source)
    if text_risk == burned_in.STATED:
        risk.append("burned_in_text")
    elif text_risk in burned_in.SUSPECTED:
        risk.append("burned_in_unknown")
    part = text(source, "BodyPartExamined") or ""
    if modality in ("CT", "MR", "PT") and any(word in part for word in _HEAD):
        risk.append("face_possible")
    return tuple(risk)
