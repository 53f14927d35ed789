"""Pictures with a name in every header, text and metadata field that their format can carry, and the search for them.

Every name is `ZEBRA` and a number, each used once, so that a test can say how many were planted and where one came
out. UIDs, ages and dates cannot hold letters; theirs are numbers that nothing else has.
"""

import base64
import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.PngImagePlugin
import pydicom
from pydicom.dataset import FileDataset

from tests import images

WORD = "ZEBRA"
RECORD_NUMBER = "20031965"
AGE, BIRTH, STUDY_DATE, STUDY_TIME = "097Y", "19310723", "19991117", "231759.4711"
NUMBERS = (RECORD_NUMBER, AGE, BIRTH, STUDY_DATE, "231759")
XMP = "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>{}</x:xmpmeta>"


@dataclass
class Planter:
    """Gives names, each once, and remembers them."""

    names: list[str] = field(default_factory=list)

    def name(self) -> str:
        self.names.append(f"{WORD}{len(self.names):04d}")
        return self.names[-1]

    def bytes(self) -> bytes:
        return self.name().encode()


DICOM_TEXTS = {
    "PatientName": "PN", "PatientID": "LO", "IssuerOfPatientID": "LO", "PatientBirthName": "PN",
    "PatientMotherBirthName": "PN", "PatientAddress": "LO", "PatientTelephoneNumbers": "SH", "EthnicGroup": "SH",
    "Occupation": "SH", "AdditionalPatientHistory": "LT", "PatientComments": "LT", "OtherPatientIDs": "LO",
    "AccessionNumber": "SH", "StudyID": "SH", "StudyDescription": "LO", "SeriesDescription": "LO",
    "InstitutionName": "LO", "InstitutionAddress": "ST", "InstitutionalDepartmentName": "LO",
    "ReferringPhysicianName": "PN", "PerformingPhysicianName": "PN", "NameOfPhysiciansReadingStudy": "PN",
    "OperatorsName": "PN", "PhysiciansOfRecord": "PN", "RequestingPhysician": "PN", "RequestingService": "LO",
    "StationName": "SH", "DeviceSerialNumber": "LO", "Manufacturer": "LO", "ManufacturerModelName": "LO",
    "SoftwareVersions": "LO", "ProtocolName": "LO", "ImageComments": "LT", "DerivationDescription": "ST",
    "AdmissionID": "LO", "CurrentPatientLocation": "LO", "RequestedProcedureDescription": "LO",
    "PerformedProcedureStepID": "SH", "PerformedProcedureStepDescription": "LO",
    "CommentsOnThePerformedProcedureStep": "ST", "ContrastBolusAgent": "LO", "MedicalRecordLocator": "LO",
    "ClinicalTrialSubjectID": "LO", "WindowCenterWidthExplanation": "LO", "RescaleType": "LO",
}  # fmt: skip


def dicom(plant: Planter) -> FileDataset:
    """Row D13: texts, private tags, nested sequences, overlays, curves, group 4000, padding, file meta, preamble."""
    data = images.dicom(images.texture(40, 44), RescaleSlope=1, RescaleIntercept=-1024)
    for keyword, kind in DICOM_TEXTS.items():
        data.add_new(pydicom.datadict.tag_for_keyword(keyword), kind, plant.name())
    nested = images.sequence_item(PatientName=plant.name(), TextValue=plant.name())
    nested.ReferencedStudySequence = [images.sequence_item(StudyDescription=plant.name())]
    data.OriginalAttributesSequence = [nested]
    data.RequestAttributesSequence = [images.sequence_item(ScheduledProcedureStepDescription=plant.name())]
    block = data.private_block(0x0011, plant.name(), create=True)
    block.add_new(0x01, "LO", plant.name())
    block.add_new(0x02, "OB", plant.bytes() + b"\0")
    block.add_new(0x03, "SQ", [images.sequence_item(PatientID=plant.name())])
    for group in (0x6000, 0x6002):
        data.add_new((group << 16) + 0x0010, "US", 4)
        data.add_new((group << 16) + 0x0022, "LO", plant.name())
        data.add_new((group << 16) + 0x3000, "OW", plant.bytes() + b"\0")
    data.add_new(0x50003000, "OW", plant.bytes() + b"\0")
    data.add_new(0x40004000, "LT", plant.name())
    data.add_new(0xFFFCFFFC, "OB", plant.bytes() + b"\0")
    data.PixelData += plant.bytes() + b"\0"
    data.StudyInstanceUID = f"1.2.99999.{RECORD_NUMBER}.1"
    data.SeriesInstanceUID, data.SOPInstanceUID = f"1.2.99999.{RECORD_NUMBER}.2", f"1.2.99999.{RECORD_NUMBER}.3"
    data.FrameOfReferenceUID = f"1.2.99999.{RECORD_NUMBER}.4"
    data.PatientAge, data.PatientBirthDate = AGE, BIRTH
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = STUDY_DATE
    data.StudyTime = STUDY_TIME
    meta = data.file_meta
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.SourceApplicationEntityTitle, meta.ImplementationVersionName = plant.name(), plant.name()
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = "1.2.3.999", plant.bytes() + b"\0"
    data.preamble = (b"MZ" + plant.bytes()).ljust(128, b"\0")
    return data


