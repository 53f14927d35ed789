"""Does this program fit its database? A program never works on tables it does not know."""

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

BEHIND = (
    "The database is older than this program: {n} steps are missing, the first is {first}. Make a backup with the "
    "program that made it, then bring it up to date with:\n\n    .venv/bin/python manage.py migrate"
)
AHEAD = (
    "The database was last used by a newer version of this program: it has seen {first}, which this version "
    "({version}) does not know. Nothing was changed. Install the newer version again, or restore a backup made "
    "before the upgrade:\n\n    .venv/bin/python manage.py restore BACKUP.tar"
)


class SchemaError(RuntimeError):
    """The tables are not those this program works on."""


def unknown_migrations() -> list[str]:
    """Steps the database has seen and this program does not have, of apps that this program knows."""
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    known = set(loader.disk_migrations or {}) | set(loader.replacements)
    apps = {app for app, _ in known}
    return sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in apps and (app, name) not in known
    )


def missing_migrations() -> list[str]:
    """Steps this program has and the database has not seen, in their order."""
    loader = MigrationLoader(connection, ignore_no_migrations=True)
    plan = [node for leaf in loader.graph.leaf_nodes() for node in loader.graph.forwards_plan(leaf)]
    return [f"{app}.{name}" for app, name in dict.fromkeys(plan) if (app, name) not in loader.applied_migrations]


def schema_problem(*, may_migrate: bool = False) -> str | None:
    """Why the program must not work on this database, with the command that mends it; None when it fits.

    Args:
        may_migrate: missing steps are no problem, because they are about to be taken.
    """
    unknown = unknown_migrations()
    if unknown:
        return AHEAD.format(first=unknown[0], version=settings.MEDGEN_VERSION)
    missing = [] if may_migrate else missing_migrations()
    return BEHIND.format(n=len(missing), first=missing[0]) if missing else None
