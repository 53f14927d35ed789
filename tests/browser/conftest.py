"""One browser, one demo home, few sign-ins: everything here lives as long as the tests of this folder.

MEDGEN_BROWSER_HOME names a home that already holds the demo, to be copied instead of loading it anew.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.readings import Readings
from tests.browser.server import copy_home, load_demo, serving
from tests.browser.visitor import chromium, new_context, sign_in
from tests.browser.visits import Visits


@pytest.fixture(scope="package")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo world, loaded once; never served itself."""
    if kept := os.environ.get("MEDGEN_BROWSER_HOME"):
        return Path(kept)
    home = tmp_path_factory.mktemp("demo") / "home"
    load_demo(home)
    return home


@pytest.fixture(scope="package")
def site_home(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_home(demo_home, tmp_path_factory.mktemp("site") / "home")


@pytest.fixture(scope="package")
def site(site_home: Path) -> Iterator[str]:
    """The address of a server that tests only look at; what a test submits goes to a server of its own."""
    with serving(site_home) as base:
        yield base


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="package")
def state_of(browser: Browser, site: str) -> Callable[[str], Any]:
    """The cookies of a person, signed in once."""
    states: dict[str, Any] = {"": None}

    def state(username: str) -> Any:
        if username not in states:
            context = new_context(browser, site)
            sign_in(context.new_page(), username)
            states[username] = context.storage_state()
            context.close()
        return states[username]

    return state


@pytest.fixture
def enter(browser: Browser, site: str, state_of: Callable[[str], Any]) -> Iterator[Callable[..., Page]]:
    """A window of somebody who is signed in; an empty name is a stranger."""
    opened: list[BrowserContext] = []

    def window(username: str, **options: Any) -> Page:
        context = new_context(browser, site, state=state_of(username), **options)
        opened.append(context)
        return context.new_page()

    yield window
    for context in opened:
        context.close()


@pytest.fixture(scope="package")
def readings(browser: Browser, site: str, state_of: Callable[[str], Any]) -> Iterator[Readings]:
    """The readings that wait for reader3, as the workstation gets them."""
    context = new_context(browser, site, state=state_of("reader3"))
    yield Readings(context.request)
    context.close()


@pytest.fixture(scope="package")
def visits(browser: Browser, site: str, state_of: Callable[[str], Any]) -> Visits:
    """Every page of every person, seen once and kept for all checks."""
    return Visits(browser, site, state_of)
