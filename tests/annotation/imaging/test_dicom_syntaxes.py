"""Every transfer syntax gives the pixels that were put in, or those of the same picture in another syntax."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file

from annotation.imaging.image import ImageError
from annotation.imaging.reading import read_image
from tests import images

NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
]
LOSSLESS = [
    uid.RLELossless,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
    uid.HTJ2KLossless,
    uid.HTJ2K,
]
SIGNED = images.texture(top=4095, dtype="int16") - 1024


def sample(name: str) -> str:
    found = get_testdata_file(name, download=False)
    assert found is not None
    return str(found)


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: syntax.name)
def test_native_pixels_come_out_as_they_went_in(syntax, tmp_path: Path):
    data = images.dicom(SIGNED)
    data.file_meta.TransferSyntaxUID = syntax

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels[0], SIGNED)
    assert image.pixels.dtype == np.int16
    assert (image.bits, image.signed) == (16, True)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_lossless_pixels_come_out_as_they_went_in(syntax, depth, tmp_path: Path):
    pixels = images.texture(top=255 if depth == "uint8" else 65535, dtype=depth)
    data = images.compressed(images.dicom(pixels), syntax)

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels[0], pixels)
    assert "lossy" not in image.flags


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLossless, uid.JPEGLSLossless], ids=lambda s: s.name)
def test_signed_samples_keep_their_sign_through_compression(syntax, tmp_path: Path):
    data = images.compressed(images.dicom(SIGNED), syntax)

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels[0], SIGNED)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEG2000Lossless, uid.JPEGLSLossless], ids=lambda s: s.name)
def test_frames_keep_their_order(syntax, tmp_path: Path):
    frames = np.stack([images.texture(seed=seed) for seed in range(3)])
    data = images.compressed(images.dicom(frames), syntax)

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.array_equal(image.pixels, frames)
    assert image.kind == "volume"


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLossless, uid.JPEGLSLossless], ids=lambda s: s.name)
def test_compressed_color_is_rgb(syntax, tmp_path: Path):
    pixels = images.photograph()
    data = images.compressed(images.dicom(pixels), syntax)

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert image.unit == "rgb"
    assert np.array_equal(image.pixels[0], pixels)


def test_twelve_bit_jpeg_is_read_whole(tmp_path: Path):
    pixels = images.texture(top=4095)
    data = images.compressed(images.dicom(pixels, BitsStored=12, HighBit=11), uid.JPEGExtended12Bit)

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.abs(image.pixels[0].astype(int) - pixels).max() <= 8
    assert len(np.unique(image.pixels)) > 1000
    assert image.data_range == (0, 4095)
    assert "lossy" in image.flags


def test_baseline_jpeg_color_is_near_the_original(tmp_path: Path):
    smooth = np.dstack([images.ramp(48, 64, top=255, dtype="uint8"), np.full((48, 64, 2), 90, np.uint8)])
    data = images.compressed(images.dicom(smooth), uid.JPEGBaseline8Bit)
    data.PhotometricInterpretation = "YBR_FULL_422"

    image = read_image(images.save_dicom(tmp_path / "a.dcm", data))

    assert np.abs(image.pixels[0].astype(int) - smooth).max() <= 6


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_implicit.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_one_real_picture_is_the_same_in_every_syntax(name):
    expected = read_image(sample("MR_small.dcm"))

    image = read_image(sample(name))

    assert np.array_equal(image.pixels, expected.pixels)
    assert image.pixels.dtype == np.int16
    for fact in ("unit", "bits", "signed", "data_range", "spacing_mm", "slice_mm", "orientation", "window"):
        assert getattr(image, fact) == getattr(expected, fact), fact


def test_a_file_of_another_vendor_in_jpeg_lossless_ls_and_extended_is_read():
    extended = read_image(sample("JPGExtended.dcm"))
    near = read_image(sample("JPEGLSNearLossless_16.dcm"))

    assert (int(extended.pixels.max()), extended.bits) == (264, 12)
    assert "lossy" in near.flags


def test_a_defective_jpeg_stream_is_refused_in_words():
    with pytest.raises(ImageError, match="contradicts its JPEG process") as caught:
        read_image(sample("JPEG-lossy.dcm"))

    assert caught.value.reason == "corrupt"


def test_uncompressed_ybr_422_gives_the_colors_of_the_bars():
    image = read_image(sample("SC_ybr_full_422_uncompressed.dcm"))
    expected = pydicom.dcmread(sample("SC_ybr_full_422_uncompressed.dcm"))
    pixels = pydicom.pixels.pixel_array(expected)

    assert image.unit == "rgb"
    assert np.array_equal(image.pixels[0], pixels)
    assert image.pixels[0, 5, 50].tolist() == [254, 0, 0]


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.70", None),
        ("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component Image Compression"),
        ("1.2.840.99999.1.2.4.90", "unregistered"),
    ],
)
def test_a_syntax_without_a_decoder_is_named(syntax, name, tmp_path: Path):
    data = images.compressed(images.dicom(SIGNED), uid.JPEG2000Lossless)
    path = images.save_dicom(tmp_path / "a.dcm", data)
    path.write_bytes(path.read_bytes().replace(uid.JPEG2000Lossless.encode(), syntax.encode(), 1))

    with pytest.raises(ImageError) as caught:
        read_image(path)

    expected = "unsupported" if name else "corrupt"
    assert caught.value.reason == expected
    assert name is None or f"no decoder for transfer syntax {name}" in str(caught.value)
