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
from django.db import DatabaseError

from medgen import databases, home_folder
from medgen.trouble import trouble_of
from tests import postgres

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


@pytest.fixture
def fails_at(django_db_blocker):
    """What Django raises when the last of these commands is given to a PostgreSQL of the tests' own."""
    from django.db.utils import load_backend

    def failure(url, *commands):
        chosen = databases.database(url, home=ROOT)
        chosen |= {"TIME_ZONE": None, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}
        connection = load_backend(chosen["ENGINE"]).DatabaseWrapper(chosen)
        with django_db_blocker.unblock(), pytest.raises(DatabaseError) as failed:
            try:
                for command in commands:
                    connection.cursor().execute(command)
            finally:
                connection.close()
        return failed.value

    return failure


@pytest.mark.parametrize(
    ("parameters", "commands", "status", "words"),
    [
        ("", ["SELECT * FROM nothing_here"], 503, "manage.py migrate"),
        ("", ["SELECT nothing_here FROM pg_class"], 503, "manage.py migrate"),
        ("?options=-c%20statement_timeout%3D20ms", ["SELECT pg_sleep(5)"], 503, "took longer"),
        ("", ["SET default_transaction_read_only = on", "CREATE TABLE t (x int)"], 503, "takes no writes"),
        ("", ["SELECT pg_terminate_backend(pg_backend_pid())"], 503, "cannot be reached"),
        ("", ["SELECT 'abc'::varchar::int"], 400, "of another kind"),
        ("", ["DO $$ BEGIN RAISE 'x' USING ERRCODE = '53100'; END $$"], 507, "disk of the database server is full"),
        ("", ["DO $$ BEGIN RAISE 'x' USING ERRCODE = '40P01'; END $$"], 503, "Another program holds"),
    ],
)
def test_what_postgresql_answers_is_said_in_words(fails_at, parameters, commands, status, words):
    problem = fails_at(postgres.address() + parameters, *commands)

    trouble = trouble_of(problem)

    assert trouble is not None, repr(problem)
    assert trouble.status == status
    assert words in trouble.words


def test_a_row_that_postgresql_holds_is_waited_for_and_then_said_to_be_held(fails_at):
    import psycopg

    with postgres.new_database() as url, psycopg.connect(url) as stranger:
        stranger.execute("CREATE TABLE t (x int)")
        stranger.commit()
        stranger.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        problem = fails_at(f"{url}?options=-c%20lock_timeout%3D50ms", "SELECT * FROM t")

    assert trouble_of(problem).retry_seconds == 5


@pytest.mark.parametrize(
    "url",
    ["postgres://ann@127.0.0.1:1/medgen", "postgres://ann@%2Fnowhere/medgen", "postgres://ann@no.invalid/medgen"],
)
def test_a_postgresql_that_is_away_is_said_to_be(fails_at, url):
    problem = fails_at(url, "SELECT 1")

    trouble = trouble_of(problem)

    assert trouble is not None, repr(problem)
    assert (trouble.status, trouble.retry_seconds) == (503, 5)
    assert "cannot be reached" in trouble.words


def test_a_start_with_a_postgresql_that_is_away_says_what_to_look_at(tmp_path):
    answer = manage(tmp_path / "mine", "check", DATABASE_URL="postgres://ann:secret@127.0.0.1:1/medgen")

    assert answer.returncode == 1
    assert "medgen.E010" in answer.stderr
    assert "Is PostgreSQL started?" in answer.stderr
    assert "secret" not in answer.stderr


def test_a_command_with_a_postgresql_that_is_away_ends_in_words(tmp_path):
    answer = manage(tmp_path / "mine", "people", "list", DATABASE_URL="postgres://ann:secret@127.0.0.1:1/medgen")

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stderr


@pytest.mark.parametrize(
    ("kind", "path", "shape"),
    [
        ("text/html", "/", "<h1>"),
        ("application/json", "/", '{"error": '),
        ("text/html", "/api/v1/me/", '"status": 503'),
    ],
)
def test_trouble_is_answered_in_the_shape_that_the_asker_reads(rf, tmp_path, kind, path, shape):
    def broken(request):
        held_database(tmp_path / "x.sqlite3")

    answer = convert_exception_to_response(broken)(rf.generic("POST", path, b"{}", content_type=kind))

    assert answer.status_code == 503
    assert shape in answer.content.decode()
    assert answer.headers["Retry-After"] == "5"
