"""Taking the files of all assets into the bucket, and back into the folder: copied, compared, never removed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from annotation.assets import bucket, cache, storage
from annotation.assets.models import Asset

Progress = Callable[[str, int, int], None]
AT_ONCE, BATCH = 8, 250


@dataclass
class Moved:
    """How many files were copied or there already, their bytes, and in words which are nowhere whole."""

    copied: int = 0
    there: int = 0
    copied_bytes: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    asset: Asset
    what: str
    path: Path
    sha256: str

    @property
    def key(self) -> str:
        return storage.key_of(self.path, self.sha256)


def to_bucket(progress: Progress) -> Moved:
    """Copy what the folder has and the bucket has not; run again, it goes on where it was stopped.

    Raises:
        StoreAwayError: the bucket stopped answering; what was copied stays.
    """
    listed = bucket.sizes()
    return _moved(lambda file: _sent(file, listed), progress)


def to_folder(progress: Progress) -> Moved:
    """Copy what the bucket has and the folder has not; run again, it goes on where it was stopped.

    Raises:
        StoreAwayError: the bucket stopped answering; what was copied stays.
    """
    return _moved(_fetched, progress)


def _moved(move: Callable[[_File], int | str | None], progress: Progress) -> Moved:
    """Every file of every asset through `move`: bytes copied, None when it was there, else what is wrong."""
    result = Moved()
    kept = Asset.objects.exclude(pk__in=Asset.objects.masked().values("pk"))  # a masked picture has no files any more
    total = kept.count()
    assets = kept.order_by("sha256").iterator(chunk_size=BATCH)
    done = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := list(islice(assets, BATCH)):
            files = list(_files(batch))
            for file, outcome in zip(files, pool.map(move, files), strict=True):
                _count(result, file, outcome)
            done += len(batch)
            progress("pictures", done, total)
    return result


def _files(assets: list[Asset]) -> Iterator[_File]:
    for asset in assets:
        for what, path, sha256 in storage.files_of(asset):
            if sha256:
                yield _File(asset, what, path, sha256)


def _count(result: Moved, file: _File, outcome: int | str | None) -> None:
    if outcome is None:
        result.there += 1
    elif isinstance(outcome, int):
        result.copied += 1
        result.copied_bytes += outcome
    else:
        result.problems.append(f"{file.asset.sha256[:16]}: {file.what} {outcome}")


def _sent(file: _File, listed: dict[str, int]) -> int | str | None:
    there = file.key in listed and bucket.problem_of(file.key, file.sha256) is None
    if there:
        return None
    problem = storage.problem_here(file.path, file.sha256)
    if problem is not None:
        return problem
    bucket.put(file.key, file.sha256, file.path)
    cache.forget_damage(file.key)
    return file.path.stat().st_size


def _fetched(file: _File) -> int | str | None:
    if storage.problem_here(file.path, file.sha256) is None:
        return None
    problem = storage.bring(file.path, file.sha256)
    return problem if problem is not None else file.path.stat().st_size
