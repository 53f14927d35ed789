"""The database the tests run on, and which of them are run again on PostgreSQL.

`--engine postgresql` runs the tests that touch the database inside the test process: those with pytest-django's
`django_db` mark or one of its database fixtures. All others either need no database or serve a SQLite home from a
process of their own; they are counted in the summary, and the run on SQLite holds them. A test of one of the two
itself is marked `sqlite_only("why")` or `postgresql_only("why")`; the run that leaves it out counts and names it.

Tests that walk through whole pages and roles (`walks`) cost most and say least about the database: `make test` runs
them on SQLite, `make test-long` on PostgreSQL (`--rest`: only these and the long ones).
"""

from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from medgen import databases
from tests import postgres

ENGINES = ("sqlite", "postgresql")
WALKING_FOLDERS = {"acceptance", "hostile", "exports"}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}
_left_out = pytest.StashKey[dict[str, int]]()


def add_option(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=ENGINES, default="sqlite", help="the database (default: sqlite)")
    parser.addoption("--rest", action="store_true", help="on PostgreSQL: only what its run in make test leaves out")


def configure(config: pytest.Config) -> None:
    """Settings are read before this, so the connections are made anew."""
    for engine in ENGINES:
        config.addinivalue_line("markers", f"{engine}_only(why): about {engine} itself, not run on the other")
    if not hasattr(config, "workerinput"):
        postgres.prepare()
    if config.getoption("engine") == "postgresql":
        use(postgres.address())


def use(url: str) -> None:
    """Let Django's default connection, and so the test database, be in this cluster."""
    settings.DATABASES["default"] = databases.database(url, home=settings.MEDGEN_HOME)
    connections["default"].close()
    del connections["default"]
    del connections.settings
    connections._settings = settings.DATABASES


def unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop()


def touches_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


def walks(item: pytest.Item) -> bool:
    """Whether a test walks through pages and roles rather than asking the database."""
    by_place = item.path.parent.name in WALKING_FOLDERS or item.path.stem.endswith("pages")
    return by_place or item.get_closest_marker("walks") is not None


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the chosen database does not concern; on PostgreSQL, keep what touches the database."""
    kept: list[pytest.Item] = []
    left: dict[str, list[pytest.Item]] = {}
    for item in items:
        if reason := why_not(item, config.getoption("engine"), rest=config.getoption("rest")):
            left.setdefault(reason, []).append(item)
        else:
            kept.append(item)
    config.stash[_left_out] = {reason: len(those) for reason, those in left.items()}
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = config.stash[_left_out]
    config.hook.pytest_deselected(items=[item for those in left.values() for item in those])
    items[:] = kept


def why_not(item: pytest.Item, engine: str, *, rest: bool = False) -> str:
    """Why a test is not run on this database; empty when it is."""
    for other in ENGINES:
        if other != engine and (mark := item.get_closest_marker(f"{other}_only")):
            return f"about {other} itself ({mark.args[0]}): {item.nodeid}"
    if engine == "sqlite":
        return ""
    if not touches_database(item):
        return "needs no database, or serves a SQLite home from a process of its own"
    later = walks(item) or item.get_closest_marker("long") is not None
    if later != rest:
        return "asks pages, or takes long: make test-long" if later else "is in make test"
    return ""


def take_from_worker(node: Any) -> None:
    """Each worker of pytest-xdist collects everything, so one's count is the count."""
    node.config.stash[_left_out] = node.workeroutput.get("left_out", {})


def summary(config: pytest.Config) -> list[str]:
    return [f"not on this database, {count}: {reason}" for reason, count in config.stash.get(_left_out, {}).items()]
