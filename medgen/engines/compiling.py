"""What the SQL compilers of both engines do before Django's: check what is written, and find nothing for what no row
can hold. Every door (page, interface for programs, command, import) writes and asks through them.
"""

from copy import copy
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Value
from django.db.models.lookups import In, Lookup
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler, SQLUpdateCompiler

from medgen.engines import storable


class Asking(SQLCompiler):
    """A comparison with a text that no row can hold is false, not an error and not a guess."""

    def compile(self, node: Any) -> Any:
        if isinstance(node, Lookup):
            node = possible(node)
        return super().compile(node)


def possible(lookup: Any) -> Any:
    """The lookup without what nothing can match.

    Raises:
        EmptyResultSet: nothing is left to match.
    """
    asked = lookup.rhs
    if isinstance(asked, str | float):
        if storable.matches_nothing(asked):
            raise EmptyResultSet
    elif isinstance(lookup, In) and isinstance(asked, list | tuple | set):
        kept = [value for value in asked if not storable.matches_nothing(value)]
        if len(kept) < len(asked):
            lookup = copy(lookup)
            lookup.rhs = kept
    return lookup


class Inserting(SQLInsertCompiler):
    """Checks each value of each row."""

    def prepare_value(self, field: Any, value: Any) -> Any:
        storable.check(field, value)
        return super().prepare_value(field, value)


class Updating(SQLUpdateCompiler):
    """Checks values given plainly, and those that `bulk_update` wraps."""

    def as_sql(self) -> Any:  # type: ignore[override]
        for field, _, value in self.query.values:  # type: ignore[attr-defined]
            storable.check(field, value)
            for inner in _values_in(value):
                storable.check(field, inner)
        return super().as_sql()


def _values_in(expression: Any) -> list[Any]:
    """The literal results of a CASE expression, as `bulk_update` makes them."""
    cases = getattr(expression, "cases", [])
    return [case.result.value for case in cases if isinstance(case.result, Value)]
