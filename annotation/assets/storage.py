"""Where the bytes of an asset lie: `ab/cd/<sha256><suffix>` below the assets folder, frames and thumbnail beside it.

A file is written under a temporary name, synced and renamed before its row is made, so a row never points at
half a file; a crash in between leaves at most a file that the next import of the same picture finds ready.
"""

import os
import secrets
from pathlib import Path

from django.conf import settings

from annotation.assets.models import Asset

FRAMES_SUFFIX = ".frames"
THUMBNAIL_SUFFIX = ".thumb.png"


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
    """All three files are there and the cleaned one has its full length."""
    try:
        whole = stored_path(asset).stat().st_size == asset.size_bytes
    except FileNotFoundError:
        return False
    return whole and frames_path(asset).exists() and thumbnail_path(asset).exists()


def write_once(path: Path, data: bytes) -> None:
    """Put a whole file in place, or leave the one of the same length that is there."""
    if path.exists() and path.stat().st_size == len(data):
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
