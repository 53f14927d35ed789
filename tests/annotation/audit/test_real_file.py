"""A database in a file as it is used, met from outside of the program by a plain SQLite without any setting."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.audit.triggers import GUARDED

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[3]
BUILD = """
import sys, threading
import django
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from pathlib import Path
from annotation.audit.chain import verify_chains
from annotation.audit.models import Event
from annotation.audit.record import record
from annotation.grading.trail import export_trail
from tests import factories
from tests.annotation.audit import world

made = world.graded(factories.person("reader"), factories.person("curator", is_curator=True), formats=("vqa",))
start = threading.Barrier(4)

def write():
    start.wait()
    for n in range(5):
        record("race", actor=None, n=n)
    connection.close()

threads = [threading.Thread(target=write) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
numbers = sorted(Event.objects.filter(chain="site").values_list("sequence", flat=True))
assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 20, numbers
assert list(verify_chains()) == []
export_trail(study=made.study, out=Path(sys.argv[1]), actor=None)
"""


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "medgen.settings", "MEDGEN_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A home with a graded study and twenty events that four threads wrote at once."""
    home = tmp_path_factory.mktemp("built")
    done = run(home, "-c", BUILD, str(home / "trail.jsonl"))
    assert done.returncode == 0, done.stderr[-2000:]
    return home


@pytest.fixture
def used(built, tmp_path) -> Path:
    shutil.copytree(built, tmp_path / "used")
    return tmp_path / "used"


def opened(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "medgen.sqlite3", isolation_level=None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE annotation_grade SET safety = 'severe'",
        "UPDATE annotation_criterionscore SET value = 5",
        "DELETE FROM annotation_event",
        "DELETE FROM annotation_grade WHERE version = 2",
        "REPLACE INTO annotation_criterionscore SELECT id, 5, na_reason, criterion_id, grade_id"
        " FROM annotation_criterionscore",
        "INSERT OR REPLACE INTO annotation_errormark SELECT id + 1000, nowhere, position + 1, error_code_id, grade_id"
        " FROM annotation_errormark UNION ALL SELECT id + 2000, nowhere, position, error_code_id, grade_id"
        " FROM annotation_errormark",
        "UPDATE OR REPLACE annotation_event SET sequence = 1 WHERE sequence = 2",
    ],
)
def test_a_stranger_with_the_file_is_refused(used, statement):
    with opened(used) as database:
        before = list(database.iterdump())

        with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
            database.execute(statement)

        assert list(database.iterdump()) == before


def test_a_stranger_who_drops_a_trigger_is_found_by_verify_and_by_the_next_trail(used, built):
    with opened(used) as database:
        (trigger,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'annotation_criterionscore_no_update'"
        ).fetchone()
        database.execute("DROP TRIGGER annotation_criterionscore_no_update")
        database.execute("UPDATE annotation_criterionscore SET value = 5 WHERE value = 2")
        database.execute(trigger)

    verified = run(used, "manage.py", "verify", "--json")
    study = json.loads((built / "trail.jsonl").read_text().partition("\n")[0])["study"]
    run(used, "manage.py", "export_trail", study, str(used / "later.jsonl"))
    script = ROOT / "medgen" / "verify_trail.py"
    alone = [
        subprocess.run(
            [sys.executable, "-I", "-S", str(script), str(path)], capture_output=True, text=True, check=False
        )
        for path in (built / "trail.jsonl", used / "later.jsonl")
    ]

    assert verified.stdout, verified.stderr[-2000:]
    found = [finding for finding in json.loads(verified.stdout)["findings"] if finding["area"] == "trail"]
    assert verified.returncode == 1 and len(found) == 1
    assert "was altered: its seal does not fit" in found[0]["problem"]
    assert [one.returncode for one in alone] == [0, 1]
    assert "was altered: its seal does not fit" in alone[1].stdout


def test_a_home_goes_back_before_chains_and_forth_again(used):
    count = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger'"
    columns = "at, actor, verb, subject_type, subject_id, details, chain, previous_hash, hash"

    back = run(used, "manage.py", "migrate", "annotation", "0004", "--verbosity", "0")
    with opened(used) as database:
        assert database.execute(count).fetchone() == (0,), back.stderr[-2000:]
        database.execute(
            f"INSERT INTO annotation_event ({columns}) VALUES (?, '', ?, '', '', '{{}}', 'site', '', '')",
            ("2026-01-01 00:00:00", "written by the program of before"),
        )
    forth = run(used, "manage.py", "migrate", "--verbosity", "0")
    verified = run(used, "manage.py", "verify", "--json")

    assert forth.returncode == 0, forth.stderr[-2000:]
    assert [row for row in json.loads(verified.stdout)["findings"] if row["area"] == "trail"] == []
    with opened(used) as database:
        assert database.execute(count).fetchone() == (3 * len(GUARDED),)
