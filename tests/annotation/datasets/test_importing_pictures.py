"""Pictures of an import: cleaned before they are stored, decoded once, out of parquet files too."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom
import pydicom.uid
import pytest
from django.db import connection
from pydicom.dataset import FileDataset, FileMetaDataset

from annotation.datasets.importing import import_items
from annotation.datasets.jobs import scratch_folder
from annotation.datasets.models import Item, ItemImage, ItemRevision
from annotation.imaging.sandbox import Decoder
from tests.annotation.datasets.builders import edit, jsonl, png, vqa

pytestmark = pytest.mark.django_db
CANARY = "ZEBRA"


def dicom(path: Path, patient: str) -> Path:
    """A small CT slice whose header names a patient in standard, private and free-text places."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    scan = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    scan.SOPClassUID, scan.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    scan.PatientName, scan.PatientID, scan.Modality = f"{CANARY}^{patient}", f"{CANARY}{patient}", "CT"
    scan.StudyDescription = f"{CANARY} before surgery"
    scan.InstitutionName = f"{CANARY} hospital"
    scan.private_block(0x0011, f"{CANARY} private", create=True).add_new(0x01, "LO", f"{CANARY} secret")
    scan.Rows = scan.Columns = 16
    scan.SamplesPerPixel, scan.PhotometricInterpretation = 1, "MONOCHROME2"
    scan.BitsAllocated = scan.BitsStored = 16
    scan.HighBit, scan.PixelRepresentation = 15, 0
    scan.RescaleSlope, scan.RescaleIntercept = 1, -1024
    scan.PixelData = np.random.default_rng(len(patient)).integers(0, 2000, (16, 16), dtype=np.uint16).tobytes()
    scan.save_as(path, enforce_file_format=True)
    return path


def stored_text(home: Path) -> bytes:
    """Everything the import left behind: files, and every text column of its tables."""
    kept = [path.read_bytes() + str(path).encode() for path in home.rglob("*") if path.is_file()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            if table.startswith("annotation_"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                kept.append(repr(cursor.fetchall()).encode())
    return b"".join(kept)


def test_no_name_of_a_patient_reaches_the_store_or_the_database(tmp_path, home):
    dicom(tmp_path / "pack/images/a.dcm", "One")
    file = jsonl(tmp_path / "pack/q.jsonl", vqa(1, input_image=["images/a.dcm"], case_id=f"{CANARY}-7"))

    import_items(path=file, dataset_slug="liver", actor=None)

    kept = stored_text(home)
    assert CANARY.encode() not in kept
    assert b"PatientName" in kept  # the names of what was removed are kept, never a value
    image = ItemImage.objects.get()
    assert (image.asset.unit, image.asset.modality, image.asset.media_type) == ("HU", "CT", "application/dicom")


def test_pictures_of_one_patient_make_one_case(tmp_path):
    for name, patient in (("a", "One"), ("b", "One"), ("c", "Other")):
        dicom(tmp_path / f"images/{name}.dcm", patient)
    records = [vqa(n, input_image=[f"images/{name}.dcm"]) for n, name in enumerate("abc")]

    import_items(path=jsonl(tmp_path / "q.jsonl", *records), dataset_slug="liver", actor=None)

    one, same, other = Item.objects.order_by("number").values_list("case_key", flat=True)
    assert one == same != other
    assert other


def test_equal_files_are_decoded_once_and_never_again(tmp_path, monkeypatch):
    png(tmp_path / "images/e1.png", 1), png(tmp_path / "images/e1_ref.png", 2)
    (tmp_path / "images/copy.png").write_bytes((tmp_path / "images/e1.png").read_bytes())
    file = jsonl(tmp_path / "e.jsonl", edit(1), vqa(1, input_image=["images/copy.png"]))
    decoded = []
    prepare = Decoder.prepare

    def counted(self, path, **words):
        decoded.append(Path(path).name)
        return prepare(self, path, **words)

    monkeypatch.setattr(Decoder, "prepare", counted)

    import_items(path=file, dataset_slug="liver", actor=None)
    import_items(path=file, dataset_slug="other", actor=None)

    assert decoded == ["e1.png", "e1_ref.png"]


def test_a_picture_lost_from_the_store_is_decoded_again(tmp_path, home):
    png(tmp_path / "images/e1.png", 1), png(tmp_path / "images/e1_ref.png", 2)
    file = jsonl(tmp_path / "e.jsonl", edit(1))
    import_items(path=file, dataset_slug="liver", actor=None)
    stored = {path: path.read_bytes() for path in (home / "assets").rglob("*") if path.is_file()}
    for path in stored:
        path.unlink()

    import_items(path=file, dataset_slug="liver", actor=None)

    assert {path: path.read_bytes() for path in stored} == stored


def picture_bytes(seed: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (10, 12), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_parquet_release_comes_in_with_its_pictures_and_leaves_no_scratch(tmp_path, home):
    import pyarrow
    import pyarrow.parquet

    rows = [
        {
            "input_images": [{"bytes": picture_bytes(n), "path": f"e{n}.png"}],
            "output_images": [{"bytes": picture_bytes(n + 10), "path": f"r{n}.png"}],
            "instruction": f"Raise the contrast {n}.",
            "task": "contrast-enhancement",
            "subtask": None,
            "modality": "CT",
        }
        for n in (1, 2)
    ]
    file = tmp_path / "image_editing" / "train-00000-of-00001.parquet"
    file.parent.mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)

    first = import_items(path=file, dataset_slug="liver", actor=None)
    again = import_items(path=file, dataset_slug="liver", actor=None)

    assert (first.layout, first.new, again.unchanged) == ("parquet", 2, 2)
    assert ItemImage.objects.count() == 4
    assert set(ItemRevision.objects.values_list("format", flat=True)) == {"image_editing"}
    assert list((home / "scratch").iterdir()) == []


def test_what_a_killed_import_left_in_scratch_is_removed(home):
    import os
    import time

    left = scratch_folder() / "left"
    left.mkdir()
    (left / "picture.png").write_bytes(b"x")
    past = time.time() - 2 * 24 * 3600
    os.utime(left, (past, past))

    assert list(scratch_folder().iterdir()) == []
