"""A migration that is killed anywhere leaves a database that the same command brings up to date."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.browser.server import ROOT, environment

pytestmark = pytest.mark.long

MIGRATE = [sys.executable, "manage.py", "migrate"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
    else:
        with postgres.new_database() as address:
            yield address


def tables(home: Path, url: str) -> list[tuple[str, ...]]:
    """Every column of every table with its type, by the database's own client."""
    if url:
        asked = """SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
                   WHERE table_schema = 'public' ORDER BY 1, 2"""
        with psycopg.connect(url) as opened:
            return opened.execute(asked).fetchall()
    with sqlite3.connect(home / "medgen.sqlite3") as opened:
        return opened.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


def killed_and_run_again(home: Path, url: str, moments: list[float]) -> list[tuple[str, ...]]:
    run = environment(home) | ({"DATABASE_URL": url} if url else {})
    for moment in moments:
        started = subprocess.Popen(MIGRATE, cwd=ROOT, env=run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        started.kill()
        started.wait()
    done = subprocess.run(MIGRATE, cwd=ROOT, env=run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verified = subprocess.run(
        [sys.executable, "manage.py", "verify"], cwd=ROOT, env=run, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stderr
    return tables(home, url)


def undisturbed(home: Path, url: str) -> list[tuple[str, ...]]:
    home.mkdir()
    return killed_and_run_again(home, url, [])


def test_a_migration_killed_twice_ends_like_an_undisturbed_one(tmp_path):
    (tmp_path / "killed").mkdir()

    assert killed_and_run_again(tmp_path / "killed", "", [1.1, 1.9]) == undisturbed(tmp_path / "whole", "")


@pytest.mark.soak
def test_migrations_killed_at_random_moments_end_like_an_undisturbed_one(url, tmp_path):
    chance = random.Random(8)
    expected = None
    for number in range(10):
        home = tmp_path / f"killed{number}"
        home.mkdir()
        if url:
            postgres_clean(url)
        found = killed_and_run_again(home, url, [chance.uniform(0.5, 4) for _ in range(3)])
        expected = expected or found
        assert found == expected


def postgres_clean(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as opened:
        opened.execute("DROP SCHEMA public CASCADE")
        opened.execute("CREATE SCHEMA public")
