"""Where the bytes of an asset lie: `ab/cd/<sha256><suffix>` below the assets folder, frames and thumbnail beside it.

A file is written under a temporary name, synced and renamed before its row is made, so a row never points at
half a file; a crash in between leaves at most a file that the next import of the same picture finds ready.

Files can be lost or changed behind our back. Before pixels are shown, graded or measured, `damage_of` compares them
with the checksums of the row. A file is hashed once in a process, and again only when its size, times or place on the
disk have changed.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from annotation.assets.models import Asset

FRAMES_SUFFIX = ".frames"
THUMBNAIL_SUFFIX = ".thumb.png"
DIGESTS_KEPT = 16_384
LOST, CHANGED = "is missing", "failed its checksum"


def place(sha256: str, suffix: str) -> Path:
    """The path of a file that belongs to the asset with this checksum."""
    return Path(settings.MEDGEN_ASSETS) / sha256[:2] / sha256[2:4] / f"{sha256}{suffix}"


def stored_path(asset: Asset) -> Path:
    """The cleaned file."""
    return place(asset.sha256, asset.suffix)


def frames_path(asset: Asset) -> Path:
    """All frames for the viewer, one after the other; the offsets are in the frames header."""
    return place(asset.sha256, FRAMES_SUFFIX)


def thumbnail_path(asset: Asset) -> Path:
    """A small 8-bit PNG."""
    return place(asset.sha256, THUMBNAIL_SUFFIX)


def is_complete(asset: Asset) -> bool:
    """All three files are there and are what was stored."""
    return not problems_of(asset)


def problems_of(asset: Asset) -> list[str]:
    """What is wrong with the files of an asset, one sentence for each; empty when all are what was stored."""
    found = [
        ("the stored file", _problem(stored_path(asset), asset.sha256)),
        ("the file of frames for the viewer", _problem(frames_path(asset), asset.frames_sha256)),
        ("the thumbnail", _problem(thumbnail_path(asset), asset.thumbnail_sha256)),
    ]
    return [f"{what} {problem}" for what, problem in found if problem]


def damage_of(asset: Asset) -> str | None:
    """Why the pixels of an asset cannot be trusted: LOST or CHANGED; None when they are what was stored.

    Only what was given a checksum is compared: an asset that no import made (a row of a test) has no files.
    """
    if not asset.frames_sha256:
        return None
    return _problem(frames_path(asset), asset.frames_sha256) or stored_damage(asset)


def stored_damage(asset: Asset) -> str | None:
    """As `damage_of`, of the cleaned file alone, which is what metrics read."""
    return _problem(stored_path(asset), asset.sha256) if asset.frames_sha256 else None


def first_damage(assets: Iterable[Asset]) -> str | None:
    """The first damage among the pictures that are shown together."""
    return next(filter(None, map(damage_of, assets)), None)


def _problem(path: Path, sha256: str) -> str | None:
    """LOST, CHANGED, or None; without a known checksum only the place is looked at."""
    try:
        found = path.stat()
        if not sha256:
            return None
        digest = _digest(path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    except OSError:
        return LOST
    return None if digest == sha256 else CHANGED


@lru_cache(maxsize=DIGESTS_KEPT)
def _digest(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_once(path: Path, data: bytes) -> None:
    """Put a whole file in place, or leave the one of the same content that is there."""
    if path.exists() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