def dicom_bytes(plant: Planter) -> bytes:
    out = io.BytesIO()
    pydicom.dcmwrite(out, dicom(plant), enforce_file_format=True)
    return out.getvalue()


def nifti(plant: Planter) -> bytes:
    """Every text of a NIfTI-1 header, two header extensions, bytes after the voxels."""
    texts = {name: plant.bytes() for name in ("descrip", "aux_file", "db_name", "intent_name")}
    voxels = np.arange(600, dtype=np.int16).reshape(10, 12, 5)
    whole = bytearray(
        images.nifti(
            voxels, texts=texts, extension=plant.bytes().ljust(24), srow=(2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0)
        )
    )
    whole[4 : 4 + 9] = plant.bytes()  # data_type, 10 bytes
    return bytes(whole) + plant.bytes()


def nifti_gzip(plant: Planter) -> bytes:
    """The same, and every field of a gzip header: extra field, file name, comment."""
    extra, name, comment = plant.bytes(), plant.bytes() + b".nii\0", plant.bytes() + b"\0"
    body = gzip.compress(nifti(plant), mtime=0)
    field_ = b"ZZ" + struct.pack("<H", len(extra)) + extra
    return b"\x1f\x8b\x08\x1c" + body[4:10] + struct.pack("<H", len(field_)) + field_ + name + comment + body[10:]


def profile(plant: Planter) -> bytes:
    """An sRGB profile with names in its description (ASCII and UTF-16 of the same length as before)."""
    made = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    wide = "sRGB built-in".encode("utf-16-be")
    at = made.index(wide)
    made[at : at + 18] = plant.name().encode("utf-16-be")
    return bytes(made)


def exif(plant: Planter) -> PIL.Image.Exif:
    """Texts of the main directory, of the Exif directory with a maker note, and of GPS."""
    made = PIL.Image.Exif()
    for tag in (0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x8298):
        made[tag] = plant.name()
    own = made.get_ifd(0x8769)
    own[0x927C], own[0x9286], own[0xA430], own[0xA431] = plant.bytes(), plant.bytes(), plant.name(), plant.name()
    own[0x9003] = "1999:11:17 23:17:59"
    place = made.get_ifd(0x8825)
    place[0x001D], place[0x001C] = "1999:11:17", plant.bytes()
    return made


def png(plant: Planter) -> bytes:
    """tEXt, zTXt, iTXt plain and packed, keywords, eXIf, iCCP with its name, tIME, sPLT, private chunks, the end."""
    info = PIL.PngImagePlugin.PngInfo()
    info.add_text("Author", plant.name())
    info.add_text(plant.name(), "keyword")
    info.add_text("Comment", plant.name() * 40, zip=True)
    info.add_itxt("Title", plant.name(), lang="en", tkey=plant.name())
    info.add_itxt("XML:com.adobe.xmp", XMP.format(plant.name()), zip=True)
    info.add(b"prVt", plant.bytes())
    info.add(b"sPLT", plant.bytes() + b"\0\x08" + bytes(6))
    out = io.BytesIO()
    PIL.Image.fromarray(images.photograph(40, 44)).save(out, "PNG", pnginfo=info, exif=exif(plant))
    plain = out.getvalue()
    packed = plant.bytes() + b"\0\0" + zlib.compress(profile(plant))
    chunks = images.png_chunk(b"iCCP", packed) + images.png_chunk(
        b"tIME", struct.pack(">HBBBBB", 1999, 11, 17, 23, 17, 59)
    )
    tail = images.png_chunk(b"teXt", plant.bytes()) + plant.bytes()
    return plain[:33] + chunks + plain[33:] + tail


