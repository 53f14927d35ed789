"""Databases with all tables and nothing in them: migrated once for a test run, copied for each test that needs one.

Tests whose servers and commands run in processes of their own take them from here; migrating anew costs seconds.
"""

import fcntl
import functools
import hashlib
import importlib.metadata
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests import postgres

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "medgen_migrated"
MADE_BY = (
    "*/migrations/*.py",
    "annotation/audit/*.py",
    "annotation/*/library.py",
    "annotation/studies/rubrics/*.json",
)


@contextmanager
def new_database(engine: str, home: Path) -> Iterator[str]:
    """The DATABASE_URL of a migrated database: the SQLite file of a home, or one in the tests' PostgreSQL."""
    if engine == "sqlite":
        put_sqlite(home)
        yield f"sqlite:///{home / 'medgen.sqlite3'}"
        return
    with postgres.new_database(postgresql_template()) as url:
        yield url


def put_sqlite(home: Path) -> None:
    """Give a home a migrated database, unless it has one."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "medgen.sqlite3").exists():
        shutil.copyfile(sqlite_template(), home / "medgen.sqlite3")


@contextmanager
def in_memory(name: str) -> Iterator[None]:
    """Fill the SQLite database in memory that Django's tests are about to open; it lives until the end."""
    keeper = sqlite3.connect(name, uri=True, check_same_thread=False)
    with closing(keeper), closing(_read_only(sqlite_template())) as template:
        template.backup(keeper)
        yield


def _read_only(file: Path) -> sqlite3.Connection:
    """Leaves nothing beside the file, however the run ends."""
    return sqlite3.connect(f"file:{file}?immutable=1", uri=True)


def postgresql_template() -> str:
    """The name of a migrated database, to be copied."""
    with _only_one():
        there = postgres.ask("SELECT 1 FROM pg_database WHERE datname = %s", TEMPLATE)
        if not there:
            postgres.tell(f'CREATE DATABASE "{TEMPLATE}_unready" TEMPLATE template0')
            _migrate(postgres.address(f"{TEMPLATE}_unready"))
            postgres.tell(f'ALTER DATABASE "{TEMPLATE}_unready" RENAME TO "{TEMPLATE}"')
    return TEMPLATE


def sqlite_template() -> Path:
    """The file of a migrated database, to be copied; kept for later runs until something that makes it changes."""
    ready = Path(tempfile.gettempdir()) / f"medgen-migrated-{os.geteuid()}-{_what_makes_it()}.sqlite3"
    with _only_one():
        if not ready.exists():
            with tempfile.TemporaryDirectory(dir=ready.parent) as folder:
                made = Path(folder) / "made.sqlite3"
                _migrate(f"sqlite:///{made}")
                made.rename(ready)
    return ready


@functools.cache
def _what_makes_it() -> str:
    """One checksum of the migrations, of the code and data they use, and of the versions that carry their own."""
    found = hashlib.sha256()
    for name in ("django", "django-allauth"):
        found.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    for file in sorted(file for pattern in MADE_BY for file in ROOT.glob(pattern)):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


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
