"""Rows of every table as lines of JSON that both databases read, with checksums that do not depend on their order."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.db import models
from django.utils.duration import duration_string

# Sessions end with a restore; attempts to sign in belong to the machine that saw them.
LEFT_OUT = {"sessions.session", "axes.accessattempt", "axes.accessattemptexpiration", "axes.accessfailurelog"}
ROWS_AT_ONCE = 500
_RING = 1 << 256


@dataclass
class TableSum:
    """Checksum of a table: the sum of the SHA-256 of its lines modulo 2**256, and how many there are."""

    rows: int = 0
    total: int = 0

    def add(self, line: str) -> None:
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")) % _RING

    @property
    def checksum(self) -> str:
        return f"{self.total:064x}"


def tables(apps: Apps) -> list[type[models.Model]]:
    """The models whose rows a backup holds, in the order of their labels."""
    kept = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label_lower not in LEFT_OUT
    ]
    return sorted(kept, key=lambda model: model._meta.label_lower)


def columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def lines(model: type[models.Model], names: list[str], using: str) -> Iterator[str]:
    """Every row as a JSON array of these columns, in the order of the primary key; constant memory."""
    opaque_names = {field.attname for field in model._meta.concrete_fields if isinstance(field, models.JSONField)}
    is_json = [name in opaque_names for name in names]
    rows = model._base_manager.using(using).order_by("pk").values_list(*names)
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        values = [_plain(value) if opaque else value for value, opaque in zip(row, is_json, strict=True)]
        yield json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_text)


def _plain(value: Any) -> Any:
    """JSON as both databases give it back: PostgreSQL returns a whole number where 1e22 was stored."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written to a backup")


def sum_of(model: type[models.Model], names: list[str], using: str) -> TableSum:
    """The checksum of a table as it is in a database."""
    found = TableSum()
    for line in lines(model, names, using):
        found.add(line)
    return found


def load(model: type[models.Model], texts: Iterable[str], names: list[str], using: str) -> None:
    """Insert rows as they were written, dates of making included.

    Args:
        model: the table, as it was when the backup was made.
        texts: lines of `lines`.
        names: the columns of each line.
        using: the database.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    for field in fields.values():
        field.auto_now = field.auto_now_add = False  # type: ignore[attr-defined]
    batch: list[models.Model] = []
    for text in texts:
        values = dict(zip(names, json.loads(text), strict=True))
        batch.append(model(**{name: _stored(fields[name], value) for name, value in values.items()}))
        if len(batch) == ROWS_AT_ONCE:
            model._base_manager.using(using).bulk_create(batch)
            batch = []
    model._base_manager.using(using).bulk_create(batch)


def _stored(field: Any, value: Any) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    return field.target_field.to_python(value) if field.is_relation else field.to_python(value)
