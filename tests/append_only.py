"""The one switch for tests that empty tables: Django's flush after a `TransactionTestCase` lifts the triggers.

Tests with `transaction=True` commit what they write, and Django removes it at their end with DELETE or TRUNCATE,
which the triggers refuse. Only this clean-up is let through; inside the test the triggers stand. The product has no
such switch.
"""

from typing import Any

from django.db import connections
from django.test import TransactionTestCase

from annotation.audit import triggers


def let_tests_empty_tables() -> None:
    """Wrap the clean-up of every transactional test, once."""
    empty = TransactionTestCase._fixture_teardown
    if getattr(empty, "lifts_triggers", False):
        return

    def emptied(self: Any) -> None:
        names = list(self._databases_names(include_mirrors=False))
        for name in names:
            triggers.remove(connections[name])
        try:
            empty(self)
        finally:
            for name in names:
                triggers.install(connections[name])

    emptied.lifts_triggers = True  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = emptied
