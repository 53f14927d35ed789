"""The compilers that Django finds by name for SQLite."""

from django.db.models.sql import compiler as django

from medgen.engines.compiling import Asking, Inserting, Updating

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]


class SQLCompiler(Asking):
    pass


class SQLInsertCompiler(Inserting):
    pass


class SQLDeleteCompiler(Asking, django.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(Updating, Asking):
    pass


class SQLAggregateCompiler(Asking, django.SQLAggregateCompiler):
    pass
