"""A killed or doubled import: one winner, nothing half, and it can simply be run again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from annotation.audit.models import Event
from annotation.datasets import chunked, jobs, work
from annotation.datasets.errors import ImportInterruptedError
from annotation.datasets.importing import import_items
from annotation.datasets.models import ImportJob, Item, ItemRevision
from annotation.work.models import Chunk, Job
from tests import factories
from tests.annotation.datasets.builders import jsonl, vqa, with_id

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_the_job_and_the_trail_tell_what_happened(tmp_path, curator):
    file = jsonl(tmp_path / "Doe^Jane.jsonl", vqa(1), "{")

    job = import_items(path=file, dataset_slug="liver", actor=curator).job

    assert (job.state, job.new, job.refused, job.requested_by) == ("done", 1, 1, curator)
    assert job.finished_at is not None
    assert len(job.file_sha256) == 64
    assert job.name_digest.endswith(".jsonl") and "Doe" not in job.name_digest
    verbs = list(Event.objects.values_list("verb", "actor"))
    acts = ("dataset created", "import started", "job requested", "import finished")
    assert verbs == [(verb, str(curator.pk)) for verb in acts]
    assert "Doe" not in str(list(Job.objects.values())) + str(list(Chunk.objects.values()))
    assert not [event for event in Event.objects.all() if "Doe" in str(event.details)]


@pytest.mark.django_db
def test_a_job_left_running_is_marked_failed_by_the_next(tmp_path):
    dataset = factories.dataset("liver")
    left = ImportJob.objects.create(kind="items", dataset=dataset)
    other = ImportJob.objects.create(kind="outputs", dataset=dataset)

    import_items(path=jsonl(tmp_path / "a.jsonl", vqa(1)), dataset_slug="liver", actor=None)

    left.refresh_from_db(), other.refresh_from_db()
    assert (left.state, left.failure) == ("failed", jobs.INTERRUPTED)
    assert other.state == "running"


@pytest.mark.django_db
def test_a_job_that_was_taken_over_writes_no_more(tmp_path, monkeypatch):
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(1200)))
    read = chunked.planned_rows
    calls = []

    def overtaken(payload):
        calls.append(1)
        if len(calls) == 2:
            import_items(path=jsonl(tmp_path / "b.jsonl", vqa(1)), dataset_slug="liver", actor=None)
        return read(payload)

    monkeypatch.setattr(chunked, "planned_rows", overtaken)

    with pytest.raises(ImportInterruptedError, match="another import"):
        import_items(path=file, dataset_slug="liver", actor=None)

    assert list(ImportJob.objects.order_by("started_at").values_list("state", flat=True)) == ["failed", "done"]
    assert sorted(Job.objects.values_list("state", flat=True)) == ["canceled", "done"]
    assert Item.objects.count() == 500


@pytest.mark.django_db
def test_an_error_in_the_middle_leaves_whole_chunks_and_a_failed_job(tmp_path, monkeypatch):
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(1200)))
    chunk = work.write_items
    calls = []

    def broken(*args):
        calls.append(1)
        counts = chunk(*args)
        if len(calls) == 2:
            raise OSError("disk full")
        return counts

    monkeypatch.setattr(work, "write_items", broken)
    with pytest.raises(OSError, match="disk full"):
        import_items(path=file, dataset_slug="liver", actor=None)
    monkeypatch.undo()

    assert Item.objects.count() == 500
    job = ImportJob.objects.get()
    assert (job.state, job.failure, job.new) == ("failed", "Stopped by OSError.", 500)
    again = import_items(path=file, dataset_slug="liver", actor=None)
    assert (again.new, again.unchanged) == (700, 500)


def command(home: Path, *words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "MEDGEN_HOME": str(home),
        "SECRET_KEY": "a key for this test only, long enough to pass",
    }


@pytest.mark.long
def test_an_import_killed_in_the_middle_is_simply_run_again(tmp_path):
    home, total = tmp_path / "own-home", 2500
    file = jsonl(tmp_path / "a.jsonl", *(with_id(vqa(n), f"s:{n}") for n in range(total)))
    own = environment(home)
    home.mkdir()
    subprocess.run(command(home, "migrate", "-v0"), env=own, check=True, timeout=120, capture_output=True)

    words = ("import_items", str(file), "--dataset", "killed", "--json")
    first = subprocess.Popen(command(home, *words), env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database = home / "medgen.sqlite3"
    written = _wait_for_rows(database, first)
    first.kill()
    first.wait()
    left = _count(database, "SELECT count(*) FROM annotation_item")
    second = subprocess.run(command(home, *words), env=own, timeout=120, capture_output=True, text=True, check=False)

    assert 0 < written <= left < total
    assert left % 500 == 0
    assert second.returncode == 0, second.stderr
    assert f'"new": {total - left}, "changed": 0, "unchanged": {left}, "refused": 0' in second.stdout
    assert _count(database, "SELECT count(*) FROM annotation_item") == total
    assert _count(database, "SELECT count(*) FROM annotation_itemrevision") == total
    assert _count(database, "SELECT count(DISTINCT number) FROM annotation_item") == total
    assert _count(database, "SELECT count(*) FROM annotation_importjob WHERE state = 'failed'") == 1
    assert _count(database, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check != 'ok'") == 0


def _count(database: Path, query: str) -> int:
    import sqlite3

    with sqlite3.connect(database, timeout=20) as opened:
        return int(opened.execute(query).fetchone()[0])


def _wait_for_rows(database: Path, process: subprocess.Popen) -> int:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        rows = _count(database, "SELECT count(*) FROM annotation_item")
        if rows:
            return rows
        time.sleep(0.005)
    raise AssertionError("the import ended before it could be killed")


@pytest.mark.django_db
def test_revisions_and_items_agree_after_bulk_inserts(tmp_path):
    import_items(path=jsonl(tmp_path / "a.jsonl", vqa(1), vqa(2)), dataset_slug="liver", actor=None)

    connection.check_constraints()
    for revision in ItemRevision.objects.select_related("item"):
        assert revision.item.current_revision_id == revision.pk
        assert revision.created_at is not None
