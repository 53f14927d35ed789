"""From stored values to modality output: bits, sign, rescale, palettes, units, geometry."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import apply_modality_lut

from annotation.imaging.image import ImageError
from annotation.imaging.reading import read_image
from tests import images


def read(tmp_path: Path, pixels: np.ndarray, **attributes):
    return read_image(images.save_dicom(tmp_path / "a.dcm", images.dicom(pixels, **attributes)))


def test_ct_becomes_hounsfield_units_with_the_declared_range(tmp_path: Path):
    stored = images.texture(top=4095)

    image = read(tmp_path, stored, BitsStored=12, HighBit=11, RescaleSlope=1, RescaleIntercept=-1024)

    assert image.unit == "HU"
    assert np.array_equal(image.pixels[0], stored.astype(int) - 1024)
    assert image.data_range == (-1024, 3071)
    assert image.pixels.dtype == np.int16


@pytest.mark.parametrize(("kind", "intercept"), [("US", -1024), (None, None)])
def test_ct_without_a_hounsfield_rescale_is_only_signal(kind, intercept, tmp_path: Path):
    attributes = {"RescaleSlope": 1, "RescaleIntercept": intercept, "RescaleType": kind} if kind else {}

    assert read(tmp_path, images.texture(), **attributes).unit == "signal"


def test_rescale_with_a_fraction_agrees_with_pydicom(tmp_path: Path):
    data = images.dicom(images.texture(), RescaleSlope="0.37", RescaleIntercept="-3.5")
    path = images.save_dicom(tmp_path / "a.dcm", data)

    image = read_image(path)

    expected = apply_modality_lut(images.texture(), pydicom.dcmread(path))
    assert np.allclose(image.pixels[0], expected, rtol=1e-6)
    assert image.data_range == pytest.approx((-3.5, 65535 * 0.37 - 3.5))


def test_every_frame_of_an_enhanced_file_has_its_own_rescale_and_window(tmp_path: Path):
    stored = np.stack([images.texture(seed=seed) for seed in range(3)])
    groups = [
        images.sequence_item(
            PixelValueTransformationSequence=[
                images.sequence_item(RescaleSlope=slope, RescaleIntercept=-10 * slope, RescaleType="US")
            ],
            FrameVOILUTSequence=[images.sequence_item(WindowCenter=100 * slope, WindowWidth=50)],
            PlanePositionSequence=[images.sequence_item(ImagePositionPatient=[0, 0, 2.5 * slope])],
        )
        for slope in (1, 2, 4)
    ]
    shared = images.sequence_item(
        PixelMeasuresSequence=[images.sequence_item(PixelSpacing=[0.5, 0.25], SliceThickness=9)],
        PlaneOrientationSequence=[images.sequence_item(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])],
    )

    image = read(
        tmp_path,
        stored,
        Modality="MR",
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[shared],
    )

    for frame, slope in enumerate((1, 2, 4)):
        assert np.array_equal(image.pixels[frame], stored[frame].astype(int) * slope - 10 * slope)
    assert image.window == (200, 50)
    assert image.spacing_mm == (0.5, 0.25)
    assert image.slice_mm == 2.5
    assert image.orientation == (1, 0, 0, 0, 0, -1)


def test_a_modality_table_is_applied_and_its_depth_is_the_range(tmp_path: Path):
    table = (np.arange(256) ** 2 // 16).astype(np.uint16)
    sequence = images.sequence_item(LUTDescriptor=[200, 10, 12], LUTData=table[:200].tolist(), ModalityLUTType="OD")
    sequence["LUTDescriptor"].VR = "US"
    sequence["LUTData"].VR = "US"
    stored = images.ramp(16, 16, top=255, dtype="uint8")

    image = read(tmp_path, stored, Modality="CR", ModalityLUTSequence=[sequence])

    expected = table[np.clip(stored.astype(int) - 10, 0, 199)]
    assert np.array_equal(image.pixels[0], expected)
    assert image.data_range == (0, 4095)


def test_monochrome1_is_flagged_and_not_turned(tmp_path: Path):
    stored = images.texture()

    image = read(tmp_path, stored, PhotometricInterpretation="MONOCHROME1", Modality="CR")

    assert image.inverted
    assert np.array_equal(image.pixels[0], stored)


def test_bits_outside_the_stored_ones_are_not_pixels(tmp_path: Path):
    values = images.texture(top=4095)
    overlay = (values % 7 == 0).astype(np.uint16) << 12

    image = read(tmp_path, values | overlay, BitsStored=12, HighBit=11, Modality="MR")

    assert np.array_equal(image.pixels[0], values)


def test_a_high_bit_that_is_not_the_last_stored_one_moves_the_samples(tmp_path: Path):
    values = images.texture(top=4095)

    image = read(tmp_path, values << 4 | 0b1010, BitsStored=12, HighBit=15, Modality="MR")

    assert np.array_equal(image.pixels[0], values)


def test_signed_twelve_bits_carry_their_sign(tmp_path: Path):
    values = images.texture(top=4095).astype(np.int16) - 2048

    image = read(tmp_path, values & 0xFFF, BitsStored=12, HighBit=11, Modality="MR")

    assert np.array_equal(image.pixels[0], values)
    assert image.data_range == (-2048, 2047)


def test_color_by_plane_equals_color_by_pixel(tmp_path: Path):
    pixels = images.photograph()
    planar = np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()

    image = read(tmp_path, pixels, PlanarConfiguration=1, PixelData=planar)

    assert np.array_equal(image.pixels[0], pixels)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_palette_is_expanded_and_indices_outside_take_its_ends(depth, tmp_path: Path):
    entries = np.stack([np.arange(100), 255 - np.arange(100), np.full(100, 7)], axis=1).astype(np.uint8)
    stored = images.ramp(16, 16, top=255, dtype="uint8")
    tables = {}
    for index, color in enumerate(("Red", "Green", "Blue")):
        wide = entries[:, index].astype("<u2") << 8 if depth == 16 else entries[:, index]
        tables[f"{color}PaletteColorLookupTableDescriptor"] = [100, 50, depth]
        tables[f"{color}PaletteColorLookupTableData"] = wide.tobytes()
    data = images.dicom(stored, PhotometricInterpretation="PALETTE COLOR", Modality="US", **tables)
    for color in ("Red", "Green", "Blue"):
        data[f"{color}PaletteColorLookupTableDescriptor"].VR = "US"

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels[0], entries[np.clip(stored.astype(int) - 50, 0, 99)])
    assert "palette" in image.flags


def test_a_palette_file_of_the_field_agrees_with_pydicom():
    path = get_testdata_file("examples_palette.dcm", download=False)
    data = pydicom.dcmread(path)
    expected = pydicom.pixels.apply_color_lut(data.pixel_array, data) >> 8

    assert np.array_equal(read_image(path).pixels[0], expected)


def test_a_segmentation_is_planes_of_zero_and_one(tmp_path: Path):
    planes = (np.stack([images.texture(30, 20, seed=seed) for seed in range(3)]) > 2000).astype(np.uint8)
    packed = np.packbits(planes.reshape(-1), bitorder="little").tobytes()
    data = images.dicom(
        planes,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4",
        Modality="SEG",
        SegmentationType="BINARY",
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=packed + b"\0" * (len(packed) % 2),
    )

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels, planes)
    assert (image.unit, image.data_range) == ("fraction", (0, 1))


def test_pet_keeps_activity_and_says_the_factor_to_suv(tmp_path: Path):
    dose = images.sequence_item(
        RadionuclideTotalDose=370e6, RadionuclideHalfLife=6586.2, RadiopharmaceuticalStartTime="100000"
    )

    image = read(
        tmp_path,
        images.texture(),
        Modality="PT",
        Units="BQML",
        RescaleSlope="2.5",
        RescaleIntercept="0",
        DecayCorrection="START",
        PatientWeight="74",
        SeriesTime="110000.00",
        RadiopharmaceuticalInformationSequence=[dose],
    )

    assert image.unit == "bq_ml"
    assert image.suv_scale == pytest.approx(74_000 / (370e6 * 2 ** (-3600 / 6586.2)))


@pytest.mark.parametrize(
    ("attributes", "window", "flag"),
    [
        ({"WindowCenter": "40", "WindowWidth": "400"}, (40, 400), None),
        ({"WindowCenter": ["40", "-600"], "WindowWidth": ["400", "1500"]}, (40, 400), None),
        ({"WindowCenter": "40", "WindowWidth": "0"}, None, "window_invalid"),
        ({"WindowCenter": "40", "WindowWidth": "-5"}, None, "window_invalid"),
        (
            {"WindowCenter": "0.5", "WindowWidth": "0.2", "VOILUTFunction": "LINEAR_EXACT"},
            (0.5, 0.2),
            "voi_linear_exact",
        ),
    ],
)
def test_a_window_that_no_function_allows_is_dropped_and_said(attributes, window, flag, tmp_path: Path):
    image = read(tmp_path, images.texture(), Modality="MR", **attributes)

    assert image.window == window
    assert (flag is None and "window_invalid" not in image.flags) or flag in image.flags


@pytest.mark.parametrize(
    ("attributes", "spacing", "flag"),
    [
        ({"PixelSpacing": [0.7, 0.5]}, (0.7, 0.5), None),
        ({"PixelSpacing": [0, 0]}, None, "spacing_invalid"),
        ({"ImagerPixelSpacing": [0.14, 0.14]}, (0.14, 0.14), "spacing_at_detector"),
        ({}, None, None),
    ],
)
def test_spacing_is_between_rows_then_between_columns_or_absent(attributes, spacing, flag, tmp_path: Path):
    image = read(tmp_path, images.texture(), Modality="CR", **attributes)

    assert image.spacing_mm == spacing
    assert flag is None or flag in image.flags


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"Modality": "US"}, "sequence"),
        ({"Modality": "CT"}, "volume"),
        ({"Modality": "NM", "FrameTime": 40}, "sequence"),
    ],
)
def test_frames_are_moments_or_places(attributes, kind, tmp_path: Path):
    assert read(tmp_path, np.stack([images.texture()] * 2), **attributes).kind == kind


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"RescaleSlope": "0", "RescaleIntercept": "0"}, "slope 0"),
        ({"RescaleSlope": "NaN", "RescaleIntercept": "0"}, "slope nan"),
        ({"BitsStored": 17}, "BitsStored is 17, allowed are 1 to 16"),
        ({"BitsStored": 12, "HighBit": 3}, "HighBit is 3"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "BitsAllocated is 12"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel is 3 with MONOCHROME2"),
        ({"PhotometricInterpretation": "HSV"}, "photometric interpretation"),
        ({"Rows": None}, "Rows is missing"),
        ({"Columns": 0}, "Columns is 0"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused_with_value_and_limit(attributes, message, tmp_path: Path):
    with pytest.raises(ImageError, match=message) as caught:
        read(tmp_path, images.texture(), **attributes)

    assert caught.value.reason in ("bad_header", "unsupported_pixels")
