"""What an import will write, between planning and writing: files of at most 500 rows in the home.

Planning reads and matches everything at once; writing takes one file at a time. A worker that is killed in between
leaves the files to the next one, so the rest of an import is written exactly as it was planned.
"""

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from annotation.assets.storage import write_once
from annotation.datasets.models import ImportJob
from annotation.work.kinds import ChunkPlan, Payload

CHUNK_ROWS = 500
KEPT_SECONDS = 7 * 24 * 3600
Row = dict[str, Any]
T = TypeVar("T")


class SpoolGoneError(RuntimeError):
    """What was planned is no longer there."""


def chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in groups small enough for one transaction."""
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def plan_chunks(job: ImportJob, **rows_by_step: Iterable[Row]) -> list[ChunkPlan]:
    """Put rows aside and give the chunks that write them, step after step; planning again uses new files."""
    _sweep()
    folder = f"{job.pk}/{uuid4().hex}"
    plans: list[ChunkPlan] = []
    for step, rows in rows_by_step.items():
        for group in chunks(rows):
            file = f"{folder}/{len(plans):05}.json"
            write_once(_root() / file, json.dumps(group, cls=DjangoJSONEncoder).encode())
            plans.append(ChunkPlan({"step": step, "file": file}, len(group)))
    return plans


def planned_rows(payload: Payload) -> list[Row]:
    """The rows of one chunk.

    Raises:
        SpoolGoneError: the file was removed.
    """
    try:
        rows: list[Row] = json.loads((_root() / payload["file"]).read_bytes())
    except FileNotFoundError as problem:
        raise SpoolGoneError("What was planned is no longer there; import the file again.") from problem
    return rows


def remove_spool(job: ImportJob) -> None:
    shutil.rmtree(_root() / str(job.pk), ignore_errors=True)


def _root() -> Path:
    return Path(settings.MEDGEN_HOME) / "planned"


def _sweep() -> None:
    """Remove what imports left behind that were killed while planning, and never taken up again."""
    root = _root()
    if not root.exists():
        return
    for folder in root.iterdir():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
