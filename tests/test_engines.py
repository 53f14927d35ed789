"""Which tests run on PostgreSQL too, and the PostgreSQL they run on."""

import pytest
from django.db import connection

from tests import engines, postgres


def test_the_chosen_engine_is_the_one_in_use(request, db):
    assert connection.vendor == request.config.getoption("engine")


def test_a_test_of_the_database_is_run_again(request, db):
    assert engines.why_not(request.node) == ""


def test_a_test_without_the_database_is_not_run_again(request):
    assert engines.why_not(request.node) == "needs no database, or serves a SQLite home from a process of its own"


@pytest.mark.sqlite_only("this very mark")
def test_a_test_of_sqlite_itself_is_named(request, db):
    assert "this very mark" in engines.why_not(request.node)


def test_a_database_of_its_own_is_empty_and_dropped_afterwards():
    import psycopg

    with postgres.new_database() as url:
        name = url.rpartition("/")[2]
        with psycopg.connect(url) as opened:
            tables = opened.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()

    with psycopg.connect(postgres.address()) as opened:
        left = opened.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert (tables, left) == ((0,), (0,))
