"""Nothing of an original but its pixels and display facts reaches the stored file."""

import gzip
import io
import re
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file

from annotation.imaging.deidentify import Cleaned, clean
from annotation.imaging.dicom_writing import ALLOWED
from annotation.imaging.frames import encode_frames
from annotation.imaging.image import Image
from annotation.imaging.reading import read_image
from tests import images

KEY = b"a secret of this installation"
CANARY = "ZEBRA"

HEADER_TEXTS = {
    "PatientName": "PN", "PatientID": "LO", "IssuerOfPatientID": "LO", "PatientBirthName": "PN",
    "PatientMotherBirthName": "PN", "PatientAddress": "LO", "PatientTelephoneNumbers": "SH", "EthnicGroup": "SH",
    "Occupation": "SH", "AdditionalPatientHistory": "LT", "PatientComments": "LT", "OtherPatientIDs": "LO",
    "AccessionNumber": "SH", "StudyID": "SH", "StudyDescription": "LO", "SeriesDescription": "LO",
    "InstitutionName": "LO", "InstitutionAddress": "ST", "InstitutionalDepartmentName": "LO",
    "ReferringPhysicianName": "PN", "PerformingPhysicianName": "PN", "NameOfPhysiciansReadingStudy": "PN",
    "OperatorsName": "PN", "PhysiciansOfRecord": "PN", "RequestingPhysician": "PN", "RequestingService": "LO",
    "StationName": "SH", "DeviceSerialNumber": "LO", "ManufacturerModelName": "LO", "SoftwareVersions": "LO",
    "ProtocolName": "LO", "ImageComments": "LT", "DerivationDescription": "ST", "AdmissionID": "LO",
    "CurrentPatientLocation": "LO", "RequestedProcedureDescription": "LO", "PerformedProcedureStepID": "SH",
    "PerformedProcedureStepDescription": "LO", "CommentsOnThePerformedProcedureStep": "ST",
    "ContrastBolusAgent": "LO", "MedicalRecordLocator": "LO", "ClinicalTrialSubjectID": "LO",
    "WindowCenterWidthExplanation": "LO", "RescaleType": "LO",
}  # fmt: skip


def cleaned(path: Path) -> Cleaned:
    return clean(path, key=KEY)


def reread(part: Cleaned, tmp_path: Path) -> Image:
    path = tmp_path / f"stored{part.suffix}"
    path.write_bytes(part.data)
    return read_image(path)


def assert_no_canary(data: bytes) -> None:
    """Search the bytes, every stream that inflates in them, and both byte orders of 16-bit text."""
    found = [data]
    for match in re.finditer(rb"\x1f\x8b|\x78[\x01\x5e\x9c\xda]", data):
        packer = zlib.decompressobj(47)
        try:
            found.append(packer.decompress(data[match.start() :]))
        except zlib.error:
            continue
    for name in (CANARY, CANARY.lower(), CANARY.title()):
        for text in (name.encode(), name.encode("utf-16-le"), name.encode("utf-16-be")):
            assert all(text not in part for part in found), text


def planted_dicom() -> tuple[pydicom.dataset.FileDataset, int]:
    """A CT with a canary in every place that a header has, and their number."""
    count = 0

    def canary() -> str:
        nonlocal count
        count += 1
        return f"{CANARY}{count:03d}"

    data = images.dicom(images.texture(), RescaleSlope=1, RescaleIntercept=-1024)
    for keyword, kind in HEADER_TEXTS.items():
        data.add_new(pydicom.datadict.tag_for_keyword(keyword), kind, canary())
    nested = images.sequence_item(PatientName=canary(), TextValue=canary())
    nested.ReferencedStudySequence = [images.sequence_item(StudyDescription=canary())]
    data.OriginalAttributesSequence = [nested]
    data.RequestAttributesSequence = [images.sequence_item(ScheduledProcedureStepDescription=canary())]
    block = data.private_block(0x0011, canary(), create=True)
    block.add_new(0x01, "LO", canary())
    block.add_new(0x02, "OB", canary().encode() + b"\0")
    block.add_new(0x03, "SQ", [images.sequence_item(PatientID=canary())])
    data.add_new(0x60000010, "US", 4)
    data.add_new(0x60000022, "LO", canary())
    data.add_new(0x60003000, "OW", canary().encode())
    data.add_new(0x50003000, "OW", canary().encode())
    data.add_new(0x40004000, "LT", canary())
    data.add_new(0xFFFCFFFC, "OB", canary().encode())
    data.PixelData += canary().encode()
    meta = data.file_meta
    meta.SourceApplicationEntityTitle = canary()
    meta.PrivateInformationCreatorUID = "1.2.3.999"
    meta.PrivateInformation = canary().encode()
    meta.ImplementationVersionName = canary()
    data.preamble = (b"MZ" + canary().encode()).ljust(128, b"\0")
    return data, count


