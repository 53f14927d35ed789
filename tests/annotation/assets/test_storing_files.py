"""A file is cleaned, stored once by its checksum, and found again after a crash."""

import io

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest

from annotation.assets import services, storage
from annotation.assets.models import Asset
from annotation.imaging.image import ImageError
from annotation.imaging.sandbox import Decoder

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as started:
        yield started


def picture(path, seed: int = 0, *, canary: str = ""):
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30), dtype=np.uint8)
    texts = PIL.PngImagePlugin.PngInfo()
    if canary:
        texts.add_text("PatientName", canary)
    PIL.Image.fromarray(pixels).save(path, pnginfo=texts)
    return pixels


def test_a_picture_is_stored_under_its_checksum_and_reads_back(tmp_path, decoder):
    pixels = picture(tmp_path / "a.png")

    asset = services.store_file(tmp_path / "a.png", decoder=decoder)

    assert storage.stored_path(asset).parts[-3:] == (
        asset.sha256[:2], asset.sha256[2:4], f"{asset.sha256}.png"
    )  # fmt: skip
    assert (asset.width, asset.height, asset.bits, asset.unit) == (30, 20, 8, "gray")
    assert (asset.data_low, asset.data_high) == (0, 255)
    assert np.array_equal(services.load_image(asset).pixels[0], pixels)
    assert PIL.Image.open(io.BytesIO(storage.thumbnail_path(asset).read_bytes())).size == (30, 20)
    assert asset.frames_header["offsets"][-1] == storage.frames_path(asset).stat().st_size


def test_nothing_written_into_the_header_reaches_the_store(tmp_path, decoder, home):
    picture(tmp_path / "a.png", canary="CANARY^NAME")

    asset = services.store_file(tmp_path / "a.png", decoder=decoder)

    stored = [path for path in (home / "assets").rglob("*") if path.is_file()]
    assert len(stored) == 3
    assert not [path for path in stored if b"CANARY" in path.read_bytes()]
    assert "CANARY" not in str(asset.__dict__)


def test_the_same_pixels_in_two_files_are_one_asset(tmp_path, decoder):
    picture(tmp_path / "a.png", canary="one")
    picture(tmp_path / "b.png", canary="two")

    first = services.store_file(tmp_path / "a.png", decoder=decoder)
    second = services.store_file(tmp_path / "b.png", decoder=decoder)

    assert first.pk == second.pk
    assert Asset.objects.count() == 1


def test_a_lost_file_is_written_again(tmp_path, decoder):
    picture(tmp_path / "a.png")
    asset = services.store_file(tmp_path / "a.png", decoder=decoder)
    storage.stored_path(asset).write_bytes(b"cut")
    storage.frames_path(asset).unlink()

    again = services.store_file(tmp_path / "a.png", decoder=decoder)

    assert again.pk == asset.pk
    assert storage.is_complete(asset)
    assert storage.stored_path(asset).stat().st_size == asset.size_bytes


def test_a_file_that_is_no_picture_leaves_nothing(tmp_path, decoder, home):
    (tmp_path / "a.png").write_bytes(b"no picture at all")

    with pytest.raises(ImageError):
        services.store_file(tmp_path / "a.png", decoder=decoder)

    assert not Asset.objects.exists()
    assert not (home / "assets").exists()


def test_an_interrupted_write_leaves_no_half_file(tmp_path):
    target = tmp_path / "folder" / "x.bin"

    with pytest.raises(TypeError):
        storage.write_once(target, "not bytes")
    storage.write_once(target, b"whole")

    assert [path.name for path in target.parent.iterdir()] == ["x.bin"]
    assert target.read_bytes() == b"whole"
