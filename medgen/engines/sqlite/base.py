"""The SQLite engine named in DATABASES.

SQLite's LIKE takes only A to Z as equal in either case, and always does; PostgreSQL's never does, and its UPPER knows
all letters. Here `contains` and its kin tell capitals apart and `icontains` and its kin fold every letter, on both.
"""

from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.operations import DatabaseOperations as Operations

FOLDING = {"iexact", "icontains", "istartswith", "iendswith"}


def folded(text: Any) -> Any:
    """Capitals letter by letter, as PostgreSQL's UPPER makes them: ß, which has two, stays."""
    if not isinstance(text, str):
        return text
    if text.isascii():
        return text.upper()
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in text)


class DatabaseOperations(Operations):
    compiler_module = "medgen.engines.sqlite.compiler"

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        return "medgen_folded(%s)" if lookup_type in FOLDING else super().lookup_cast(lookup_type, internal_type)

    def integer_field_range(self, internal_type: str) -> Any:
        """The ranges that columns have on PostgreSQL, so that forms refuse alike."""
        return BaseDatabaseOperations.integer_field_range(self, internal_type)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class: Any = DatabaseOperations
    operators = base.DatabaseWrapper.operators | dict.fromkeys(FOLDING, "LIKE medgen_folded(%s) ESCAPE '\\'")
    pattern_ops = {
        name: pattern.replace("UPPER(", "medgen_folded(")
        for name, pattern in base.DatabaseWrapper.pattern_ops.items()
    }

    def get_new_connection(self, conn_params: Any) -> Any:
        made = super().get_new_connection(conn_params)
        made.create_function("medgen_folded", 1, folded, deterministic=True)
        made.execute("PRAGMA case_sensitive_like = ON")
        return made