def jpeg(plant: Planter) -> bytes:
    """COM, APP0 to APP15: JFIF with a thumbnail, Exif, XMP, profile, MPF, Photoshop with IPTC, Adobe, and the end."""
    out = io.BytesIO()
    own = exif(plant)
    PIL.Image.fromarray(images.photograph(40, 44, seed=5)).save(
        out, "JPEG", quality=92, exif=own, icc_profile=profile(plant)
    )
    plain = out.getvalue()
    thumbnail = b"JFIF\0\x01\x02\x00\x00\x48\x00\x48\x03\x01" + plant.bytes()
    iptc = b"\x1c\x02\x78" + struct.pack(">H", 9) + plant.bytes()
    photoshop = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0"
    parts = [
        segment(0xE0, thumbnail),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP.format(plant.name()).encode()),
    ]
    parts += [segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + plant.bytes()), segment(0xED, photoshop)]
    parts += [segment(marker, b"any\0" + plant.bytes()) for marker in (*range(0xE3, 0xED), 0xEF)]
    parts.append(segment(0xFE, plant.bytes()))
    return plain[:2] + b"".join(parts) + plain[2:] + plant.bytes()


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


TIFF_TEXTS = (269, 270, 271, 272, 285, 305, 315, 316, 333, 337, 33432, 65000, 65001, 42112)


def tiff(plant: Planter) -> bytes:
    """Every text tag, private tags, XMP, profile, IPTC, Photoshop, Exif and GPS directories, and the end."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    for tag in TIFF_TEXTS:
        tags[tag] = plant.name()
        tags.tagtype[tag] = 2
    tags[306] = "1999:11:17 23:17:59"
    for tag in (700, 33723, 34377):
        tags[tag] = XMP.format(plant.name()).encode()
        tags.tagtype[tag] = 1
    tags[34665] = {0x927C: plant.bytes(), 0x9286: plant.bytes(), 0xA430: plant.name(), 0xA431: plant.name()}
    tags[34853] = {0x001C: plant.bytes(), 0x001D: "1999:11:17"}
    out = io.BytesIO()
    page = PIL.Image.fromarray(images.photograph(40, 44, seed=6))
    page.save(out, "TIFF", tiffinfo=tags, icc_profile=profile(plant))
    return out.getvalue() + plant.bytes()


def webp(plant: Planter) -> bytes:
    """EXIF, XMP, ICC, unknown chunks, and the end."""
    out = io.BytesIO()
    PIL.Image.fromarray(images.photograph(40, 44, seed=7)).save(
        out,
        "WEBP",
        lossless=True,
        exif=exif(plant),
        icc_profile=profile(plant),
        xmp=XMP.format(plant.name()).encode(),
    )
    plain = out.getvalue()
    chunk = b"ZZZZ" + struct.pack("<I", 10) + plant.bytes() + b"\0"
    whole = plain + chunk
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:] + plant.bytes()


MAKERS = {
    "dicom": dicom_bytes, "nifti": nifti, "nifti packed": nifti_gzip, "png": png, "jpeg": jpeg, "tiff": tiff,
    "webp": webp,
}  # fmt: skip


def forms(word: str) -> list[bytes]:
    """A word as bytes and UTF-16 of both orders; `ZEBRA` also in small letters and in base64, wherever it begins."""
    plain = word.encode()
    found = [plain, word.encode("utf-16-le"), word.encode("utf-16-be")]
    if not word.isalpha() or not word.isupper():
        return found  # a few digits in other forms stand in any long file
    found.append(plain.lower())
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        start, end = (0, 2, 3)[shift], len(coded) - (4 if (shift + len(plain)) % 3 else 0)
        found.append(coded[start:end])
    return found


def expanded(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The bytes, and everything in them that can be unpacked: gzip and zlib streams, archives, deflated data sets."""
    yield data
    if depth == 0:
        return
    for part in _unpacked(data):
        if len(part) > 16:
            yield from expanded(part, depth - 1)


def _unpacked(data: bytes) -> Iterator[bytes]:
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive.comment
            yield from (archive.read(name) for name in archive.namelist())
        return
    for match in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", data):
        unpacker = zlib.decompressobj(47)
        try:
            yield unpacker.decompress(data[match.start() :])
        except zlib.error:
            continue


def hits(data: bytes, words: Iterable[str] = (WORD,)) -> list[str]:
    """Which names stand in the data, in any form, packed or not; with a few bytes around the first."""
    found = []
    for part in expanded(data):
        for word in words:
            for form in forms(word):
                at = part.find(form)
                if at >= 0:
                    found.append(f"{word}: {part[max(0, at - 30) : at + 40]!r}")
    return found
