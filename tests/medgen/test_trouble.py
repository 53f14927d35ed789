"""A home that cannot be used, a database that is held, a full disk: said in words, by command and by page."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.exception import convert_exception_to_response

from medgen import home_folder
from medgen.trouble import trouble_of

ROOT = Path(__file__).resolve().parents[2]


def manage(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "MEDGEN_HOME": str(home)} | variables
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_on_a_home_without_tables_names_the_command_that_makes_them(tmp_path):
    answer = manage(tmp_path / "mine", "people", "list")

    assert answer.returncode == 1
    assert "python manage.py migrate" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_home_that_is_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "mine").write_text("x")

    answer = manage(tmp_path / "mine", "people", "list")

    assert answer.returncode == 2
    assert answer.stderr == f"MEDGEN_HOME: {tmp_path}/mine: cannot be made (File exists)\n"


def test_a_short_key_is_refused_in_one_line(tmp_path):
    answer = manage(tmp_path / "mine", "people", "list", SECRET_KEY="changeme")

    assert answer.returncode == 2
    assert answer.stderr.startswith("SECRET_KEY: has 8 characters, a key needs 32 or more.")


def test_a_new_home_is_closed_to_other_accounts_and_keeps_its_key(tmp_path):
    home = tmp_path / "deep" / "home"
    home_folder.prepare(home)

    key = home_folder.secret_key(home, "")

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600
    assert len(key) > 60 and home_folder.secret_key(home, "") == key
    assert [path.name for path in home.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("kept", [b"", b"short", b"\xff" * 60])
def test_a_damaged_key_is_never_replaced(tmp_path, kept):
    (tmp_path / "secret.key").write_bytes(kept)

    with pytest.raises(ImproperlyConfigured, match=r"secret\.key"):
        home_folder.secret_key(tmp_path, "")

    assert (tmp_path / "secret.key").read_bytes() == kept


def held_database(path: Path) -> None:
    """Write to a database while another connection holds it."""
    with sqlite3.connect(path, isolation_level=None) as holder, sqlite3.connect(path, timeout=0) as second:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN IMMEDIATE")
        second.execute("INSERT INTO t VALUES (1)")


def full_database(path: Path) -> None:
    with sqlite3.connect(path) as small:
        small.execute("CREATE TABLE t (x)")
        small.execute("PRAGMA max_page_count = 3")
        small.execute("INSERT INTO t VALUES (zeroblob(100000))")


def full_disk(path: Path) -> None:
    with open("/dev/full", "wb") as file:
        file.write(b"x" * 100_000)


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (held_database, 503, "Another program holds the database"),
        (full_database, 507, "is full"),
        (full_disk, 507, "is full"),
    ],
)
def test_a_page_says_what_is_wrong_below_it(rf, tmp_path, fault, status, words):
    answer = convert_exception_to_response(lambda request: fault(tmp_path / "x.sqlite3"))(rf.get("/"))

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def test_a_defect_of_our_own_stays_a_plain_500(rf):
    answer = convert_exception_to_response(lambda request: 1 // 0)(rf.get("/"))

    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content
    assert trouble_of(OSError(errno.ENOENT, "no such file")) is None
