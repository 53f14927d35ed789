"""Backup, restore, verify and moving with object storage; the checks before a start."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from annotation.assets import bucket, storage
from annotation.assets.bucket import Address
from annotation.assets.models import Asset, PixelVerdict
from annotation.assets.quarantine import erase_masked
from annotation.assets.services import store_file
from medgen import object_storage
from medgen.backups import reading
from medgen.backups.errors import BackupError
from medgen.backups.restoring import restore
from medgen.backups.writing import make_backup
from tests import factories, images
from tests.acceptance.bench import command
from tests.object_storage.server import BUCKET

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("object-store")]

with_own_connections = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asset(address, tmp_path, decoder) -> Asset:
    return store_file(images.save_png(tmp_path / "a.png", images.photograph()), decoder=decoder)


@pytest.fixture
def plain(asset, settings):
    """The same home without object storage: all files in its folder, none in the bucket of `address`."""
    settings.MEDGEN_OBJECT_STORAGE = None
    return asset


def key_of(address: Address, asset: Asset, which: int) -> str:
    _, path, sha256 = storage.files_of(asset)[which]
    return address.prefix + storage.key_of(path, sha256)


def product(store, home: Path, prefix: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, as on another machine; without a prefix, without object storage."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MEDGEN_", "DATABASE_", "AWS_"))
    }
    with_bucket = store.environment | {"MEDGEN_OBJECT_STORAGE": f"s3://{BUCKET}/{prefix}"} if prefix else {}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=clean | with_bucket | {"MEDGEN_HOME": str(home)}, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip


@with_own_connections
def test_a_backup_reads_through_the_bucket_and_is_the_same_with_an_empty_cache(
    asset, settings, tmp_path, other_machine
):
    made = make_backup(tmp_path / "a.tar")
    folder = other_machine()

    again = make_backup(tmp_path / "b.tar")

    pictures = [file for file in made["files"] if file["path"].startswith("files/assets/")]
    assert len(pictures) == 3
    assert made["files"] == again["files"]
    assert made["missing"] == []
    assert not list(folder.rglob("*.*"))
    with reading.opened(tmp_path / "b.tar") as (archive, manifest):
        assert reading.problems(archive, manifest) == []


@with_own_connections
def test_a_backup_without_the_bucket_is_none_at_all(asset, tmp_path, other_machine, dead_end):
    other_machine()
    dead_end()

    with pytest.raises(BackupError, match=r"cannot be reached.*No backup was made"):
        make_backup(tmp_path / "a.tar")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tar" or "backup" in path.name] == []


@with_own_connections
def test_what_is_not_whole_in_the_bucket_is_counted_and_left_out(asset, address, store, tmp_path, other_machine):
    store.client().put_object(Bucket=BUCKET, Key=key_of(address, asset, 1), Body=b"damage")
    other_machine()

    said = command("backup", tmp_path / "a.tar")

    assert "1 files of pictures are not in it" in said.out
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert not [name for name in archive.getnames() if name.endswith(".frames")]


@with_own_connections
@pytest.mark.sqlite_only("restores into a home of SQLite in a process of its own")
@pytest.mark.long
def test_a_backup_of_a_folder_equals_one_of_a_bucket_and_is_restored_into_a_bucket(asset, store, settings, tmp_path):
    of_bucket = make_backup(tmp_path / "bucket.tar")
    settings.MEDGEN_OBJECT_STORAGE = None
    of_folder = make_backup(tmp_path / "folder.tar")

    said = product(store, tmp_path / "one", "restored", "restore", str(tmp_path / "folder.tar"))

    assert said.returncode == 0, said.stderr
    assert of_bucket["files"] == of_folder["files"]
    settings.MEDGEN_OBJECT_STORAGE = Address(BUCKET, "restored/")
    assert storage.problems_of(asset, whole=True) == []


@with_own_connections
def test_a_restore_without_the_bucket_says_so_before_any_row(asset, tmp_path, dead_end, other_machine):
    make_backup(tmp_path / "a.tar")
    rows, folder = Asset.objects.count(), other_machine()
    dead_end()

    with pytest.raises(BackupError, match=r"cannot be reached.*no row was restored"):
        restore(tmp_path / "a.tar", progress=lambda *_: None)
    assert Asset.objects.count() == rows
    assert not list(folder.rglob("*.part"))


@pytest.mark.long
def test_verify_reads_the_list_of_the_bucket_and_every_byte_when_asked(asset, address, store):
    assert command("verify").code == 0
    key = key_of(address, asset, 1)
    data = bytearray(store.client().get_object(Bucket=BUCKET, Key=key)["Body"].read())
    data[-1] ^= 1
    store.client().put_object(Bucket=BUCKET, Key=key, Body=bytes(data))

    listed, whole = command("verify"), command("verify", "--whole")
    store.client().put_object(Bucket=BUCKET, Key=key, Body=bytes(data[:-1]))
    store.client().delete_object(Bucket=BUCKET, Key=key_of(address, asset, 2))
    shorter = command("verify")

    assert listed.code == 0
    assert (whole.code, shorter.code) == (1, 1)
    assert "frames for the viewer failed its checksum" in whole.err
    assert f"has {len(data) - 1:,} bytes instead of {len(data):,}" in shorter.err
    assert "thumbnail is missing" in shorter.err


def test_moving_into_the_bucket_goes_on_where_it_was_stopped(plain, settings, store, tmp_path):
    settings.MEDGEN_OBJECT_STORAGE = address = Address(BUCKET, f"{tmp_path.name}-moved/")
    _, path, sha256 = storage.files_of(plain)[0]
    bucket.put(storage.key_of(path, sha256), sha256, path)  # as far as it had come
    store.client().put_object(Bucket=BUCKET, Key=key_of(address, plain, 2), Body=b"other bytes")

    first, second = command("move_assets", "to-bucket", "--json"), command("move_assets", "to-bucket", "--json")

    assert (first.data["copied"], first.data["there"], first.data["problems"]) == (2, 1, [])
    assert (second.data["copied"], second.data["there"]) == (0, 3)
    assert storage.problems_of(plain, whole=True) == []
    assert path.exists()


def test_moving_names_what_is_nowhere_whole(plain, settings, tmp_path):
    settings.MEDGEN_OBJECT_STORAGE = Address(BUCKET, f"{tmp_path.name}-damaged/")
    storage.files_of(plain)[1][1].write_bytes(b"damage")
    storage.files_of(plain)[2][1].unlink()

    said = command("move_assets", "to-bucket")

    assert said.code == 1
    assert "frames for the viewer failed its checksum" in said.err
    assert "thumbnail is missing" in said.err
    assert "1 files copied" in said.out


@with_own_connections
def test_a_masked_picture_is_in_no_bucket_no_backup_and_nobody_misses_it(asset, curator, objects, settings, tmp_path):
    left = {path: path.read_bytes() for _, path, _ in storage.files_of(asset)}
    other = factories.asset()
    PixelVerdict.objects.create(
        asset=asset, number=1, kind="masked", text_risk=asset.text_risk, replacement=other, reason="a name",
        reviewer=curator,
    )  # fmt: skip
    before = command("verify")
    erase_masked(asset)
    for path, data in left.items():
        path.write_bytes(data)  # the cache of another machine

    said, moved = command("verify"), command("move_assets", "to-bucket", "--json")
    made = make_backup(tmp_path / "a.tar")

    assert "was masked, and its unmasked pixels are still stored" in before.err
    assert "was masked" in said.err
    assert moved.data["copied"] == 0
    assert objects() == {}
    assert not [file for file in made["files"] if asset.sha256 in file["path"]]
    assert not [name for name in made["missing"] if asset.sha256 in name]


def test_moving_back_fills_the_folder(asset, settings, other_machine):
    folder = other_machine()
    assert command("move_assets", "to-folder", "--json").data["copied"] == 3

    settings.MEDGEN_OBJECT_STORAGE = None

    assert len([path for path in folder.rglob("*") if path.is_file()]) == 3
    assert storage.problems_of(asset) == []


def test_moving_needs_a_bucket_and_a_folder_without_limit(plain, settings):
    with pytest.raises(CommandError, match="No bucket is set"):
        call_command("move_assets", "to-bucket")
    settings.MEDGEN_OBJECT_STORAGE, settings.MEDGEN_ASSETS_LIMIT = Address(BUCKET, ""), 5
    with pytest.raises(CommandError, match="MEDGEN_ASSETS_LIMIT"):
        call_command("move_assets", "to-folder")


def test_the_check_before_a_start_sees_a_bucket_that_is_away_or_open(address, store, monkeypatch, dead_end):
    def found() -> list[str]:
        return [str(each.id) for each in run_checks(include_deployment_checks=True) if "medgen.E" in str(each.id)]

    closed = found()
    store.client().create_bucket(Bucket="medgen-open")
    lists = {"Effect": "Allow", "Principal": "*", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::medgen-open"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [lists]})
    store.client().put_bucket_policy(Bucket="medgen-open", Policy=policy)
    with monkeypatch.context() as other:
        other.setattr(bucket, "address", lambda: Address("medgen-open", ""))
        monkeypatch.setattr(bucket, "ASKED_S", 0.0)
        opened = found()
    dead_end()

    assert closed == []
    assert opened == ["medgen.E003"]
    assert found() == ["medgen.E002"]


@pytest.mark.parametrize(
    "text", ["bucket", "https://bucket", "s3://", "s3://KEY:SECRET@bucket", "s3://b/x?y", "s3://bucket/a b"]
)
def test_an_address_that_is_no_bucket_is_refused_without_repeating_secrets(text):
    with pytest.raises(ImproperlyConfigured) as said:
        object_storage.address(text)

    assert "MEDGEN_OBJECT_STORAGE" in str(said.value)
    assert "SECRET@" not in str(said.value)


def test_a_prefix_is_optional():
    assert object_storage.address("") is None
    assert object_storage.address("s3://bucket") == Address("bucket", "")
    assert object_storage.address("s3://bucket/a/b/") == Address("bucket", "a/b/")
