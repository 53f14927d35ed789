"""The benchmark's parquet release: three configurations with embedded images, read in small batches.

`output_images` is the reference here, not a system's output. The options of multiple-choice items are gone from this
packaging, so such items carry the note `options_unknown`. Embedded bytes are written to a folder of the caller's
under their SHA-256; nothing of a file's own names reaches the disk. The file itself is opened in a child process.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.formats import taxonomy
from annotation.formats.fields import Source
from annotation.formats.items import item_record
from annotation.formats.lines import JsonObject, LineError, check_texts
from annotation.formats.medgen_bench import SeenIds
from annotation.formats.parquet_rows import parquet_rows
from annotation.formats.paths import Package
from annotation.formats.problems import Problem
from annotation.formats.records import SAMPLE_ID, ItemRecord, OutputRecord

PARQUET = "parquet"
MAGIC = b"PAR1"
MAX_IMAGE_BYTES = 256 * 1024 * 1024
_IMAGE_COLUMNS = {"input_images": "input_images", "output_images": "ground_truth_images"}
_SHARD = re.compile(r"\w+-\d{5}-of-\d{5}")
_KINDS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"II*\x00", "tif"), (b"MM\x00*", "tif"))


def is_parquet(head: bytes) -> bool:
    """Whether these first bytes are those of a parquet file."""
    return head.startswith(MAGIC)


def read_parquet(path: Path, source: Source, *, scratch: Path) -> Iterator[ItemRecord | OutputRecord | Problem]:
    """Yield one item or one problem for every row.

    Args:
        path: the parquet file.
        source: its name and package; image paths without embedded bytes are looked for there.
        scratch: an existing folder that receives the embedded images, named by SHA-256.

    A row of a shard such as `train-00000-of-00001.parquet` gets the id that the benchmark's evaluator gives it,
    `medgen:<config>:<shard>:<row from 0>`, unless it has one.

    Raises:
        FormatError: the file is no readable parquet file or lacks the columns instruction and task.
    """
    shard = _Shard(source, _Store(scratch), config_of(path), path.stem)
    ids = SeenIds()
    for number, row in enumerate(parquet_rows(path, source.file), start=1):
        try:
            if isinstance(row, LineError):
                raise row
            yield ids.checked(_item(row, shard, number))
        except LineError as error:
            yield error.problem(source.file, number)


def config_of(path: Path) -> str:
    """Return the configuration that the file or its folder is named after, as a format code, or ""."""
    for name in (path.stem.partition("-")[0], path.parent.name):
        code = taxonomy.canonical_format(name)
        if code:
            return code
    return ""


def term_counts(path: Path, name: str) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return the number of rows, and how many have each raw task and each raw modality, without reading images.

    Raises:
        FormatError: as `read_parquet`.
    """
    tasks: dict[str, int] = {}
    modalities: dict[str, int] = {}
    total = 0
    for row in parquet_rows(path, name, columns=("task", "modality")):
        total += 1
        terms = {} if isinstance(row, LineError) else row
        for counts, raw in ((tasks, terms.get("task")), (modalities, terms.get("modality"))):
            key = raw if isinstance(raw, str) else ""
            counts[key] = counts.get(key, 0) + 1
    return total, tasks, modalities


@dataclass(frozen=True, slots=True)
class _Shard:
    source: Source
    store: "_Store"
    config: str
    stem: str


def _item(row: JsonObject, shard: _Shard, number: int) -> ItemRecord:
    data: JsonObject = {}
    embedded: dict[str, tuple[Path, ...]] = {}
    for name, value in row.items():
        if name in _IMAGE_COLUMNS:
            names, files = shard.store.images(value, name)
            embedded[name] = files
            if names:
                data[_IMAGE_COLUMNS[name]] = list(names)
        elif value is not None:
            data[name] = _without_nulls(value)
    check_texts(data)
    if shard.config and "format" not in data:
        data["format"] = shard.config
    owner = shard.config or _format_of_task(data.get("task"))
    if not data.get(SAMPLE_ID) and owner and _SHARD.fullmatch(shard.stem):
        data[SAMPLE_ID] = f"medgen:{owner}:{shard.stem}:{number - 1:06d}"
    return item_record(data, _with_store(shard, embedded), number)


def _format_of_task(raw: object) -> str:
    code = taxonomy.canonical_task(raw)
    return taxonomy.TASKS[code].format if code else ""


def _with_store(shard: _Shard, embedded: dict[str, tuple[Path, ...]]) -> Source:
    """The source whose package is the folder of embedded images, when the row has any."""
    if not any(embedded.values()):
        return shard.source
    return Source(shard.source.file, shard.source.layout, shard.store.package)


def _without_nulls(value: Any) -> Any:
    """Drop the nulls that parquet adds to an object so that all rows have the same keys."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


class _Store:
    """The caller's folder of embedded images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = Package(folder)

    def images(self, value: object, field: str) -> tuple[tuple[str, ...], tuple[Path, ...]]:
        """Write the embedded images of one cell; return the names by which to find them."""
        if value is None:
            return (), ()
        names, files = [], []
        for entry in value if isinstance(value, list) else [value]:
            content = entry.get("bytes") if isinstance(entry, dict) else entry
            if isinstance(content, bytes):
                file = self._written(content, field)
                files.append(file)
                names.append(file.name)
            elif isinstance(entry, dict) and isinstance(entry.get("path"), str):
                names.append(entry["path"])
            elif entry is not None:
                raise LineError(field, entry, "must hold bytes or a path")
        return tuple(names), tuple(files)

    def _written(self, content: bytes, field: str) -> Path:
        if not content or len(content) > MAX_IMAGE_BYTES:
            raise LineError(field, f"{len(content):,} bytes", "an embedded image must be 1 byte to 256 MiB")
        kind = next((kind for magic, kind in _KINDS if content.startswith(magic)), "bin")
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            kind = "webp"
        file = self.folder / f"{hashlib.sha256(content).hexdigest()}.{kind}"
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_bytes(content)
            part.replace(file)
        return file
