"""Decoding in a child: same results, limits that hold, and a parent that survives whatever the child meets."""

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid

from annotation.imaging.deidentify import clean
from annotation.imaging.frames import STORED_LEVEL, decode_frames, encode_frames, thumbnail
from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.reading import read_image
from annotation.imaging.sandbox import Decoder
from annotation.imaging.wire import WireError, facts_of, image_from, pack, unpack
from tests import images

KEY = b"a secret of this installation"


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as shared:
        yield shared


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    data = images.dicom(
        images.texture(), RescaleSlope=1, RescaleIntercept=-1024, PatientID="4711", WindowCenter=40, WindowWidth=400
    )
    data.PixelSpacing = [0.7, 0.5]
    return images.save_dicom(tmp_path / "ct.dcm", data)


def refused(decoder: Decoder, path: Path) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decoder.prepare(path, key=KEY)
    return caught.value


def test_the_child_prepares_what_the_parent_would(decoder: Decoder, ct: Path):
    prepared = decoder.prepare(ct, key=KEY)

    part = clean(ct, key=KEY)
    frames = encode_frames(part.image, level=STORED_LEVEL)
    assert prepared.data == part.data
    assert (prepared.frames_header, prepared.frames_data) == (frames.header, frames.data)
    assert prepared.thumbnail == thumbnail(part.image)
    assert (prepared.width, prepared.height, prepared.frames, prepared.channels) == (64, 48, 1, 1)
    assert (prepared.bits, prepared.signed, prepared.unit, prepared.kind) == (16, False, "HU", "image")
    assert (prepared.spacing_mm, prepared.window, prepared.modality) == ((0.7, 0.5), (40, 400), "CT")
    assert prepared.data_range == part.image.data_range
    assert (prepared.case_key, prepared.removed, prepared.risk) == (part.case_key, part.removed, part.risk)
    assert "PatientID" in prepared.removed


def test_a_color_raster_is_stored_once_and_shown_from_the_same_bytes(decoder: Decoder, tmp_path: Path):
    pixels = images.photograph()

    prepared = decoder.prepare(images.save_png(tmp_path / "a.png", pixels), key=KEY)

    assert prepared.frames_data == prepared.data
    assert np.array_equal(decode_frames(prepared.frames_header, prepared.frames_data)[0], pixels)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "float32"])
def test_an_image_comes_through_the_pipe_unchanged(decoder: Decoder, kind, tmp_path: Path):
    path = tmp_path / "a.nii"
    path.write_bytes(
        images.nifti(np.arange(60).reshape(3, 4, 5).astype(kind), srow=(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0))
    )

    far, near = decoder.read(path), read_image(path)

    assert np.array_equal(far.pixels, near.pixels)
    assert facts_of(far) == facts_of(near)
    assert far.orientation == ("R", "A", "S")
    assert not far.pixels.flags.writeable


def test_one_child_serves_many_files_and_refusals_do_not_end_it(decoder: Decoder, ct: Path, tmp_path: Path):
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(ct.read_bytes()[:-40])
    decoder.prepare(ct, key=KEY)
    first = decoder.pid

    error = refused(decoder, broken)

    assert error.reason == "truncated"
    assert "shorter than header says" in str(error)
    assert decoder.read(ct).unit == "HU"
    assert decoder.pid == first


def test_a_key_is_needed(decoder: Decoder, ct: Path):
    with pytest.raises(ValueError, match="key"):
        decoder.prepare(ct, key=b"")


def test_a_child_killed_between_files_is_replaced(ct: Path):
    with Decoder() as own:
        own.read(ct)
        first = own.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

        assert own.read(ct).unit == "HU"
        assert own.pid not in (None, first)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_killed_in_the_middle_costs_one_file(blow, ct: Path, tmp_path: Path):
    long_work = tmp_path / "volume.nii"
    noise = np.random.default_rng(3).integers(0, 30_000, (512, 512, 60)).astype(np.int16)
    long_work.write_bytes(images.nifti(noise))
    with Decoder() as own:
        own.start()
        pid = own.pid
        threading.Timer(0.5, os.kill, (pid, blow)).start()

        error = refused(own, long_work)

        assert (error.reason, str(error)) == ("crashed", f"the decoding process died ({blow.name})")
        assert own.read(ct).unit == "HU"
        assert own.pid != pid


