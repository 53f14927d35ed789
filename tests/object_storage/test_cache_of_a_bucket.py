"""With object storage the bucket holds the pictures and the folder is a cache that may be emptied at any time."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from annotation.assets import bucket, cache, storage
from annotation.assets.errors import StoreAwayError
from annotation.assets.models import Asset
from annotation.assets.services import load_image, store_file
from annotation.imaging.image import ImageError
from tests import images
from tests.object_storage.server import BUCKET

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("object-store")]


@pytest.fixture
def picture(tmp_path):
    return images.save_png(tmp_path / "a.png", images.photograph())


@pytest.fixture
def asset(address, picture, decoder) -> Asset:
    return store_file(picture, decoder=decoder)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def spoil(store, address, asset: Asset, which: int) -> None:
    """Other bytes of the same length under one of the keys of an asset."""
    _, path, sha256 = storage.files_of(asset)[which]
    key = address.prefix + storage.key_of(path, sha256)
    data = bytearray(store.client().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    data[len(data) // 2] ^= 0xFF
    store.client().put_object(Bucket=BUCKET, Key=key, Body=bytes(data))


def test_every_file_of_a_picture_is_in_the_bucket_under_its_checksum(asset, objects):
    held = objects()

    assert len(held) == 3
    for key, data in held.items():
        assert key.startswith(f"{asset.sha256[:2]}/{asset.sha256[2:4]}/{asset.sha256}/")
        assert key.rsplit("/", 1)[1].startswith(hashlib.sha256(data).hexdigest())
    assert storage.problems_of(asset) == []


def test_an_emptied_cache_fills_again_on_first_use(asset, settings):
    before = {path: path.read_bytes() for path in files(settings.MEDGEN_ASSETS)}
    shutil.rmtree(settings.MEDGEN_ASSETS)

    assert storage.damage_of(asset) is None
    assert storage.damage_of(asset) is storage.stored_damage(asset) is None
    assert storage.thumbnail_path(asset).exists()
    assert {path: path.read_bytes() for path in files(settings.MEDGEN_ASSETS)} == before


def test_what_one_machine_stored_another_shows(asset, other_machine, picture):
    pixels = load_image(asset).pixels
    folder = other_machine()

    again = load_image(asset)

    assert (again.pixels == pixels).all()
    assert len(files(folder)) == 1


def test_frames_that_another_machine_made_anew_replace_cached_ones(asset, other_machine, settings):
    first = settings.MEDGEN_ASSETS
    assert storage.damage_of(asset) is None
    other_machine()
    data = b"made by a newer compressor"
    asset.frames_sha256 = hashlib.sha256(data).hexdigest()
    storage.write_once(storage.place(asset.sha256, storage.FRAMES_SUFFIX), data)
    settings.MEDGEN_ASSETS = first

    assert storage.damage_of(asset) is None
    assert storage.frames_path(asset).read_bytes() == data


def test_a_cached_file_that_changed_is_fetched_again(asset):
    path = storage.frames_path(asset)
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))

    assert storage.damage_of(asset) is None
    assert path.read_bytes() == whole


@pytest.mark.parametrize(("which", "words"), [(0, "stored file"), (1, "frames"), (2, "thumbnail")])
def test_a_damaged_object_is_found_never_shown_and_mended_by_another_import(
    asset, store, address, other_machine, picture, decoder, which, words
):
    spoil(store, address, asset, which)
    folder = other_machine()

    assert [problem for problem in storage.problems_of(asset) if words in problem and "checksum" in problem]
    with pytest.raises((ImageError, AssertionError, FileNotFoundError)):
        assert storage.damage_of(asset) is None
        storage.thumbnail_path(asset).read_bytes()
        load_image(asset)
    assert hashlib.sha256(b"").hexdigest() not in {p.name for p in files(folder)}
    for path in files(folder):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in {sha256 for _, _, sha256 in storage.files_of(asset)}
    assert store_file(picture, decoder=decoder).pk == asset.pk
    assert storage.problems_of(asset, whole=True) == []
    assert storage.damage_of(asset) is None


def test_a_page_of_requests_at_once_fetches_a_file_once(asset, other_machine, monkeypatch):
    asked: list[str] = []
    fetch = bucket.fetch
    monkeypatch.setattr(bucket, "fetch", lambda key, *rest: asked.append(key) or fetch(key, *rest))
    other_machine()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(storage.damage_of, [asset] * 16))

    assert found == [None] * 16
    assert len(asked) == 1


def test_verifying_a_release_asks_the_bucket_and_brings_nothing_in(asset, store, address, other_machine):
    folder = other_machine()
    before = storage.kept_problem(asset)
    spoil(store, address, asset, 0)

    assert before is None
    assert storage.kept_problem(asset) == storage.CHANGED
    assert not folder.exists()


def test_an_object_that_is_gone_is_said_to_be_missing(asset, store, address, other_machine):
    _, path, sha256 = storage.files_of(asset)[1]
    store.client().delete_object(Bucket=BUCKET, Key=address.prefix + storage.key_of(path, sha256))
    other_machine()

    assert storage.damage_of(asset) == storage.LOST
    assert storage.problems_of(asset) == ["the file of frames for the viewer is missing"]


def test_other_bytes_never_replace_whole_ones(asset):
    _, path, sha256 = storage.files_of(asset)[0]
    key = storage.key_of(path, sha256)

    assert bucket.put(key, sha256, b"other bytes") is False
    assert bucket.put(key, sha256, path) is False
    with pytest.raises(StoreAwayError):
        bucket.put(f"{key}.new", sha256, b"other bytes")  # the bucket compares them with the checksum
    assert bucket.problem_of(f"{key}.new", sha256) == storage.LOST
    assert bucket.problem_of(key, sha256, whole=True) is None


def test_the_cache_stays_near_its_limit_and_drops_what_was_used_longest_ago(
    address, settings, tmp_path, decoder, monkeypatch
):
    monkeypatch.setattr(cache, "IN_USE_S", -1)
    settings.MEDGEN_ASSETS_LIMIT = 10**9
    assets = []
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 256, (90, 90), dtype=np.uint8)
        assets.append(store_file(images.save_png(tmp_path / f"{number}.png", noise), decoder=decoder))
        for _, file, _ in storage.files_of(assets[-1]):
            os.utime(file, (time.time() - 9000 + number, time.time() - 9000 + number))
    whole = sum(path.stat().st_size for path in files(settings.MEDGEN_ASSETS))
    storage.damage_of(assets[0])  # used just now

    removed = cache.make_room(whole // 2)

    assert sum(path.stat().st_size for path in files(settings.MEDGEN_ASSETS)) == whole - removed <= whole / 2
    assert storage.place(assets[0].sha256, storage.FRAMES_SUFFIX).exists()
    assert not storage.place(assets[1].sha256, storage.FRAMES_SUFFIX).exists()
    assert [storage.damage_of(each) for each in assets] == [None] * 4


def test_what_is_not_in_the_bucket_is_never_dropped(address, settings, picture, decoder, monkeypatch, dead_end):
    monkeypatch.setattr(cache, "IN_USE_S", -1)
    settings.MEDGEN_OBJECT_STORAGE = None
    not_moved = store_file(picture, decoder=decoder)
    settings.MEDGEN_OBJECT_STORAGE = address

    cache.make_room(1)
    storage.publish(storage.place(not_moved.sha256, storage.FRAMES_SUFFIX))
    before = len(files(settings.MEDGEN_ASSETS))
    cache.make_room(1)
    after = files(settings.MEDGEN_ASSETS)
    dead_end()
    cache.make_room(1)

    assert before == 3
    assert [path.name[64:] for path in after] == [".png", ".thumb.png"]
    assert files(settings.MEDGEN_ASSETS) == after


def test_a_damaged_file_that_the_bucket_lacks_stays_and_is_not_shown(asset, store, address):
    _, path, sha256 = storage.files_of(asset)[1]
    store.client().delete_object(Bucket=BUCKET, Key=address.prefix + storage.key_of(path, sha256))
    path.write_bytes(b"damaged")

    assert storage.damage_of(asset) == storage.CHANGED
    assert path.read_bytes() == b"damaged"


def test_a_draft_that_a_killed_process_left_goes_after_an_hour(address, settings):
    settings.MEDGEN_ASSETS.mkdir()
    old, new = settings.MEDGEN_ASSETS / "a.1.part", settings.MEDGEN_ASSETS / "b.2.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    cache.make_room(1)

    assert files(settings.MEDGEN_ASSETS) == [new]


def test_erasing_leaves_no_bytes_in_bucket_or_cache(asset, objects, settings):
    assert storage.has_files(asset)

    assert storage.erase(asset) is True

    assert objects() == {}
    assert files(settings.MEDGEN_ASSETS) == []
    assert not storage.has_files(asset)
    assert storage.erase(asset) is False


def test_without_the_setting_no_client_is_imported_and_nothing_changes(picture, tmp_path):
    code = (
        "import django, os, sys\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'medgen.settings'\n"
        "django.setup()\n"
        "from annotation.assets import storage\n"
        "from pathlib import Path\n"
        "from django.conf import settings\n"
        "storage.write_once(Path(settings.MEDGEN_ASSETS) / 'ab' / 'x.bin', b'bytes')\n"
        "print(sorted(name for name in sys.modules if name.startswith('boto')))\n"
    )
    run = {"PATH": os.environ["PATH"], "MEDGEN_HOME": str(tmp_path / "plain")}

    said = subprocess.run([sys.executable, "-c", code], env=run, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
    assert (tmp_path / "plain" / "assets" / "ab" / "x.bin").read_bytes() == b"bytes"
