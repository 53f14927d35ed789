"""Rows of a parquet file, opened in a child process only: its decoders are native code and its pages may be bombs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotation.formats.lines import LineError
from annotation.formats.parquet_worker import BYTES, REFUSED
from annotation.formats.problems import FormatError
from annotation.imaging.child import Child
from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits

Row = dict[str, Any]

LIMITS = Limits(decoded_bytes=32 << 20)  # a message to the parent: eight times this, plus 64 MiB
BATCH_OF_IMAGES = 4
BATCH_OF_TEXTS = 1024


def parquet_rows(
    path: Path, name: str, *, columns: tuple[str, ...] | None = None, child: Child | None = None
) -> Iterator[Row | LineError]:
    """Yield every row as a dict, or the rule that it breaks, with flat memory.

    Args:
        path: the file.
        name: what refusals call the file.
        columns: read only these; None reads all.
        child: of `reading_child`, kept for many files that are read to their end; None starts one for this file.

    Raises:
        FormatError: no readable parquet file, one that lacks a needed column or holds too much, or one whose
            reading hung or died.
    """
    own = child or reading_child()
    batch = BATCH_OF_TEXTS if columns is not None else BATCH_OF_IMAGES
    request = {"columns": list(columns) if columns is not None else None, "batch": batch}
    size = path.stat().st_size
    try:
        message, blobs = own.ask(request, path, size=size)
        while "end" not in message:
            for row in message["rows"]:
                yield _row(row, blobs)
            message, blobs = own.receive(LIMITS.wall_seconds(size))
    except ImageError as error:
        raise FormatError(f"{name}: {error.message}") from error
    except (KeyError, TypeError, IndexError) as error:
        raise FormatError(f"{name}: the process that reads parquet files gave no usable answer") from error
    finally:
        if child is None:
            own.close()


def reading_child() -> Child:
    """A child that reads parquet files; whoever makes it closes it."""
    return Child("annotation.formats.parquet_worker", LIMITS)


def _row(row: Any, blobs: list[bytes]) -> Row | LineError:
    if REFUSED in row:
        return LineError("line", "", str(row[REFUSED]))
    found: Row = _with_bytes(row, blobs)
    return found


def _with_bytes(value: Any, blobs: list[bytes]) -> Any:
    if isinstance(value, dict):
        if set(value) == {BYTES}:
            return blobs[value[BYTES]]
        return {key: _with_bytes(inner, blobs) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_bytes(inner, blobs) for inner in value]
    return value
