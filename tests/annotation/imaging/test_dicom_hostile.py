"""Damaged and malicious DICOM: one reason in words, nothing allocated that the limits forbid."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file

from annotation.imaging.image import REASONS, ImageError
from annotation.imaging.reading import read_image
from tests import images


def refused(path: Path, **options) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_image(path, **options)
    assert caught.value.reason in REASONS
    return caught.value


def small(tmp_path: Path, **attributes) -> Path:
    return images.save_dicom(tmp_path / "a.dcm", images.dicom(images.ramp(8, 8), **attributes))


def test_pixels_cut_short_say_how_many_bytes_are_there(tmp_path: Path):
    path = small(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])

    error = refused(path)

    assert error.reason == "truncated"
    assert str(error) == "pixel data shorter than header says (88 of 128 bytes)"


def test_every_cut_of_a_file_is_refused_with_a_reason(tmp_path: Path):
    path = images.save_dicom(tmp_path / "a.dcm", images.dicom(images.ramp(8, 8)))
    whole = path.read_bytes()

    for end in range(1, len(whole) - 1, 13):
        path.write_bytes(whole[:end])
        assert refused(path).reason in ("truncated", "not_an_image", "bad_header", "corrupt"), end


def test_a_declared_size_over_the_limit_is_refused_before_decoding(tmp_path: Path):
    assert refused(small(tmp_path, Rows=65535, Columns=65535)).reason == "too_large"


def test_rows_of_another_type_are_refused(tmp_path: Path):
    data = images.dicom(images.ramp(8, 8), Rows=None)
    data.add_new(0x00280010, "UL", 4294967295)

    assert "Rows is 4294967295" in str(refused(images.save_dicom(tmp_path / "a.dcm", data)))


@pytest.mark.parametrize("frames", [2**31 - 1, 5000])
def test_too_many_frames_are_refused(frames, tmp_path: Path):
    assert refused(small(tmp_path, NumberOfFrames=frames)).reason == "too_many_frames"


def test_a_number_of_frames_in_letters_is_refused(tmp_path: Path):
    path = small(tmp_path, NumberOfFrames=42)
    path.write_bytes(path.read_bytes().replace(b"IS\x02\x0042", b"IS\x02\x00ab"))

    assert "NumberOfFrames is not a whole number" in str(refused(path))


def test_a_deflated_bomb_is_stopped_while_it_inflates(tmp_path: Path):
    path = small(tmp_path)
    head = path.read_bytes()[:400]
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    images.save_dicom(path, data)
    start = path.read_bytes().index(uid.DeflatedExplicitVRLittleEndian.encode())
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()
    meta_end = 144 + struct.unpack_from("<I", path.read_bytes(), 140)[0]
    path.write_bytes(path.read_bytes()[:meta_end] + body)

    error = refused(path)

    assert head[128:132] == b"DICM"
    assert start < meta_end
    assert len(body) < 300_000
    assert error.reason == "too_large"
    assert "32 MiB" in str(error)


@pytest.mark.parametrize("depth", [9, 2000])
@pytest.mark.parametrize("length", ["explicit", "undefined"])
def test_sequences_nested_too_deeply_are_refused(depth, length, tmp_path: Path):
    inner = b""
    for _ in range(depth):
        if length == "undefined":
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inner = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
        else:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
            inner = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<I", len(item)) + item
    path = small(tmp_path)
    whole = path.read_bytes()
    meta_end = 144 + struct.unpack_from("<I", whole, 140)[0]
    at = whole.index(b"\x08\x00\x60\x00CS")  # Modality follows in tag order
    path.write_bytes(whole[:at] + whole[at:].replace(b"\x20\x00\x0d\x00UI", inner + b"\x20\x00\x0d\x00UI", 1))

    error = refused(path)

    assert meta_end < at
    assert (error.reason, str(error)) == ("corrupt", "sequences are nested deeper than 8")


def test_an_element_longer_than_the_file_is_refused(tmp_path: Path):
    path = small(tmp_path)
    lie = b"\x10\x00\x10\x00UN\0\0" + struct.pack("<I", 0xFFFFFFF0) + b"x"
    path.write_bytes(path.read_bytes() + lie)

    assert "longer than the file" in str(refused(path))


def test_a_file_without_prefix_is_not_opened_by_force():
    path = get_testdata_file("no_meta.dcm", download=False)

    assert refused(Path(path)).reason == "not_an_image"


@pytest.mark.parametrize(
    "name", ["rtplan.dcm", "reportsi.dcm", "test-SR.dcm", "waveform_ecg.dcm", "dicomdirtests/DICOMDIR"]
)
def test_dicom_without_pixels_is_not_an_image(name):
    folder = Path(get_testdata_file("MR_small.dcm", download=False)).parent

    assert refused(folder / name).reason == "not_an_image"


def test_a_missing_transfer_syntax_is_named():
    path = get_testdata_file("meta_missing_tsyntax.dcm", download=False)

    assert "names no transfer syntax" in str(refused(Path(path)))


@pytest.mark.parametrize("syntax", [uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.JPEGLossless], ids=lambda s: s.name)
def test_a_codestream_of_another_size_is_refused_before_it_is_decoded(syntax, tmp_path: Path):
    data = images.compressed(images.dicom(images.texture(40, 40)), syntax)
    data.Rows = 20

    error = refused(images.save_dicom(tmp_path / "a.dcm", data))

    assert "states 40 × 40 pixels, the file 20 × 40" in str(error)


def test_missing_frames_of_a_compressed_file_are_counted(tmp_path: Path):
    data = images.compressed(images.dicom(np.stack([images.texture()] * 2)), uid.JPEG2000Lossless)
    data.NumberOfFrames = 3

    assert refused(images.save_dicom(tmp_path / "a.dcm", data)).reason in ("truncated", "corrupt")


def test_an_executable_preamble_is_accepted_because_it_is_never_stored(tmp_path: Path):
    path = small(tmp_path)
    path.write_bytes(b"MZ" + b"\x90" * 126 + path.read_bytes()[128:])

    assert np.array_equal(read_image(path).pixels[0], images.ramp(8, 8))


def test_random_damage_gives_an_image_or_a_reason_and_nothing_else(tmp_path: Path):
    generator = np.random.default_rng(11)
    path = tmp_path / "a.dcm"
    originals = [
        images.save_dicom(path, images.compressed(images.dicom(images.texture(16, 16)), syntax)).read_bytes()
        for syntax in (uid.RLELossless, uid.JPEG2000Lossless, uid.JPEGLossless)
    ]
    originals.append(small(tmp_path, WindowCenter="40", WindowWidth="400").read_bytes())
    outcomes = set()

    for turn in range(300):
        damaged = bytearray(originals[turn % 4])
        for at in generator.integers(132, len(damaged), size=4):
            damaged[at] = generator.integers(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(read_image(path).unit)
        except ImageError as error:
            outcomes.add(error.reason)

    assert {"corrupt", "bad_header"} <= outcomes