def test_no_planted_text_survives_in_dicom(tmp_path: Path):
    data, count = planted_dicom()
    path = images.save_dicom(tmp_path / "a.dcm", data)
    written = set(re.findall(rb"ZEBRA\d{3}", path.read_bytes()))

    part = cleaned(path)

    assert count >= 60
    assert len(written) == count
    assert_no_canary(part.data)
    assert_no_canary(encode_frames(part.image).data)
    assert_no_canary(repr((part.removed, part.case_key, part.risk, part.image)).encode())
    assert part.data[:132] == b"\0" * 128 + b"DICM"
    assert np.array_equal(reread(part, tmp_path).pixels[0], images.texture().astype(int) - 1024)


def test_the_new_dicom_holds_only_the_allow_list_and_says_so(tmp_path: Path):
    data, _ = planted_dicom()

    part = cleaned(images.save_dicom(tmp_path / "a.dcm", data))

    stored = pydicom.dcmread(io.BytesIO(part.data))
    assert {element.keyword for element in stored} <= set(ALLOWED)
    assert stored.PatientIdentityRemoved == "YES"
    assert stored.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert stored.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert {"PatientName", "preamble", "SourceApplicationEntityTitle", "(0011,1001)"} <= set(part.removed)
    assert "RescaleSlope" not in part.removed


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID"])
def test_a_uid_with_a_record_number_in_it_is_not_kept(keyword, tmp_path: Path):
    data = images.dicom(images.texture())
    setattr(data, keyword, "1.2.99999.20031965.4711")

    part = cleaned(images.save_dicom(tmp_path / "a.dcm", data))

    assert b"20031965" not in part.data


def test_uids_and_case_keys_are_the_same_for_the_same_original_and_key(tmp_path: Path):
    first = images.save_dicom(tmp_path / "a.dcm", images.dicom(images.texture(), PatientID="4711"))
    other = images.save_dicom(
        tmp_path / "b.dcm", images.dicom(images.texture(seed=2), PatientID="4711", SOPInstanceUID="1.2.3.4.6")
    )

    one, again, two = cleaned(first), cleaned(first), cleaned(other)
    elsewhere = clean(first, key=b"another installation")

    assert one.data == again.data
    assert one.case_key == two.case_key != elsewhere.case_key
    assert one.series_key == two.series_key
    uids = [pydicom.dcmread(io.BytesIO(part.data)).SOPInstanceUID for part in (one, two, elsewhere)]
    assert len(set(uids)) == 3
    assert all(re.fullmatch(r"2\.25\.\d{1,39}", str(found)) for found in uids)
    with pytest.raises(ValueError, match="key"):
        clean(first, key=b"")


def test_a_file_without_a_patient_has_no_case_key(tmp_path: Path):
    assert cleaned(images.save_dicom(tmp_path / "a.dcm", images.dicom(images.texture()))).case_key is None


FACTS = (
    "unit",
    "bits",
    "signed",
    "data_range",
    "spacing_mm",
    "slice_mm",
    "orientation",
    "window",
    "kind",
    "inverted",
)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm",
        "JPGExtended.dcm", "JPEG2000.dcm", "rtdose.dcm", "liver_1frame.dcm", "image_dfl.dcm",
        "SC_ybr_full_422_uncompressed.dcm", "SC_rgb_rle_2frame.dcm", "ExplVR_BigEnd.dcm", "693_J2KI.dcm",
        "SC_rgb_rle_16bit.dcm",
    ],
)  # fmt: skip
def test_the_stored_dicom_is_the_same_picture(name, tmp_path: Path):
    part = cleaned(Path(get_testdata_file(name, download=False)))

    again = reread(part, tmp_path)

    assert np.array_equal(again.pixels, part.image.pixels)
    assert again.pixels.dtype == part.image.pixels.dtype
    assert [getattr(again, fact) for fact in FACTS] == [getattr(part.image, fact) for fact in FACTS]


