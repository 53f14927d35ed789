"""The folder of assets as a cache of the bucket: filled on first use, kept near a limit, emptied whenever one likes.

A file comes in under a temporary name, is compared with the checksum of its row, and gets its name by a rename; so
what lies here under its name was whole when it came. With a limit, the files that were used longest ago go first;
those of the last minute stay, because an answer may just be about to open them, and so does what the bucket does not
list: a home whose pictures were not moved yet loses nothing.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from annotation.assets import bucket
from annotation.assets.errors import StoreAwayError

PART = ".part"
IN_USE_S = 60
PART_KEPT_S = 3600
NOTED_S = 600  # how exact the time of the last use is
REMEMBERED_S = 10.0  # how long a damaged object is not asked for again
FILLED_TO = 0.9  # of the limit, after making room
LOOK_AFTER = 0.05  # of the limit, written by this process, before the folder is looked at again
STRIPES = 64
CHECKSUM_LETTERS = 64

_locks = [threading.Lock() for _ in range(STRIPES)]
_damaged: dict[str, tuple[float, str]] = {}


class _Written:
    """Bytes that this process has put here since it last looked at the whole folder; None before the first look."""

    since_look: int | None = None


class _File(NamedTuple):
    used_at: float
    size: int
    path: Path


def fill(path: Path, key: str, sha256: str, is_whole: Callable[[], bool]) -> str | None:
    """Bring one file from the bucket into its place: None when it is there, else LOST or CHANGED.

    Args:
        path: its place.
        key: what it is called in the bucket.
        sha256: the checksum of its bytes.
        is_whole: asked once more when it is this thread's turn, since another one may have brought the file.

    Raises:
        StoreAwayError: the bucket did not give it.
    """
    with _locks[hash(key) % STRIPES]:
        known_at, verdict = _damaged.get(key, (0.0, ""))
        if verdict and time.monotonic() - known_at < REMEMBERED_S:
            return verdict
        if is_whole():
            return None
        return _filled(path, key, sha256)


def _filled(path: Path, key: str, sha256: str) -> str | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}{PART}")
    try:
        with draft.open("xb") as file:
            problem = bucket.fetch(key, sha256, file)
        if problem is None:
            size = draft.stat().st_size
            draft.replace(path)
            note_written(size)
            return None
    finally:
        draft.unlink(missing_ok=True)
    _remember(key, problem)
    return problem


def _remember(key: str, problem: str) -> None:
    now = time.monotonic()
    for old in [each for each, (at, _) in _damaged.items() if now - at > REMEMBERED_S]:
        _damaged.pop(old, None)
    _damaged[key] = now, problem


def forget_damage(key: str) -> None:
    """The object was just written: what was wrong with it no longer holds."""
    _damaged.pop(key, None)


def note_use(path: Path) -> None:
    """Keep the time of use where every process sees it; not more often than needed, and only with a limit."""
    if not settings.MEDGEN_ASSETS_LIMIT:
        return
    found = path.stat()
    if time.time() - found.st_atime > NOTED_S:
        os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))


def note_written(size: int) -> None:
    """Count what came in, and make room once that is a twentieth of the limit."""
    limit = settings.MEDGEN_ASSETS_LIMIT
    if not limit:
        return
    if _Written.since_look is not None:
        _Written.since_look += size
        if _Written.since_look < limit * LOOK_AFTER:
            return
    _Written.since_look = 0
    make_room(limit)


def make_room(limit: int) -> int:
    """Remove what was used longest ago until nine tenths of the limit are left; returns the bytes removed."""
    found = sorted(_files(Path(settings.MEDGEN_ASSETS)))
    total = sum(file.size for file in found)
    if total <= limit:
        return 0
    removed = 0
    newest = time.time() - IN_USE_S
    in_bucket = lru_cache(maxsize=1024)(_listed)
    for file in found:
        if total - removed <= limit * FILLED_TO or file.used_at > newest:
            break
        asset, suffix = file.path.name[:CHECKSUM_LETTERS], file.path.name[CHECKSUM_LETTERS:]
        if (suffix, file.size) in in_bucket(asset):
            file.path.unlink(missing_ok=True)
            removed += file.size
    return removed


def _listed(asset: str) -> frozenset[tuple[str, int]]:
    """Suffix and size of each file of an asset that the bucket has; none when it does not answer."""
    folder = bucket.folder_of(asset)
    try:
        sizes = bucket.sizes(folder)
    except StoreAwayError:
        return frozenset()
    return frozenset((key.removeprefix(folder)[CHECKSUM_LETTERS:], size) for key, size in sizes.items())


def _files(root: Path) -> Iterator[_File]:
    """Every file that is whole; drafts that a killed process left are removed on the way."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            if name.endswith(PART):
                if time.time() - found.st_mtime > PART_KEPT_S:
                    path.unlink(missing_ok=True)
                continue
            yield _File(max(found.st_atime, found.st_mtime), found.st_size, path)
