"""What a file says about text in its pixels, and covering it before the picture is stored anew."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from annotation.imaging.burned_in import stronger, text_risk
from annotation.imaging.deidentify import clean, clean_source
from annotation.imaging.frames import decode_frames
from annotation.imaging.masking import MOST_RECTANGLES, masked_source, rectangle_problems
from annotation.imaging.reading import read_image, read_source
from annotation.imaging.sandbox import Decoder
from tests import images

KEY = b"a key of this test"
ULTRASOUND_CLASS = "1.2.840.10008.5.1.4.1.1.3.1"
ENDOSCOPY_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.1"
MULTIFRAME_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.4"
ROWS = [
    ({"BurnedInAnnotation": "YES"}, "stated"),
    ({"BurnedInAnnotation": "yes"}, "stated"),
    ({"BurnedInAnnotation": "MAYBE"}, "stated"),
    ({"BurnedInAnnotation": "NO", "Modality": "US"}, "denied"),
    ({"BurnedInAnnotation": "NO", "SOPClassUID": images.CAPTURE_CLASS}, "denied"),
    ({"BurnedInAnnotation": "", "Modality": "US"}, "ultrasound"),
    ({"SOPClassUID": ULTRASOUND_CLASS}, "ultrasound"),
    ({"Modality": "IVUS"}, "ultrasound"),
    ({"SOPClassUID": images.CAPTURE_CLASS}, "captured"),
    ({"SOPClassUID": MULTIFRAME_CAPTURE}, "captured"),
    ({"ConversionType": "SD"}, "captured"),
    ({"Modality": "OT"}, "kind"),
    ({"Modality": "SC"}, "kind"),
    ({"Modality": "ES", "SOPClassUID": ENDOSCOPY_CLASS}, "kind"),
    ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, "label"),
    ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}, "unlikely"),
    ({"ImageType": "ORIGINAL"}, "unlikely"),
    ({}, "unlikely"),
]


@pytest.mark.parametrize(("attributes", "expected"), ROWS)
def test_a_file_is_asked_why_its_pixels_may_carry_text(attributes, expected, tmp_path: Path):
    path = images.save_dicom(tmp_path / "a.dcm", images.dicom(images.texture(), **attributes))

    assert clean(path, key=KEY).text_risk == expected


def test_a_header_that_names_neither_class_nor_modality_says_nothing():
    assert text_risk(pydicom.Dataset()) == "unknown"


def test_a_raster_declares_nothing(tmp_path: Path):
    path = images.save_png(tmp_path / "a.png", images.photograph())

    assert clean(path, key=KEY).text_risk == "unknown"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("unknown", "stated", "stated"), ("denied", "ultrasound", "ultrasound"), ("unlikely", "denied", "unlikely")],
)
def test_of_two_files_the_one_that_makes_a_person_look_counts(one, other, expected):
    assert (stronger(one, other), stronger(other, one)) == (expected, expected)


@pytest.mark.parametrize(
    ("rectangles", "words"),
    [
        ([], "draw at least one"),
        ([(0, 0, 0, 5)], "rectangle 1"),
        ([(0, 0, 5, 5), (60, 0, 5, 5)], "rectangle 2: [60, 0, 5, 5] is not inside the picture of 64 x 48 pixels"),
        ([(0, 44, 5, 5)], "not inside"),
        ([(-1, 0, 5, 5)], "not inside"),
        ([(0.5, 0, 5, 5)], "whole pixels"),
        ([(0, 0, True, 5)], "whole pixels"),
        ([(0, 0, 5)], "whole pixels"),
        ([(0, 0, 5, 5)] * (MOST_RECTANGLES + 1), "at most 200"),
    ],
)
def test_a_rectangle_that_cannot_be_used_is_named(rectangles, words):
    assert words in "; ".join(rectangle_problems(rectangles, rows=48, columns=64))


def test_a_rectangle_to_the_very_edge_can_be_used():
    assert rectangle_problems([(0, 0, 64, 48)], rows=48, columns=64) == []


def covered(before: np.ndarray, after: np.ndarray, rectangle: tuple[int, int, int, int]) -> np.ndarray:
    """Where two pictures differ, which may be inside the rectangle only."""
    left, top, width, height = rectangle
    inside = np.zeros(before.shape[1:3], bool)
    inside[top : top + height, left : left + width] = True
    assert np.array_equal(before[:, ~inside], after[:, ~inside])
    return after[:, inside]


def test_every_frame_of_a_dicom_file_is_masked_in_file_frames_and_thumbnail(tmp_path: Path):
    pixels = np.stack([images.texture(seed=seed) for seed in range(3)])
    pixels[:, 4:12, 8:40] = 4095
    path = images.save_dicom(tmp_path / "a.dcm", images.dicom(pixels, NumberOfFrames=3, BurnedInAnnotation="YES"))
    before = read_image(path).pixels

    with Decoder() as decoder:
        made = decoder.prepare(path, key=KEY, masks=[(8, 4, 32, 8)])

    (tmp_path / "masked.dcm").write_bytes(made.data)
    stored = read_image(tmp_path / "masked.dcm").pixels
    assert len(np.unique(covered(before, stored, (8, 4, 32, 8)))) <= 3
    assert covered(before, stored, (8, 4, 32, 8)).max() < 1000
    assert np.array_equal(decode_frames(made.frames_header, made.frames_data), stored)
    assert (made.text_risk, made.burned_in, made.risk) == ("denied", False, ())
    header = pydicom.dcmread(tmp_path / "masked.dcm")
    assert header.BurnedInAnnotation == "NO"
    assert [code.CodeValue for code in header.DeidentificationMethodCodeSequence] == ["113100", "113101"]


def test_the_darkest_value_of_an_inverted_picture_is_its_highest(tmp_path: Path):
    dataset = images.dicom(images.texture(), PhotometricInterpretation="MONOCHROME1")
    source = read_source(images.save_dicom(tmp_path / "a.dcm", dataset))

    masked = masked_source(source, [(0, 0, 10, 10)]).image

    assert set(masked.pixels[0, :10, :10].ravel()) == {source.image.pixels.max()}


def test_color_becomes_black(tmp_path: Path):
    source = read_source(images.save_png(tmp_path / "a.png", images.photograph()))

    cleaned = clean_source(masked_source(source, [(3, 5, 7, 9)]), key=KEY, masked=True)

    (tmp_path / "masked.png").write_bytes(cleaned.data)
    assert not covered(source.image.pixels, read_image(tmp_path / "masked.png").pixels, (3, 5, 7, 9)).any()
    assert cleaned.text_risk == "denied"


def test_every_slice_of_a_volume_is_masked(tmp_path: Path):
    path = tmp_path / "a.nii"
    path.write_bytes(images.nifti(np.arange(2 * 6 * 8, dtype=np.int16).reshape(8, 6, 2)))
    source = read_source(path)

    cleaned = clean_source(masked_source(source, [(1, 2, 3, 2)]), key=KEY, masked=True)

    (tmp_path / "masked.nii.gz").write_bytes(cleaned.data)
    stored = read_image(tmp_path / "masked.nii.gz").pixels
    inside = covered(source.image.pixels, stored, (1, 2, 3, 2))
    assert [set(frame) for frame in inside] == [{frame.min()} for frame in source.image.pixels]


def test_a_frame_without_a_finite_value_is_masked_with_zero(tmp_path: Path):
    source = read_source(images.save_png(tmp_path / "a.tif", np.full((8, 8), np.nan, np.float32)))

    assert not masked_source(source, [(0, 0, 2, 2)]).image.pixels[0, :2, :2].any()
