"""The drill: back up while others write, restore into either kind of database, compare with independent tools."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.browser.server import ROOT, environment

pytestmark = pytest.mark.long

ENGINES = ("sqlite", "postgresql")
TABLES = {
    "annotation_event": "id, verb, subject_id, sequence, hash",
    "annotation_dataset": "slug, name",
    "annotation_asset": "sha256, size_bytes, data_low",
    "annotation_chainhead": "chain, sequence, hash",
}


@contextmanager
def database(engine: str) -> Iterator[dict[str, str]]:
    """The settings of an empty database of one kind."""
    if engine == "sqlite":
        yield {}
        return
    with postgres.new_database() as url:
        yield {"DATABASE_URL": url}


def command(home: Path, more: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment(home) | more, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(home: Path, more: dict[str, str], table: str) -> set[tuple[Any, ...]]:
    """Rows as the database's own client gives them, without Django."""
    asked = f"SELECT {TABLES[table]} FROM {table}"
    if url := more.get("DATABASE_URL"):
        with psycopg.connect(url) as opened:
            return set(opened.execute(asked.encode()).fetchall())
    with sqlite3.connect(home / "medgen.sqlite3") as opened:
        return set(opened.execute(asked).fetchall())


@pytest.mark.parametrize("source", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
def test_a_backup_made_during_writes_restores_whole_into_both_kinds(source, tmp_path):
    home = tmp_path / "home"
    with database(source) as settings:
        command(home, settings, "manage.py", "migrate")
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.medgen.drill_writer", "100000"],
            cwd=ROOT, env=environment(home) | settings, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 30:
            pass
        try:
            command(home, settings, "manage.py", "backup", str(tmp_path / "b.tar"))
            assert writer.poll() is None, "the writer ended before the backup did"
        finally:
            writer.terminate()
            writer.communicate(timeout=30)
        command(home, settings, "manage.py", "verify")
        original = {table: rows(home, settings, table) for table in TABLES}
    held: dict[str, dict[str, set[tuple[Any, ...]]]] = {}
    for target in ENGINES:
        with database(target) as into:
            other = tmp_path / f"restored-{target}"
            command(other, into, "manage.py", "restore", str(tmp_path / "b.tar"))
            command(other, into, "manage.py", "verify")
            held[target] = {table: rows(other, into, table) for table in TABLES}
            check_files(other, {row[0] for row in held[target]["annotation_asset"]})

    assert held["sqlite"]["annotation_dataset"] == held["postgresql"]["annotation_dataset"]
    assert held["sqlite"]["annotation_asset"] == held["postgresql"]["annotation_asset"]
    assert len(held["sqlite"]["annotation_dataset"]) >= 30
    for table in ("annotation_dataset", "annotation_asset"):
        assert held["sqlite"][table] < original[table], "the writer added nothing while the backup was made"
    restored_events = {row for row in held["sqlite"]["annotation_event"] if row[1] == "dataset made"}
    assert restored_events < original["annotation_event"]
    assert len(restored_events) == len(held["sqlite"]["annotation_dataset"])


def check_files(home: Path, digests: set[str]) -> None:
    for digest in digests:
        data = (home / "assets" / digest[:2] / digest[2:4] / f"{digest}.png").read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
    assert os.stat(home / "secret.key").st_mode & 0o777 == 0o600
