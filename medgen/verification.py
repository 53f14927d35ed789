"""Is everything still what it was? Schema, database, assets, releases, handed-out files and the trail.

Nothing is changed. Each finding names its subject; an empty list means that every checksum matched.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection

from annotation.assets import bucket, storage
from annotation.assets.models import Asset
from annotation.audit.chain import KnownHead
from annotation.grading.trail import verify_trail
from annotation.releases.models import Release
from annotation.releases.services import verify_release
from medgen.backups import reading
from medgen.schema import schema_problem
from scoring.exports.models import ExportJob
from scoring.exports.services import known_heads

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Finding:
    """area: schema, database, asset, release, export or trail."""

    area: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.area} {self.subject}: {self.problem}"

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def verify(progress: Progress, known: Iterable[KnownHead] = (), *, whole: bool = False) -> Iterator[Finding]:
    """Every problem found, as it is found; constant memory, but for the names in a bucket.

    Args:
        progress: called with a stage in words, rows done and rows in all.
        known: heads of chains kept elsewhere, which find a chain that was cut at its end or written anew.
        whole: with object storage, read every byte of the bucket and not only its list of names and sizes.
    """
    problem = schema_problem()
    if problem:
        yield Finding("schema", "database", problem)
        return
    yield from _database()
    yield from _assets(progress, whole=whole)
    yield from _releases(progress)
    yield from _exports()
    yield from _trail(progress, known)


def _database() -> Iterator[Finding]:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check(20)")
        for (said,) in cursor.fetchall():
            if said != "ok":
                yield Finding("database", "file", said)
        cursor.execute("PRAGMA foreign_key_check")
        for table, row, parent, _ in cursor.fetchmany(20):
            yield Finding("database", f"{table} row {row}", f"points to a row of {parent} that is not there")


def _assets(progress: Progress, *, whole: bool) -> Iterator[Finding]:
    total = Asset.objects.count()
    problems_of = _looker(whole=whole)
    masked = set(Asset.objects.masked().values_list("pk", flat=True))
    for done, asset in enumerate(Asset.objects.order_by("sha256").iterator(chunk_size=500), start=1):
        subject = asset.sha256[:16]
        for problem in _leftovers(asset) if asset.pk in masked else problems_of(asset):
            yield Finding("asset", subject, problem)
        progress("assets", done, total)


def _leftovers(asset: Asset) -> list[str]:
    """Of a masked picture nothing may be left, neither here nor in a bucket."""
    return ["was masked, and its unmasked pixels are still stored"] if storage.has_files(asset) else []


def _looker(*, whole: bool) -> Callable[[Asset], list[str]]:
    """What looks at the files of an asset: at their bytes, or at the bucket's list, which is asked for once."""
    if bucket.address() is None:
        return storage.problems_of
    if whole:
        return partial(storage.problems_of, whole=True)
    sizes = bucket.sizes()
    return lambda asset: storage.problems_listed(asset, sizes)


def _file_problem(path: Path, sha256: str) -> str | None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        return f"the stored file cannot be read ({problem.strerror})"
    return None if found == sha256 else "the stored file failed its checksum"


def _releases(progress: Progress) -> Iterator[Finding]:
    total = Release.objects.count()
    for done, release in enumerate(Release.objects.select_related("dataset"), start=1):
        for problem in verify_release(release):
            yield Finding("release", str(release), problem)
        progress("releases", done, total)


def _exports() -> Iterator[Finding]:
    folder = Path(settings.MEDGEN_HOME) / "exports"
    for job in ExportJob.objects.exclude(file_sha256="").iterator(chunk_size=500):
        for path in folder.glob(f"{job.file_sha256}*"):
            problem = _file_problem(path, job.file_sha256)
            if problem:
                yield Finding("export", job.file_sha256[:16], problem)


def _trail(progress: Progress, known: Iterable[KnownHead]) -> Iterator[Finding]:
    progress("trail", 0, 0)
    for finding in verify_trail([*known_heads(), *known]):
        yield Finding("trail", finding.subject, finding.problem)


def heads_of_backup(path: Path) -> list[KnownHead]:
    """The newest link of every chain when a backup was made.

    Raises:
        BackupError: it cannot be read.
    """
    with reading.opened(path) as (_, manifest):
        chains = manifest["chains"]
    return [KnownHead(chain, number, checksum, path.name) for chain, (number, checksum) in chains.items() if number]
