"""One moment of the database, held still while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

ALIAS = "snapshot"


@contextmanager
def held_still(folder: Path) -> Iterator[str]:
    """The alias of a database that does not change while the block runs.

    SQLite: a copy made in one step (VACUUM INTO), so that writers wait for nothing. PostgreSQL: one read-only
    transaction that sees the moment it began.

    Args:
        folder: where the copy may lie while the block runs.
    """
    if connection.vendor == "sqlite":
        with _copy(folder) as alias:
            yield alias
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection.alias


@contextmanager
def _copy(folder: Path) -> Iterator[str]:
    file = folder / "snapshot.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(file)])
    settings = connection.settings_dict | {"NAME": str(file), "OPTIONS": {}}
    connections[ALIAS] = type(connections[DEFAULT_DB_ALIAS])(settings, ALIAS)
    try:
        yield ALIAS
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        file.unlink()


def applied_migrations(alias: str) -> list[list[str]]:
    """Every migration the database has seen, as [app, name]."""
    return sorted([app, name] for app, name in MigrationRecorder(connections[alias]).applied_migrations())
