"""Restoring a backup into an empty home, on this or another machine, into either database.

The tables are made as they were when the backup was made, filled in one transaction, compared with the
backup's checksums, and then brought up to date. Nothing of the target is touched before the whole archive was
found intact, and a restore that is stopped leaves a home that still counts as empty.
"""

import io
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.loader import MigrationLoader

from annotation.assets import storage
from annotation.assets.errors import StoreAwayError
from annotation.audit.record import record
from annotation.people.models import User
from medgen.backups import reading, rows
from medgen.backups.errors import BackupError
from medgen.backups.writing import ASSETS, Progress

KEY = "files/secret.key"


def restore(path: Path, *, progress: Progress) -> dict[str, Any]:
    """Restore a backup into this home and its database, both empty; returns the manifest.

    Raises:
        BackupError: the backup is damaged or newer than this program, or the home is in use.
    """
    with reading.opened(path) as (archive, manifest):
        _refuse_used_home()
        nodes = _known_migrations(manifest)
        progress("checking the backup", 0, 0)
        found = reading.problems(archive, manifest)
        if found:
            raise BackupError(f"{path}: is damaged, nothing was restored\n" + "\n".join(found[:20]))
        try:
            _put_files(archive, manifest, progress)
        except StoreAwayError as problem:
            raise BackupError(f"{path}: {problem} Then restore again: no row was restored.") from problem
        _make_tables(nodes)
        _put_rows(archive, manifest, nodes, progress)
        call_command("migrate", verbosity=0, interactive=False)
        _put_key(archive)
    record("home restored", actor=None, made_at=manifest["made_at"], version=manifest["version"])
    return manifest


def _refuse_used_home() -> None:
    names = connection.introspection.table_names()
    if User._meta.db_table in names and User.objects.exists():
        raise BackupError(
            "this database already holds people; restore into an empty one: set MEDGEN_HOME to a new folder, "
            "and DATABASE_URL to an empty database when you use PostgreSQL"
        )


def _known_migrations(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The migrations the backup had seen; all of them must be known here."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    seen = {(app, name) for app, name in manifest["migrations"]}
    unknown = sorted(seen - set(loader.disk_migrations or {}) - set(loader.replacements))
    if unknown:
        app, name = unknown[0]
        apps = ", ".join(sorted({app for app, _ in unknown}))
        raise BackupError(
            f"the backup was made by version {manifest['version']} and knows tables that this program does not "
            f"({app}.{name}): install that version or a newer one, and switch on what it used ({apps})"
        )
    return sorted(seen)


def _newest(nodes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The last migration of each app."""
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    followed = {parent.key for node in nodes for parent in graph.node_map[node].parents if parent.key[0] == node[0]}
    return [node for node in nodes if node not in followed]


def _put_files(archive: tarfile.TarFile, manifest: dict[str, Any], progress: Progress) -> None:
    total = len(manifest["files"])
    for done, member in enumerate(manifest["files"], start=1):
        if member["path"] != KEY:
            _put_file(archive, member["path"], target := _target(member["path"]))
            storage.publish(target)
        progress("files", done, total)
    os.sync()  # once for all files, before a row names them


def _target(name: str) -> Path:
    """Where a file of the archive belongs; the folder of assets need not lie in the home."""
    inside = name.removeprefix("files/")
    if inside.startswith(f"{ASSETS}/"):
        return Path(settings.MEDGEN_ASSETS) / inside.removeprefix(f"{ASSETS}/")
    return Path(settings.MEDGEN_HOME) / inside


def _put_file(archive: tarfile.TarFile, name: str, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(6)}.part")
    stream = archive.extractfile(name)
    assert stream is not None
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(stream, file)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _put_key(archive: tarfile.TarFile) -> None:
    """The home's own key, so that patients' ids are replaced as before; the one just made here is not needed."""
    if KEY in archive.getnames():
        _put_file(archive, KEY, Path(settings.MEDGEN_HOME) / "secret.key")


def _make_tables(nodes: list[tuple[str, str]]) -> None:
    for app, name in _newest(nodes):
        call_command("migrate", app, name, verbosity=0, interactive=False)


def _put_rows(
    archive: tarfile.TarFile, manifest: dict[str, Any], nodes: list[tuple[str, str]], progress: Progress
) -> None:
    state: Apps = MigrationLoader(connection).project_state(nodes).apps
    by_label = {model._meta.label_lower: model for model in rows.tables(state)}
    tables = manifest["tables"]
    with transaction.atomic():
        _empty(list(by_label.values()))
        for done, table in enumerate(tables, start=1):
            model = by_label[table["label"]]
            rows.load(model, _lines(archive, table["file"]["path"]), table["columns"], connection.alias)
            progress("tables", done, len(tables))
        connection.check_constraints()
        _compare(by_label, tables)
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_sql(no_style(), list(by_label.values())):
                cursor.execute(sql)


def _empty(found: list[type[models.Model]]) -> None:
    """Remove what migrations themselves put into the new tables; the backup brings its own."""
    with connection.cursor() as cursor:
        for model in found:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 (own names)


def _lines(archive: tarfile.TarFile, name: str) -> Iterator[str]:
    stream = archive.extractfile(name)
    assert stream is not None
    yield from io.TextIOWrapper(stream, encoding="utf-8", newline="\n")


def _compare(by_label: dict[str, type[models.Model]], tables: list[dict[str, Any]]) -> None:
    differing = []
    for table in tables:
        found = rows.sum_of(by_label[table["label"]], table["columns"], connection.alias)
        if (found.rows, found.checksum) != (table["rows"], table["checksum"]):
            differing.append(f"{table['label']}: {found.rows} rows, {table['rows']} in the backup")
    if differing:
        raise BackupError("the restored rows differ from the backup, nothing is kept\n" + "\n".join(differing))