def test_a_different_rescale_in_every_frame_survives(tmp_path: Path):
    stored = np.stack([images.texture(seed=seed) for seed in range(2)])
    groups = [
        images.sequence_item(
            PixelValueTransformationSequence=[
                images.sequence_item(RescaleSlope="0.5", RescaleIntercept=str(frame), RescaleType="US")
            ],
            FrameContentSequence=[images.sequence_item(FrameComments="ZEBRA")],
        )
        for frame in range(2)
    ]
    data = images.dicom(stored, Modality="MR", PerFrameFunctionalGroupsSequence=groups)

    part = cleaned(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(reread(part, tmp_path).pixels, part.image.pixels)
    assert not np.array_equal(part.image.pixels[0], stored[0])
    assert_no_canary(part.data)


@pytest.mark.parametrize(
    ("attributes", "burned_in", "risk"),
    [
        ({"BurnedInAnnotation": "YES"}, True, ("burned_in_text",)),
        ({"BurnedInAnnotation": "NO", "Modality": "US"}, False, ()),
        ({"Modality": "US"}, None, ("burned_in_unknown",)),
        ({"SOPClassUID": images.CAPTURE_CLASS}, None, ("burned_in_unknown",)),
        ({"BodyPartExamined": "HEADNECK"}, None, ("face_possible",)),
        ({}, None, ()),
    ],
)
def test_what_may_show_text_or_a_face_is_said(attributes, burned_in, risk, tmp_path: Path):
    part = cleaned(images.save_dicom(tmp_path / "a.dcm", images.dicom(images.texture(), **attributes)))

    assert (part.burned_in, part.risk) == (burned_in, risk)


def planted_raster(path: Path, pixels: np.ndarray, kind: str) -> Path:
    """A picture with the canary in every text channel of its format, and after its end."""
    exif = PIL.Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x9286] = "ZEBRA description", "ZEBRA artist", "ZEBRA user comment"
    profile = bytearray(images.srgb_like_profile("sRGB"))
    at = profile.index("sRGB".encode("utf-16-be"))
    profile[at : at + 10] = "ZEBRA".encode("utf-16-be")
    options: dict = {"exif": exif, "icc_profile": bytes(profile)}
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>ZEBRA</x:xmpmeta>"
    if kind == "PNG":
        info = PIL.PngImagePlugin.PngInfo()
        info.add_text("Author", "ZEBRA")
        info.add_text("Comment", "ZEBRA " * 50, zip=True)
        info.add_itxt("Title", "ZEBRA", zip=True)
        info.add(b"prVt", b"ZEBRA")
        options["pnginfo"] = info
    elif kind == "JPEG":
        options |= {"comment": b"ZEBRA", "xmp": xmp, "quality": 90}
    elif kind == "WEBP":
        options |= {"xmp": xmp, "lossless": True}
    else:
        options["tiffinfo"] = {270: "ZEBRA", 305: "ZEBRA", 315: "ZEBRA", 700: xmp, 65000: "ZEBRA"}
    PIL.Image.fromarray(pixels).save(path, kind, **options)
    with path.open("ab") as stream:
        stream.write(b"<script>ZEBRA</script>")
    return path


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("color", [True, False], ids=["color", "gray"])
def test_no_planted_text_survives_in_a_raster(kind, color, tmp_path: Path):
    pixels = images.photograph() if color or kind == "WEBP" else images.texture(top=255, dtype="uint8")
    path = planted_raster(tmp_path / "a", pixels, kind)
    assert path.read_bytes().count(b"ZEBRA") >= 3

    part = cleaned(path)

    chunks = re.findall(rb"[A-Za-z]{4}", b"".join(part.data[at + 4 : at + 8] for at in _png_chunks(part.data)))
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    assert_no_canary(part.data)
    assert "ICCProfile" in part.removed
    assert "Exif" in part.removed or kind == "TIFF"
    assert_no_canary(repr(part.removed).encode())
    assert np.array_equal(reread(part, tmp_path).pixels, part.image.pixels)
    if kind != "TIFF":
        assert "TrailingBytes" in part.removed


