"""The process that opens parquet files: rows as JSON, embedded bytes beside them, within the limits of the child.

Every message holds rows of one file, `{"rows": [...]}`; the last one is `{"end": true}`. Bytes are replaced by
`{"$bytes": place}`, their place among the message's blobs. A row over its limits is `{"$refused": words}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotation.imaging.child_loop import Answer, serve
from annotation.imaging.image import ImageError
from annotation.imaging.limits import MEBIBYTE, Limits

if TYPE_CHECKING:
    import pyarrow.parquet

MAX_ROWS = 1_000_000
MAX_COLUMNS = 1_000
MAX_ROW_TEXT = MEBIBYTE
MAX_ROW_BYTES = 256 * MEBIBYTE
NEEDED = ("instruction", "task")
BYTES, REFUSED = "$bytes", "$refused"
_MESSAGE_TEXT = 2 * MEBIBYTE
_MESSAGE_ROWS = 256


def main() -> None:
    """Serve until standard input closes."""
    serve(_answers)


def _answers(request: dict[str, Any], path: Path, limits: Limits) -> Iterable[Answer]:
    import pyarrow as arrow

    try:
        yield from _messages(path, request["columns"], int(request["batch"]))
    except (arrow.ArrowMemoryError, MemoryError) as error:
        raise ImageError("too_large", "reading the parquet file needs more memory than allowed") from error
    except (arrow.ArrowException, OSError, UnicodeDecodeError, RecursionError) as error:
        raise ImageError("corrupt", f"is not a readable parquet file ({type(error).__name__})") from error


def _messages(path: Path, columns: list[str] | None, batch: int) -> Iterator[Answer]:
    with _opened(path) as file:
        wanted = [name for name in file.schema_arrow.names if columns is None or name in columns]
        rows: list[Any] = []
        blobs: list[bytes] = []
        text = 0
        for part in file.iter_batches(batch_size=batch, columns=wanted, use_threads=False):
            for row in part.to_pylist():
                size, encoded = _encoded(row, blobs)
                rows.append(encoded)
                text += size
                if blobs or text > _MESSAGE_TEXT or len(rows) >= _MESSAGE_ROWS:
                    yield {"rows": rows}, blobs
                    rows, blobs, text = [], [], 0
        if rows:
            yield {"rows": rows}, blobs
    yield {"end": True}, []


def _opened(path: Path) -> pyarrow.parquet.ParquetFile:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path, memory_map=False, pre_buffer=False)
    missing = [column for column in NEEDED if column not in file.schema_arrow.names]
    refusal = ""
    if missing:
        refusal = f"has no column {' and no column '.join(missing)}; it is not a benchmark release"
    elif file.metadata.num_columns > MAX_COLUMNS:
        refusal = f"has {file.metadata.num_columns:,} columns; at most {MAX_COLUMNS:,} are read"
    if refusal:
        file.close()
        raise ImageError("bad_header", refusal)
    if file.metadata.num_rows > MAX_ROWS:
        file.close()
        raise ImageError("too_large", f"has {file.metadata.num_rows:,} rows; at most {MAX_ROWS:,} are read")
    return file


def _encoded(row: dict[str, Any], blobs: list[bytes]) -> tuple[int, Any]:
    """The row for JSON and the length of its text; its bytes go to the end of `blobs` unless it is refused."""
    own: list[bytes] = []
    plain = _without_bytes(row, own, len(blobs))
    text = json.dumps(plain, default=str)
    if len(text) > MAX_ROW_TEXT:
        return 0, {REFUSED: "the row is longer than 1 MiB without its images"}
    if sum(map(len, own)) > MAX_ROW_BYTES:
        return 0, {REFUSED: f"the images of the row are larger than {MAX_ROW_BYTES // MEBIBYTE} MiB"}
    blobs += own
    return len(text), json.loads(text)


def _without_bytes(value: Any, blobs: list[bytes], first: int) -> Any:
    if isinstance(value, bytes):
        blobs.append(value)
        return {BYTES: first + len(blobs) - 1}
    if isinstance(value, dict):
        return {str(key): _without_bytes(inner, blobs, first) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_bytes(inner, blobs, first) for inner in value]
    return value
