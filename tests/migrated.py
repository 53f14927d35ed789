"""Databases with all tables and nothing in them: migrated once for a test run, copied for each test that needs one.

Tests whose servers and commands run in processes of their own take them from here; migrating anew costs seconds.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "medgen_migrated"


@contextmanager
def new_database(engine: str, home: Path) -> Iterator[str]:
    """The DATABASE_URL of a migrated database: the SQLite file of a home, or one in the tests' PostgreSQL."""
    if engine == "sqlite":
        put_sqlite(home)
        yield f"sqlite:///{home / 'medgen.sqlite3'}"
        return
    with _only_one():
        there = postgres.ask("SELECT 1 FROM pg_database WHERE datname = %s", TEMPLATE)
        if not there:
            postgres.tell(f'CREATE DATABASE "{TEMPLATE}_unready" TEMPLATE template0')
            _migrate(postgres.address(f"{TEMPLATE}_unready"))
            postgres.tell(f'ALTER DATABASE "{TEMPLATE}_unready" RENAME TO "{TEMPLATE}"')
    with postgres.new_database(TEMPLATE) as url:
        yield url


def put_sqlite(home: Path) -> None:
    """Give a home a migrated database, unless it has one."""
    ready = Path(os.environ[postgres.PLACE]).with_suffix(".migrated")
    with _only_one():
        if not ready.exists():
            with tempfile.TemporaryDirectory() as folder:
                made = Path(folder) / "made.sqlite3"
                _migrate(f"sqlite:///{made}")
                shutil.move(made, ready)
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "medgen.sqlite3").exists():
        shutil.copyfile(ready, home / "medgen.sqlite3")


@contextmanager
def _only_one() -> Iterator[None]:
    with Path(os.environ[postgres.PLACE]).with_suffix(".lock2").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    """In a process of its own; when it ends, SQLite's log is folded into the file."""
    with tempfile.TemporaryDirectory() as home:
        run = {"PATH": os.environ["PATH"], "MEDGEN_HOME": home, "DATABASE_URL": url}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=run, check=True, timeout=120)
