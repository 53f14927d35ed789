"""A program never works on tables it does not know, and says which command helps."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from medgen import checks, schema

ROOT = Path(__file__).resolve().parents[2]


def command(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=kept | {"MEDGEN_HOME": str(home)} | more,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_database_of_this_program_fits():
    assert schema.schema_problem() is None


@pytest.mark.django_db
def test_a_database_of_a_newer_program_is_refused_with_the_way_back():
    MigrationRecorder(connection).record_applied("annotation", "0999_future")

    said = schema.schema_problem(may_migrate=True)

    assert "annotation.0999_future" in said
    assert "manage.py restore" in said


@pytest.mark.django_db
def test_a_database_that_is_behind_names_the_command(client):
    MigrationRecorder(connection).record_unapplied("scoring", "0002_trust")

    assert "manage.py migrate" in schema.schema_problem()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "older than this program" in answer.json()["problems"][0]


@pytest.mark.long
def test_serving_a_database_of_a_newer_program_is_refused(tmp_path):
    assert command(tmp_path, "manage.py", "migrate").returncode == 0
    with sqlite3.connect(tmp_path / "medgen.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('annotation', '0999_x', '2030-01-01')"
        )

    served = command(tmp_path, "manage.py", "serve", "--port", "8399")
    own_server = command(tmp_path, "-c", "import medgen.wsgi")

    for answer in (served, own_server):
        assert answer.returncode == 1
        assert "annotation.0999_x" in answer.stderr
    assert "Traceback" not in served.stderr


def test_a_production_configuration_passes_the_deployment_checks(tmp_path):
    answer = command(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", MEDGEN_HTTPS="yes")

    assert answer.returncode == 0, answer.stderr


def test_sqlite_on_a_network_file_system_is_warned_about(tmp_path, monkeypatch, settings):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(checks, "MOUNTS", mounts)

    assert checks.file_system_of(tmp_path / "home") == "nfs4"
    assert checks.file_system_of(Path("/etc")) == "ext4"
