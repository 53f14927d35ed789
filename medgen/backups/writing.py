"""Making a backup while people work: rows of one moment, then the files they name, then the manifest.

The archive is a tar file: `rows/<table>.jsonl`, `files/<path in the home>` and, last, `manifest.json` with the
checksum of everything before it. Files of a home never change once they have their name, and a file is there
before a row names it, so files copied after the rows are at least those the rows need.
"""

import hashlib
import io
import json
import os
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from annotation.assets import bucket, storage
from annotation.assets.errors import StoreAwayError
from annotation.assets.models import Asset
from annotation.audit.models import ChainHead
from annotation.audit.record import record
from medgen.backups import rows
from medgen.backups.errors import BackupError
from medgen.backups.snapshot import applied_migrations, held_still

FORMAT = 1
MANIFEST = "manifest.json"
ASSETS, EXPORTS = "assets", "exports"
SINGLE_FILES = ["secret.key", "demo.txt"]
BLOCK = 1024**2
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Member:
    """A file of the archive with the checksum of its bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Table:
    label: str
    columns: list[str]
    rows: int
    checksum: str
    file: Member


def make_backup(out: Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Write a backup; it appears under its name complete or not at all, readable by its owner only.

    Args:
        out: the archive, or a folder in which it gets a name with the time.
        progress: called with a stage in words, parts done and parts in all.

    Returns:
        The manifest with the archive's path, size and checksum.

    Raises:
        BackupError: the place is taken or cannot be written.
    """
    if out.is_dir():
        out = out / f"medgen-{timezone.now():%Y%m%d-%H%M%S}.tar"
    if out.exists():
        raise BackupError(f"{out} exists; a backup never replaces a file")
    draft = out.with_name(f"{out.name}.{secrets.token_hex(4)}.part")
    try:
        with _created(draft) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            manifest = _fill(archive, out.parent, progress or _silent)
        _sync(draft)
        size, digest = _digest(draft)
        draft.rename(out)
    except OSError as problem:
        raise BackupError(f"{out}: {problem.strerror}; no backup was made") from problem
    except StoreAwayError as problem:
        raise BackupError(f"{problem} No backup was made.") from problem
    finally:
        draft.unlink(missing_ok=True)
    record("backup made", actor=None, sha256=digest, size=size)
    return manifest | {"path": str(out), "size": size, "sha256": digest}


def _created(path: Path) -> io.BufferedWriter:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def _silent(stage: str, done: int, total: int) -> None:
    """No progress asked for."""


def _fill(archive: tarfile.TarFile, folder: Path, report: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as scratch:
        with held_still(Path(scratch)) as alias:
            made_at = timezone.now().isoformat()
            migrations = applied_migrations(alias)
            chains = {head.chain: [head.sequence, head.hash] for head in ChainHead.objects.using(alias)}
            written = list(_add_tables(archive, Path(scratch), alias, report))
        missing: list[str] = []
        files = list(_add_files(archive, Path(scratch), missing, report))
    manifest: dict[str, Any] = {
        "product": "MedGEN",
        "format": FORMAT,
        "version": settings.MEDGEN_VERSION,
        "made_at": made_at,
        "migrations": migrations,
        "chains": chains,
        "key": "in the archive" if any(file.path == "files/secret.key" for file in files) else "in the environment",
        "tables": [asdict(table) for table in written],
        "files": [asdict(file) for file in files],
        "missing": missing,
    }
    _add_bytes(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
    return manifest


def _add_tables(archive: tarfile.TarFile, scratch: Path, alias: str, report: Progress) -> Iterator[Table]:
    models = rows.tables(apps)
    for done, model in enumerate(models, start=1):
        label = model._meta.label_lower
        path = scratch / f"{label}.jsonl"
        found = rows.TableSum()
        with path.open("w", encoding="utf-8") as file:
            for line in rows.lines(model, rows.columns(model), alias):
                found.add(line)
                file.write(f"{line}\n")
        member = _add_file(archive, path, f"rows/{label}.jsonl")
        path.unlink()
        yield Table(label, rows.columns(model), found.rows, found.checksum, member)
        report("tables", done, len(models))


def home_files(*, with_assets: bool) -> list[tuple[str, Path]]:
    """Files of the home that a backup holds, by their names in it; no drafts of files being written."""
    home = Path(settings.MEDGEN_HOME)
    roots = [(EXPORTS, home / EXPORTS)] + ([(ASSETS, Path(settings.MEDGEN_ASSETS))] if with_assets else [])
    found = [
        (f"{name}/{path.relative_to(root).as_posix()}", path) for name, root in roots for path in root.rglob("*")
    ]
    found += [(name, home / name) for name in SINGLE_FILES]
    return sorted(
        (name, path) for name, path in found if path.is_file() and not path.is_symlink() and path.suffix != ".part"
    )


def _add_files(archive: tarfile.TarFile, scratch: Path, missing: list[str], report: Progress) -> Iterator[Member]:
    """The files; with object storage those of assets come from the bucket, and what is not whole there is missing."""
    stored = bucket.address() is not None
    if stored:
        yield from _add_objects(archive, scratch, missing, report)
    found = home_files(with_assets=not stored)
    for done, (name, path) in enumerate(found, start=1):
        yield _add_file(archive, path, f"files/{name}")
        report("files", done, len(found))


def _add_objects(archive: tarfile.TarFile, scratch: Path, missing: list[str], report: Progress) -> Iterator[Member]:
    root, draft = Path(settings.MEDGEN_ASSETS), scratch / "object"
    kept = Asset.objects.exclude(pk__in=Asset.objects.masked().values("pk"))  # a masked picture has no files any more
    total = kept.count()
    for done, asset in enumerate(kept.order_by("sha256").iterator(chunk_size=500), start=1):
        for _, path, sha256 in sorted(storage.files_of(asset), key=lambda file: file[1]):
            if not sha256:
                continue
            name = f"files/{ASSETS}/{path.relative_to(root).as_posix()}"
            with draft.open("wb") as file:
                problem = storage.copy_out(path, sha256, file)
            if problem:
                missing.append(f"{name}: {problem}")
            else:
                yield _add_file(archive, draft, name)
        report("pictures", done, total)
    draft.unlink(missing_ok=True)


class _Counting(io.RawIOBase):
    """Hands a file on and hashes it on the way, so that it is read once."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _add_file(archive: tarfile.TarFile, path: Path, name: str) -> Member:
    with path.open("rb") as opened:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(opened.fileno()).st_size, 0o600
        counted = _Counting(opened)
        archive.addfile(entry, counted)
    archive.members.clear()  # type: ignore[attr-defined]  # a list for reading, which would only grow
    return Member(name, entry.size, counted.digest.hexdigest())


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o600
    archive.addfile(entry, io.BytesIO(data))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
