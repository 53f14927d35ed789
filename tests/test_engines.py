"""Which tests run on PostgreSQL too, and the PostgreSQL they run on."""

import pytest
from django.db import connection

from tests import engines, postgres


def test_the_chosen_engine_is_the_one_in_use(request, db):
    assert connection.vendor == request.config.getoption("engine")


def test_a_test_of_the_database_is_run_again(request, db):
    assert engines.why_not(request.node, "postgresql") == ""


def test_a_test_without_the_database_is_not_run_again(request):
    reason = engines.why_not(request.node, "postgresql")
    assert reason == "needs no database, or serves a SQLite home from a process of its own"


@pytest.mark.sqlite_only("this very mark")
def test_a_test_of_sqlite_itself_is_named(request, db):
    assert "this very mark" in engines.why_not(request.node, "postgresql")


def test_a_database_of_its_own_is_empty_and_dropped_afterwards():
    import psycopg

    with postgres.new_database() as url:
        name = url.rpartition("/")[2]
        with psycopg.connect(url) as opened:
            tables = opened.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()

    with psycopg.connect(postgres.address()) as opened:
        left = opened.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert (tables, left) == ((0,), (0,))


@pytest.mark.xdist_group("one-worker")
def test_a_group_of_tests_is_known_to_the_runner_and_stays_with_one_worker(request):
    """Later versions of pytest name tests in a way that pytest-xdist 3.8 does not group: every browser test would
    then run in a worker of its own choice, with a server, a browser and a demo for each."""
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("@one-worker")


def test_what_a_killed_run_left_is_removed_although_its_server_is_gone(tmp_path):
    left = tmp_path / f"{postgres.PREFIX}1-abc"
    (left / "data").mkdir(parents=True)
    (left / "data" / "postmaster.pid").write_text("999999999\n")

    postgres._remove(left)

    assert not left.exists()


@pytest.mark.walks
def test_a_walk_through_pages_is_run_on_postgresql_in_the_long_tests_only(request, db):
    assert engines.why_not(request.node, "postgresql") == "asks pages, or takes long: make test-long"
    assert engines.why_not(request.node, "postgresql", rest=True) == ""
