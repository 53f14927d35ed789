"""The PostgreSQL engine named in DATABASES."""

from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as Operations


class DatabaseOperations(Operations):
    compiler_module = "medgen.engines.postgresql.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class: Any = DatabaseOperations
