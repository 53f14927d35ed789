"""The compilers that Django finds by name for PostgreSQL."""

from django.db.backends.postgresql import compiler as django

from medgen.engines.compiling import Asking, Inserting, Updating

__all__ = ["SQLAggregateCompiler", "SQLCompiler", "SQLDeleteCompiler", "SQLInsertCompiler", "SQLUpdateCompiler"]


class SQLCompiler(Asking, django.SQLCompiler):
    pass


class SQLInsertCompiler(Inserting, django.SQLInsertCompiler):
    pass


class SQLDeleteCompiler(Asking, django.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(Updating, Asking):
    pass


class SQLAggregateCompiler(Asking, django.SQLAggregateCompiler):
    pass
