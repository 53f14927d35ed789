"""Many rows at once: one prepared statement for all of them.

`bulk_create` writes a new statement text for every few rows, which costs more than the insert itself on SQLite;
here the values go through the same field conversions and the statement is made once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.sql import InsertQuery


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows given as values in the order of field names; database defaults and signals do not apply.

    Args:
        model: the table.
        names: every field without a database default, foreign keys by their column name (`item_id`).
        rows: values as Python objects; constraints are checked by the database.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    prepare = InsertQuery(model).get_compiler(connection=connection).prepare_value
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 - own names
    prepared = [[prepare(field, value) for field, value in zip(fields, row, strict=True)] for row in rows]
    if prepared:
        with connection.cursor() as cursor:
            cursor.executemany(statement, prepared)


def field_names(model: type[models.Model]) -> list[str]:
    """The names `insert_rows` takes for whole objects: every column but an automatic key."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields if not isinstance(field, models.AutoField)]
