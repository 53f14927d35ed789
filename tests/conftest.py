"""Fixtures: the cast, an own home for every test run, clients that are signed in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from annotation.people.models import User
from tests import append_only, engines, factories, migrated, workers


def pytest_addoption(parser: pytest.Parser) -> None:
    engines.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    engines.configure(config)
    workers.keep_order(config)
    append_only.let_tests_empty_tables()


def pytest_unconfigure(config: pytest.Config) -> None:
    engines.unconfigure(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    engines.choose(config, items)
    workers.group(config, items)
    yield  # the database's order comes here
    workers.order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    engines.take_from_worker(node)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in engines.summary(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, django_db_modify_db_settings_parallel_suffix) -> Iterator[None]:
    """The database of the tests is a copy of one that was migrated once for all workers."""
    if request.config.getoption("engine") == "postgresql":
        connections.settings["default"]["TEST"]["TEMPLATE"] = migrated.postgresql_template()
        yield
    else:
        with migrated.in_memory(connection.creation._get_test_db_name()):
            yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings) -> Path:
    """Assets of each test land in a folder of its own."""
    settings.MEDGEN_HOME = tmp_path / "home"
    settings.MEDGEN_ASSETS = settings.MEDGEN_HOME / "assets"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDGEN_HOME.mkdir()
    return settings.MEDGEN_HOME


@pytest.fixture
def operator(db) -> User:
    return factories.person("operator", is_operator=True)


@pytest.fixture
def curator(db) -> User:
    return factories.person("curator", is_curator=True)


@pytest.fixture
def other_curator(db) -> User:
    return factories.person("other_curator", is_curator=True)


@pytest.fixture
def reader(db) -> User:
    return factories.person("reader")


@pytest.fixture
def other_reader(db) -> User:
    return factories.person("other_reader")


@pytest.fixture
def coordinator(db) -> User:
    """Creates studies and outputs; becomes coordinator of the studies they make."""
    return factories.person("coordinator", may_create_studies=True)


@pytest.fixture
def analyst(db) -> User:
    return factories.person("analyst")


@pytest.fixture
def stranger(db) -> User:
    return factories.person("stranger")


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in
