"""Where the bytes of an asset lie: `ab/cd/<sha256><suffix>` below the assets folder, frames and thumbnail beside it.

A file is written under a temporary name, synced and renamed before its row is made, so a row never points at
half a file; a crash in between leaves at most a file that the next import of the same picture finds ready.

With MEDGEN_OBJECT_STORAGE a bucket holds these files (`bucket`) and the folder is a cache of it (`cache`): what is
asked for comes in on first use, and what is written is acknowledged by the bucket before its row is made.

Files can be lost or changed behind our back. Before pixels are shown, graded or measured, `damage_of` compares them
with the checksums of the row. A file is hashed once in a process, and again only when its size, times or place on the
disk have changed.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO

from django.conf import settings

from annotation.assets import bucket, cache
from annotation.assets.models import Asset

FRAMES_SUFFIX = ".frames"
THUMBNAIL_SUFFIX = ".thumb.png"
DIGESTS_KEPT = 16_384
LOST, CHANGED = bucket.LOST, bucket.CHANGED


def place(sha256: str, suffix: str) -> Path:
    """The path of a file that belongs to the asset with this checksum."""
    return Path(settings.MEDGEN_ASSETS) / sha256[:2] / sha256[2:4] / f"{sha256}{suffix}"


def stored_path(asset: Asset) -> Path:
    """The cleaned file."""
    return _here(place(asset.sha256, asset.suffix), asset.sha256)


def frames_path(asset: Asset) -> Path:
    """All frames for the viewer, one after the other; the offsets are in the frames header."""
    return _here(place(asset.sha256, FRAMES_SUFFIX), asset.frames_sha256)


def thumbnail_path(asset: Asset) -> Path:
    """A small 8-bit PNG."""
    return _here(place(asset.sha256, THUMBNAIL_SUFFIX), asset.thumbnail_sha256)


def files_of(asset: Asset) -> list[tuple[str, Path, str]]:
    """The three files of an asset: what each is in words, where it lies, and its checksum ("" unknown)."""
    return [
        ("the stored file", place(asset.sha256, asset.suffix), asset.sha256),
        ("the file of frames for the viewer", place(asset.sha256, FRAMES_SUFFIX), asset.frames_sha256),
        ("the thumbnail", place(asset.sha256, THUMBNAIL_SUFFIX), asset.thumbnail_sha256),
    ]


def has_files(asset: Asset) -> bool:
    """Whether any of the three files lies here or, with object storage, in the bucket."""
    return any(path.exists() for _, path, _ in files_of(asset)) or (
        bucket.address() is not None and bool(bucket.sizes(bucket.folder_of(asset.sha256)))
    )


def erase(asset: Asset) -> bool:
    """Remove all files of an asset, from the bucket first; True when there were some. Its row stays.

    Raises:
        StoreAwayError: the bucket did not remove all of them.
    """
    there = bucket.address() is not None and bucket.remove(asset.sha256) > 0
    for _, path, _ in files_of(asset):
        there |= path.exists()
        path.unlink(missing_ok=True)
    return there


def is_complete(asset: Asset) -> bool:
    """All three files are there and are what was stored."""
    return not problems_of(asset)


def problems_of(asset: Asset, *, whole: bool = False) -> list[str]:
    """What is wrong with the files of an asset, one sentence for each; empty when all are what was stored.

    Args:
        asset: the row.
        whole: with object storage, read every byte instead of believing the checksum that the bucket noted.
    """
    found = []
    for what, path, sha256 in files_of(asset):
        if bucket.address() is None:
            problem = problem_here(path, sha256)
        else:
            problem = bucket.problem_of(key_of(path, sha256), sha256, whole=whole) if sha256 else LOST
        if problem:
            found.append(f"{what} {problem}")
    return found


def kept_problem(asset: Asset) -> str | None:
    """What is wrong with the cleaned file where it is kept for good, looked at anew: LOST, CHANGED or None.

    Raises:
        StoreAwayError: it is kept in a bucket that did not answer.
    """
    path = place(asset.sha256, asset.suffix)
    if bucket.address() is not None:
        return bucket.problem_of(key_of(path, asset.sha256), asset.sha256)
    try:
        return None if _digest.__wrapped__(path) == asset.sha256 else CHANGED
    except OSError:
        return LOST


def problems_listed(asset: Asset, sizes: Mapping[str, int]) -> list[str]:
    """As `problems_of`, from a list of keys and sizes alone, as `bucket.sizes` gives it."""
    offsets = asset.frames_header.get("offsets")
    expected = (asset.size_bytes, int(offsets[-1]) if offsets else None, None)
    found = []
    for (what, path, sha256), size in zip(files_of(asset), expected, strict=True):
        listed = sizes.get(key_of(path, sha256))
        if listed is None:
            found.append(f"{what} {LOST}")
        elif listed != size and size is not None:
            found.append(f"{what} has {listed:,} bytes instead of {size:,}")
    return found


def copy_out(path: Path, sha256: str, into: IO[bytes]) -> str | None:
    """Copy a file of an asset into an open one, from the cache when it is whole there: LOST, CHANGED or None.

    With object storage only; the cache is left as it is.

    Raises:
        StoreAwayError: the bucket did not give it.
    """
    if problem_here(path, sha256) is None:
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, into)
        except FileNotFoundError:
            into.truncate(into.seek(0))
        else:
            return None
    return bucket.fetch(key_of(path, sha256), sha256, into)


def damage_of(asset: Asset) -> str | None:
    """Why the pixels of an asset cannot be trusted: LOST or CHANGED; None when they are what was stored.

    Only what was given a checksum is compared: an asset that no import made (a row of a test) has no files.
    With object storage the frames alone are looked at, since the cleaned file is not needed to show them.
    """
    if not asset.frames_sha256:
        return None
    frames = _damage(place(asset.sha256, FRAMES_SUFFIX), asset.frames_sha256)
    return frames or (stored_damage(asset) if bucket.address() is None else None)


def stored_damage(asset: Asset) -> str | None:
    """As `damage_of`, of the cleaned file alone, which is what metrics read."""
    return _damage(place(asset.sha256, asset.suffix), asset.sha256) if asset.frames_sha256 else None


def first_damage(assets: Iterable[Asset]) -> str | None:
    """The first damage among the pictures that are shown together."""
    return next(filter(None, map(damage_of, assets)), None)


def key_of(path: Path, sha256: str) -> str:
    """The key in the bucket of a file of an asset, from its place here and the checksum of its bytes."""
    letters = cache.CHECKSUM_LETTERS
    return bucket.key_of(path.name[:letters], sha256, path.name[letters:])


def _damage(path: Path, sha256: str) -> str | None:
    """As `problem_here`; with object storage a file that is not here, or not right, comes in first.

    Raises:
        StoreAwayError: it is needed and the bucket did not give it.
    """
    problem = problem_here(path, sha256)
    if bucket.address() is None:
        return problem
    if problem is None:
        cache.note_use(path)
        return None
    found = bring(path, sha256) if sha256 else problem
    return problem if found == LOST else found  # what lies here and is damaged is damaged, whatever the bucket lacks


def _here(path: Path, sha256: str) -> Path:
    """The path, and with object storage the file in it, if there is one."""
    if sha256 and bucket.address() is not None and not path.exists():
        bring(path, sha256)
    return path


def bring(path: Path, sha256: str) -> str | None:
    """Bring a file of an asset from the bucket into its place: None when it is whole there, else LOST or CHANGED.

    Raises:
        StoreAwayError: the bucket did not give it.
    """
    return cache.fill(path, key_of(path, sha256), sha256, lambda: problem_here(path, sha256) is None)


def problem_here(path: Path, sha256: str) -> str | None:
    """What is wrong with a file in the folder: LOST, CHANGED or None.

    Without a known checksum only the place is looked at.
    """
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
    """Put a whole file in place, or leave the one of the same content that is there.

    Raises:
        StoreAwayError: it is a file of an asset, and the bucket did not acknowledge it.
    """
    if _belongs_to_bucket(path):
        _upload(path, hashlib.sha256(data).hexdigest(), data)
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
    if _belongs_to_bucket(path):
        cache.note_written(len(data))


def publish(path: Path) -> bool:
    """With object storage, send a file of an asset that lies in its place to the bucket; True when it was not there.

    Raises:
        StoreAwayError: the bucket did not acknowledge it.
    """
    if not _belongs_to_bucket(path):
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _upload(path, digest, path)


def _belongs_to_bucket(path: Path) -> bool:
    return bucket.address() is not None and path.is_relative_to(settings.MEDGEN_ASSETS)


def _upload(path: Path, sha256: str, body: bytes | Path) -> bool:
    key = key_of(path, sha256)
    new = bucket.put(key, sha256, body)
    cache.forget_damage(key)
    return new


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
