"""A backup holds everything; a restore gives the same rows and files, into either kind of database."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from annotation.assets import storage
from annotation.assets.models import Asset
from annotation.audit.models import Event
from annotation.audit.record import record
from medgen.backups import reading, rows
from medgen.backups.errors import BackupError
from medgen.backups.writing import make_backup
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(home: Path) -> Path:
    """A dataset with images, a release, outputs, a study with a grade, and odd values in JSON and text."""
    factories.item(format="multimodal_generation", task="disease-prediction", reference_image=True)
    release = factories.release()
    submission = factories.submission(release)
    study = factories.study(release, submissions=[submission], state="running")
    enrollment = factories.enroll(study, factories.person("reader", name="Zoë Ångström 🙂"))
    reading_ = factories.reading(enrollment, study.study_items.get(), list(submission.outputs.all()))
    factories.grade(reading_.reading_outputs.get(), rationale='line\u2028break \\ " tab\t')
    record(
        "odd", actor=None, subject=study, whole=1.0, small=1e-300, large=1e22, nothing=None, deep={"b": [1], "a": {}}
    )
    for asset in Asset.objects.all():
        storage.write_once(storage.stored_path(asset), b"bytes of " + asset.sha256.encode())
    (home / "secret.key").write_text("k" * 60)
    return home


def restored(archive: Path, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The restore command in a process of its own, as on another machine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(archive), "--json", *more],
        cwd=ROOT, env=kept | {"MEDGEN_HOME": str(target)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.long
def test_a_restore_gives_the_same_rows_files_and_key(world, tmp_path):
    made = make_backup(tmp_path / "b.tar")

    answer = restored(tmp_path / "b.tar", tmp_path / "other")

    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "other" / "secret.key").read_text() == "k" * 60
    again = make_backup_elsewhere(tmp_path / "other", tmp_path / "again.tar")
    before = {table["label"]: (table["rows"], table["checksum"]) for table in made["tables"]}
    after = {table["label"]: (table["rows"], table["checksum"]) for table in again["tables"]}
    trail = {"annotation.event", "annotation.chainhead"}
    assert {label for label in before if before[label] != after[label]} <= trail
    assert after["annotation.event"][0] == before["annotation.event"][0] + 1  # "home restored"
    assert made["files"] == again["files"]


def make_backup_elsewhere(home: Path, out: Path) -> dict:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "DATABASE_"))}
    subprocess.run(
        [sys.executable, "manage.py", "backup", str(out)],
        cwd=ROOT, env=kept | {"MEDGEN_HOME": str(home)}, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    with reading.opened(out) as (_, manifest):
        return manifest


@pytest.mark.long
def test_a_home_in_use_is_never_restored_into(world, tmp_path):
    make_backup(tmp_path / "b.tar")
    assert restored(tmp_path / "b.tar", tmp_path / "other").returncode == 0

    second = restored(tmp_path / "b.tar", tmp_path / "other")

    assert second.returncode == 1
    assert "already holds people" in second.stderr


def test_one_changed_byte_is_found_and_nothing_is_restored(world, tmp_path):
    path = tmp_path / "b.tar"
    make_backup(path)
    with tarfile.open(path) as archive:
        place = archive.getmember("rows/annotation.grade.jsonl").offset_data + 40
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)

    with pytest.raises(CommandError, match=r"rows/annotation\.grade\.jsonl: has changed"):
        call_command("verify", backup=path)
    answer = restored(path, tmp_path / "other")
    assert answer.returncode == 1
    assert "is damaged, nothing was restored" in answer.stderr
    assert not list((tmp_path / "other").rglob("assets"))


@pytest.mark.parametrize("keep", [0, 100, 5000, -20_000])
def test_a_backup_cut_short_is_refused_in_words(world, tmp_path, keep):
    path = tmp_path / "b.tar"
    make_backup(path)
    path.write_bytes(path.read_bytes()[: keep or 0] if keep >= 0 else path.read_bytes()[:keep])

    answer = restored(path, tmp_path / "other")

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "b.tar" in answer.stderr


def test_a_backup_of_a_newer_program_is_refused_naming_the_version(world, tmp_path):
    path = tmp_path / "b.tar"
    make_backup(path)
    changed = tmp_path / "newer.tar"
    with tarfile.open(path) as old, tarfile.open(changed, "w") as new:
        for entry in old:
            data = old.extractfile(entry).read()
            if entry.name == "manifest.json":
                manifest = json.loads(data)
                manifest["migrations"].append(["annotation", "0999_future"])
                manifest["version"] = "9.9"
                data = json.dumps(manifest).encode()
                entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))

    answer = restored(changed, tmp_path / "other")

    assert answer.returncode == 1
    assert "9.9" in answer.stderr
    assert "annotation.0999_future" in answer.stderr


def test_a_backup_never_replaces_a_file_and_leaves_no_draft(world, tmp_path):
    (tmp_path / "b.tar").write_text("mine")

    with pytest.raises(BackupError, match="never replaces"):
        make_backup(tmp_path / "b.tar")

    assert (tmp_path / "b.tar").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".part", ".sqlite3"}] == []


def test_a_backup_is_readable_by_its_owner_only_and_leaves_an_event(world, tmp_path):
    made = make_backup(tmp_path / "b.tar")

    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    assert Event.objects.filter(verb="backup made").get().details["sha256"] == made["sha256"]


def test_the_checksum_of_a_table_sees_every_column_of_every_row(world):
    from annotation.grading.models import Grade

    names = rows.columns(Grade)
    lines = list(rows.lines(Grade, names, connection.alias))
    whole = rows.sum_of(Grade, names, connection.alias).checksum

    for line in lines:
        values = json.loads(line)
        for place in range(len(values)):
            changed = [*values]
            changed[place] = "x"
            other = rows.TableSum()
            other.add(json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
            assert other.checksum != whole


def test_a_name_that_leads_outside_is_never_unpacked():
    assert reading.is_inside("files/assets/ab/cd/x.png")
    assert not reading.is_inside("files/../../etc/passwd")
    assert not reading.is_inside("/etc/passwd")


def test_a_trail_that_was_cut_since_a_backup_is_found_by_it(world, tmp_path):
    from annotation.audit import triggers

    make_backup(tmp_path / "b.tar")
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_event WHERE verb = 'odd'")
        cursor.execute("DELETE FROM annotation_chainhead WHERE chain LIKE 'study:%%'")

    with pytest.raises(CommandError, match=r"trail .*b\.tar"):
        call_command("verify", since=tmp_path / "b.tar")
