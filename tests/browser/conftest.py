"""One browser, one demo home, few sign-ins: everything here lives as long as the tests of this folder.

MEDGEN_BROWSER_HOME names a home that already holds the demo, to be copied instead of loading it anew.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.authenticator import give_app
from tests.browser.cutting import Wire, wire_to
from tests.browser.readings import Readings
from tests.browser.server import copy_home, load_demo, serving
from tests.browser.stored import Home
from tests.browser.visitor import PATIENCE_MS, chromium, new_context, sign_in
from tests.browser.visits import Visits
from tests.soak.hospital import Product


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
    expect.set_options(timeout=PATIENCE_MS)  # a busy machine is slow, and waiting costs nothing where all is well
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


@pytest.fixture(scope="package")
def product(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A demo that is written to and may be killed; the tests of lost work share it. A second factor is possible."""
    served = Product(copy_home(demo_home, tmp_path_factory.mktemp("wired") / "home"), {"MEDGEN_MFA": "on"})
    give_app(served, "reader1")
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="package")
def wired(product: Product) -> Iterator[tuple[Wire, Home]]:
    """A wire to it that can be cut, and the database behind it."""
    with wire_to(f"http://127.0.0.1:{product.port}") as wire:
        yield wire, Home(product.home)


@pytest.fixture(scope="package")
def wired_login() -> dict[str, Any]:
    """The cookies of the last login, used as long as the server takes them: tests end logins too."""
    return {}


@pytest.fixture
def wired_page(browser: Browser, wired: tuple[Wire, Home], wired_login: dict[str, Any]) -> Iterator[Page]:
    """A window of reader 3 at the far end of the wire, signed in."""
    wire, _ = wired
    context = new_context(browser, f"http://127.0.0.1:{wire.port}", state=wired_login.get("state"))
    made = context.new_page()
    user = context.request.get("/sign-in/again/").json()["user"]
    if user is None or user != wired_login.get("user"):
        context.clear_cookies()
        sign_in(made, "reader3")
        wired_login["user"] = context.request.get("/sign-in/again/").json()["user"]
    yield made
    wire.cut, wire.at_post = "", lambda: None
    wired_login["state"] = {"cookies": context.cookies(), "origins": []}
    context.close()