def _png_chunks(data: bytes) -> list[int]:
    places, at = [], 8
    while at < len(data):
        places.append(at)
        at += 12 + struct.unpack_from(">I", data, at)[0]
    assert at == len(data)
    return places


@pytest.mark.parametrize(
    ("pixels", "suffix"),
    [
        (images.ramp(64, 64, top=4095), ".png"),
        (images.texture(top=255, dtype="uint8") > 100, ".png"),
        (np.stack([images.texture(top=65535, seed=seed) for seed in range(3)], axis=-1), ".png"),
        (images.texture().astype(np.float32) / 7, ".tif"),
        (images.texture().astype(np.int32) * 1000, ".tif"),
    ],
    ids=["16 bit", "1 bit", "48 bit", "float", "32 bit"],
)
def test_the_stored_raster_keeps_every_bit(pixels, suffix, tmp_path: Path):
    path = tmp_path / "a"
    if pixels.ndim == 3:
        path.write_bytes(imagecodecs.png_encode(pixels))
    else:
        PIL.Image.fromarray(pixels).save(path, "TIFF" if suffix == ".tif" else "PNG")

    part = cleaned(path)

    again = reread(part, tmp_path)
    assert part.suffix == suffix
    assert np.array_equal(again.pixels[0], pixels)
    assert (again.bits, again.unit, again.data_range) == (part.image.bits, part.image.unit, part.image.data_range)


def test_no_planted_text_survives_in_nifti(tmp_path: Path):
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    texts = {name: b"ZEBRA " + name.encode() for name in ("descrip", "aux_file", "db_name", "intent_name")}
    srow = (-2.0, 0, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)
    raw = images.nifti(
        voxels, slope=2, intercept=-7, spacing=(2, 2, 3), texts=texts, extension=b"ZEBRA in xml".ljust(24), srow=srow
    )
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(raw + b"ZEBRA at the end"))

    part = cleaned(path)

    assert raw.count(b"ZEBRA") == 5
    assert_no_canary(part.data)
    assert set(part.removed) == {"descrip", "aux_file", "db_name", "intent_name", "extension", "TrailingBytes"}
    again = reread(part, tmp_path)
    assert np.array_equal(again.pixels, voxels.transpose(2, 1, 0).astype(int) * 2 - 7)
    assert [getattr(again, fact) for fact in FACTS] == [getattr(part.image, fact) for fact in FACTS]


@pytest.mark.parametrize("kind", ["dicom", "nifti", "png"])
def test_the_stored_form_is_deterministic(kind, tmp_path: Path):
    path = tmp_path / "a"
    if kind == "dicom":
        images.save_dicom(path, images.dicom(images.texture()))
    elif kind == "nifti":
        path.write_bytes(gzip.compress(images.nifti(np.zeros((3, 3, 3), np.int16))))
    else:
        images.save_png(tmp_path / "a.png", images.photograph()).rename(path)

    assert cleaned(path).data == cleaned(path).data


@pytest.mark.parametrize("kind", ["PNG", "NIfTI", "DICOM"])
def test_the_search_itself_finds_text_in_originals_and_in_compressed_streams(kind, tmp_path: Path):
    path = tmp_path / "a"
    if kind == "PNG":
        info = PIL.PngImagePlugin.PngInfo()
        info.add_text("Comment", "ZEBRA " * 50, zip=True)
        PIL.Image.fromarray(images.photograph()).save(path, "PNG", pnginfo=info)
    elif kind == "NIfTI":
        path.write_bytes(gzip.compress(images.nifti(np.zeros((3, 3, 3), np.int16), texts={"descrip": b"ZEBRA"})))
    else:
        images.save_dicom(path, planted_dicom()[0])

    with pytest.raises(AssertionError):
        assert_no_canary(path.read_bytes())
