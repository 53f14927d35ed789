"""Looking into a backup: its manifest, and whether every byte in it is what the manifest says."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from medgen.backups.errors import BackupError
from medgen.backups.writing import BLOCK, FORMAT, MANIFEST

MANIFEST_LIMIT = 256 * 1024**2


@contextmanager
def opened(path: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, Any]]]:
    """The archive and its manifest.

    Raises:
        BackupError: it is not a backup of MedGEN, was cut short, or was made by a newer program.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive, _manifest(path, archive)
    except (tarfile.TarError, EOFError) as problem:
        raise BackupError(f"{path}: is not a whole backup ({problem})") from problem
    except OSError as problem:
        raise BackupError(f"{path}: {problem.strerror}") from problem


def _manifest(path: Path, archive: tarfile.TarFile) -> dict[str, Any]:
    try:
        member = archive.getmember(MANIFEST)
        stream = archive.extractfile(member)
        assert stream is not None
        if member.size > MANIFEST_LIMIT:
            raise BackupError(f"{path}: the manifest is longer than {MANIFEST_LIMIT:,} bytes")
        manifest = json.loads(stream.read())
    except (KeyError, ValueError, AssertionError) as problem:
        raise BackupError(f"{path}: has no readable manifest; it is cut short or not a backup of MedGEN") from problem
    if not isinstance(manifest, dict) or manifest.get("product") != "MedGEN":
        raise BackupError(f"{path}: is not a backup of MedGEN")
    if manifest.get("format") != FORMAT:
        raise BackupError(
            f"{path}: has format {manifest.get('format')!r}, this program reads {FORMAT}; restore it with the "
            f"version that made it ({manifest.get('version')})"
        )
    return manifest


def members(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Every file the manifest vouches for."""
    return [*(table["file"] for table in manifest["tables"]), *manifest["files"]]


def problems(archive: tarfile.TarFile, manifest: dict[str, Any]) -> list[str]:
    """What differs from the manifest, by name; an empty list for a whole backup."""
    found = []
    vouched = {member["path"]: member for member in members(manifest)}
    there = {entry.name: entry for entry in archive}
    for name, member in vouched.items():
        entry = there.get(name)
        if entry is None:
            found.append(f"{name}: is missing")
        elif not entry.isreg() or not is_inside(name):
            found.append(f"{name}: is not a plain file inside the archive")
        elif digest_of(archive, entry) != member["sha256"]:
            found.append(f"{name}: has changed")
    found += [f"{name}: is not in the manifest" for name in there if name not in vouched and name != MANIFEST]
    return found


def is_inside(name: str) -> bool:
    """A relative path that stays where it is unpacked."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\x00" not in name


def digest_of(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    stream = archive.extractfile(entry)
    digest = hashlib.sha256()
    while stream is not None and (block := stream.read(BLOCK)):
        digest.update(block)
    return digest.hexdigest()