def test_work_that_takes_too_long_is_ended(ct: Path, tmp_path: Path):
    long_work = tmp_path / "volume.nii"
    long_work.write_bytes(images.nifti(np.random.default_rng(3).integers(0, 30_000, (512, 512, 60)).astype(np.int16)))
    with Decoder(limits=Limits(seconds=0.5, seconds_per_mebibyte=0.0)) as own:
        started = time.monotonic()

        error = refused(own, long_work)

        assert error.reason == "timeout"
        assert time.monotonic() - started < 5
        assert own.pid is None
    with Decoder() as own:
        assert own.read(ct).unit == "HU"


def test_a_stopped_child_is_given_up(ct: Path):
    with Decoder(limits=Limits(seconds=0.5)) as own:
        own.start()
        assert own.pid is not None
        os.kill(own.pid, signal.SIGSTOP)

        assert refused(own, ct).reason == "timeout"


def test_memory_over_the_limit_is_a_reason(tmp_path: Path):
    path = tmp_path / "volume.nii"
    path.write_bytes(images.nifti(np.zeros((512, 512, 200), np.int16)))
    with Decoder(limits=Limits(memory_bytes=350 << 20)) as own:
        assert refused(own, path).reason in ("too_large", "crashed")
        assert own.pid is None


def test_bombs_are_refused_in_the_child(decoder: Decoder, tmp_path: Path):
    assert refused(decoder, images.png_bomb(tmp_path / "a.png", 12_000)).reason == "too_large"


def test_damaged_jpeg_ls_does_not_keep_the_child(tmp_path: Path):
    data = images.compressed(images.dicom(images.texture(200, 200)), uid.JPEGLSLossless)
    path = images.save_dicom(tmp_path / "a.dcm", data)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"\xff\xda") + 20
    raw[at : at + 3000 : 7] = bytes(len(raw[at : at + 3000 : 7]))
    path.write_bytes(raw)
    started = time.monotonic()

    with Decoder(limits=Limits(seconds=3)) as own:
        try:
            own.read(path)
        except ImageError as error:
            assert error.reason in ("corrupt", "timeout", "crashed")

    assert time.monotonic() - started < 8


def test_the_child_has_no_secrets_in_its_environment(ct: Path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "ZEBRA")
    with Decoder() as own:
        own.start()

        environment = Path(f"/proc/{own.pid}/environ").read_bytes()

    assert b"ZEBRA" not in environment
    assert b"DJANGO" not in environment


def test_the_child_loads_no_django_and_starts_quickly(ct: Path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import annotation.imaging.worker;"
        "print([name for name in ('django', 'pydicom', 'scipy', 'nibabel') if name in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[3])

    loaded = subprocess.run([sys.executable, "-I", "-c", script, root], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"


def test_no_child_is_left_behind(ct: Path):
    with Decoder() as own:
        own.read(ct)
        pid = own.pid
    own.close()

    assert own.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def reader_of(data: bytes):
    left = bytearray(data)

    def read(count: int) -> bytes:
        part = bytes(left[:count])
        del left[:count]
        return part

    return read


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 1 << 30),
        struct.pack(">I", 4) + b"[1]\n",
        struct.pack(">I", 3) + b"{,}",
        struct.pack(">I", 12) + b'{"blobs":-1}',
        struct.pack(">I", 14) + b'{"blobs":[-1]}',
        struct.pack(">I", 21) + b'{"blobs":[9999999999]}'[:21],
        struct.pack(">I", 22) + b'{"blobs":[9999999999]}',
    ],
)
def test_an_answer_that_is_no_message_is_refused(data):
    with pytest.raises(WireError):
        unpack(reader_of(data), largest=1000)


def test_a_message_comes_back_as_it_was_packed():
    head, blobs = unpack(reader_of(b"".join(pack({"a": 1}, [b"xy", b""]))), largest=10)

    assert (head, blobs) == ({"a": 1}, [b"xy", b""])


@pytest.mark.parametrize(
    "change",
    [{"dtype": "|O"}, {"shape": [2, 2, 2]}, {"shape": [-1, 2, 2]}, {"unit": "lux"}, {"shape": "abc"}, {"flags": 5}],
)
def test_facts_that_do_not_fit_the_pixels_are_refused(change, ct: Path):
    image = read_image(ct)
    facts = facts_of(image) | change

    with pytest.raises(WireError):
        image_from(facts, image.pixels.astype("<i4").tobytes())


def test_a_file_over_the_limit_never_reaches_the_child(ct: Path):
    with Decoder(limits=replace(Limits(), file_bytes=10)) as own:
        assert refused(own, ct).reason == "too_large"
        assert own.pid is None
