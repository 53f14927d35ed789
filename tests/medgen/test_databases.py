"""Which database an address names, and what is said of one that names none."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from medgen.databases import database

HOME = Path("/srv/medgen")


def test_without_an_address_the_home_holds_a_sqlite_file():
    chosen = database("", home=HOME)

    assert chosen["ENGINE"] == "medgen.engines.sqlite"
    assert chosen["NAME"] == HOME / "medgen.sqlite3"
    assert chosen["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_another_sqlite_file_is_opened_with_the_same_options():
    chosen = database("sqlite:////data/other.sqlite3", home=HOME)

    assert chosen["NAME"] == Path("/data/other.sqlite3")
    assert chosen["OPTIONS"] == database("", home=HOME)["OPTIONS"]


def test_a_postgresql_address_gives_checked_connections_with_limits():
    chosen = database("postgres://ann:p%40ss@db.example:5433/medgen?sslmode=require", home=HOME)

    assert (chosen["USER"], chosen["PASSWORD"], chosen["HOST"], chosen["PORT"], chosen["NAME"]) == (
        "ann", "p@ss", "db.example", 5433, "medgen",
    )  # fmt: skip
    assert chosen["ENGINE"] == "medgen.engines.postgresql"
    assert chosen["CONN_HEALTH_CHECKS"] is True
    assert chosen["CONN_MAX_AGE"] == 60
    assert chosen["OPTIONS"]["sslmode"] == "require"
    assert "-c lock_timeout=20s" in chosen["OPTIONS"]["options"]
    assert "-c statement_timeout=120s" in chosen["OPTIONS"]["options"]


def test_limits_of_the_address_come_last_and_so_win():
    chosen = database("postgres://db.example/medgen?options=-c%20statement_timeout%3D9s", home=HOME)

    assert chosen["OPTIONS"]["options"].endswith("-c statement_timeout=9s")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "cannot be read"),
        ("postgres://ann:secret@db.example:port/medgen", "cannot be read"),
        ("mysql://db.example/medgen", "mysql: MedGEN runs on PostgreSQL or SQLite"),
        ("postgres://ann:secret@db.example/", "names no database"),
    ],
)
def test_a_wrong_address_is_explained_without_its_password(address, words):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL: ") as refused:
        database(address, home=HOME)

    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_sqlite_address_may_say_how_long_to_wait_for_a_lock():
    assert database("sqlite:////data/other.sqlite3?timeout=3", home=HOME)["OPTIONS"]["timeout"] == 3


@pytest.mark.parametrize("asked", ["timeout=soon", "mode=ro"])
def test_a_sqlite_address_takes_nothing_else(asked):
    with pytest.raises(ImproperlyConfigured, match="only \\?timeout=SECONDS"):
        database(f"sqlite:////data/other.sqlite3?{asked}", home=HOME)
