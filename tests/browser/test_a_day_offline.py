"""A day without a network, a killed browser, a browser that keeps nothing: all arrives once, or it is said."""

import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from medgen.demo.cast import PASSWORD
from tests.browser.cutting import Wire
from tests.browser.keyboard import Hands
from tests.browser.stored import KEPT, Home, at_work, mend, sees_saved, soon
from tests.browser.visitor import CHROMIUM, SMALL, settle, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NO_DATABASE = (
    "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('', 'SecurityError'); } });"
)
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } });"
)

FULL = """for (const name of ["add", "put"]) {
  const real = IDBObjectStore.prototype[name];
  IDBObjectStore.prototype[name] = function (...given) {
    if (window.storeIsFull) throw new DOMException("full", "QuotaExceededError");
    return real.apply(this, given);
  };
}"""


class Laptop:
    """A browser with a profile on the disk, as a person has it: it can be killed and started again."""

    def __init__(self, browser: Browser, base: str, profile: Path) -> None:
        self.browser, self.base, self.profile = browser, base, profile
        self.context: BrowserContext | None = None

    def start(self) -> Page:
        self.context = self.browser.browser_type.launch_persistent_context(
            str(self.profile),
            **CHROMIUM,
            base_url=self.base,
            viewport={"width": SMALL[0], "height": SMALL[1]},
        )
        self.context.set_default_timeout(20_000)
        return self.context.pages[0]

    def kill(self) -> None:
        """`kill -9` of the browser and all its processes: nothing is tidied up."""
        own = [
            each
            for each in psutil.process_iter(["cmdline"])
            if str(self.profile) in " ".join(each.info["cmdline"] or [])
        ]
        for process in own:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(own, timeout=10)
        for left in self.profile.glob("Singleton*"):
            left.unlink()
        self.close()

    def close(self) -> None:
        with suppress(Exception):
            assert self.context is not None
            self.context.close()


@pytest.fixture
def laptop(browser: Browser, wired: tuple[Wire, Home], tmp_path: Path) -> Iterator[Laptop]:
    wire, _ = wired
    made = Laptop(browser, f"http://127.0.0.1:{wire.port}", tmp_path / "profile")
    yield made
    wire.cut = ""
    made.close()


def keep_readings(page: Page, n: int) -> None:
    """Through the dialog, as a reader does before leaving the network."""
    page.locator("#offline").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Readings to keep").fill(str(n))
    expect(page.locator("#offline-size")).to_have_text(re.compile(rf"^{n} readings, [\d.]+ [kM]B\."), timeout=30_000)
    dialog.get_by_role("button", name="Keep").click()
    expect(page.locator("#offline-size")).to_contain_text("You can go offline", timeout=60_000)
    dialog.get_by_role("button", name="Close").click()


def grade(page: Page, value: str) -> tuple[str, str, int]:
    """Grade the reading on the screen with one value: its id, the value, the number of criteria."""
    hands = Hands(page)
    reading = re.search(r"/readings/([0-9a-f-]{36})/", page.url)[1]  # type: ignore[index]
    position = int(re.search(r"\d+", page.locator("#position").inner_text())[0])  # type: ignore[index]
    n = len(hands.criteria)
    hands.press(*[value] * n, "Control+Enter")
    hands.leaves(position)
    settle(page)
    return reading, value, n


def sign_in_again(page: Page) -> None:
    button = page.locator("#sign-in-again")
    button.click(timeout=40_000)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("User name")).to_have_value("reader2")
    dialog.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_a_day_offline_with_a_killed_browser_arrives_whole(laptop, wired):
    wire, home = wired
    page = laptop.start()
    sign_in(page, "reader2")
    at_work(page)
    keep_readings(page, 5)

    wire.cut = "all"
    page.reload()
    settle(page)
    done = [grade(page, "4"), grade(page, "5")]
    Hands(page).press("3")
    half = re.search(r"/readings/([0-9a-f-]{36})/", page.url)[1]
    half_code = Hands(page).criteria[0]
    address = page.url
    expect(page.locator("#saved")).to_have_text(
        re.compile(r"2 grades and 1 change kept on this computer"), timeout=30_000
    )
    laptop.kill()

    page = laptop.start()
    page.goto(address)
    settle(page)
    assert Hands(page).scores == {half_code: "3"}
    assert all(box.is_hidden() for box in page.locator(".pane-message").all()), (
        "the images are there without a network"
    )
    Hands(page).press("Control+z", "Control+z")
    done.append(grade(page, "4"))
    done.append(grade(page, "3"))
    assert [home.grades(reading) for reading, _, _ in done] == [[], [], [], []]
    home.do("DELETE FROM django_session")  # the login has expired meanwhile
    home.do("UPDATE annotation_study SET opened_at = datetime('now', '-2 days') WHERE slug = 'demo-reading'")
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 8 * 3600 * 1000; }")  # a day later
    mend(page, wire)
    sign_in_again(page)

    soon(lambda: all(home.grades(reading) for reading, _, _ in done), page, 60)
    sees_saved(page)
    for reading, value, n in done:
        assert home.grades(reading) == [(1, [float(value)] * n)]
        told, when = home.times(reading)
        assert told < when, "the browser's time is kept beside the server's"
        active_ms, viewing = home.work(reading)
        assert viewing["counted_offline"] and 100 < active_ms < 120_000, "the time of its own reading"
    assert half in [reading for reading, _, _ in done]


def test_signing_out_removes_kept_readings_and_another_person_never_meets_them(wired_page):
    at_work(wired_page)
    keep_readings(wired_page, 5)
    names = (
        "async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.includes('offline'))"
    )
    shells = "async () => (await caches.keys()).length"
    assert len(wired_page.evaluate(names)) == 1 and wired_page.evaluate(shells) == 1

    wired_page.goto("/")
    wired_page.get_by_role("button", name="Sign out").click()
    wired_page.wait_for_url(lambda url: "/sign-in/" in url)

    assert wired_page.evaluate(names) == [] and wired_page.evaluate(shells) == 0


@pytest.mark.parametrize(
    ("closed", "banner"), [(NO_DATABASE, "offers no database"), (NO_DATABASE + NO_STORAGE, "keeps nothing")]
)
def test_a_browser_without_a_database_says_so_and_loses_nothing(wired_page, wired, closed, banner):
    page, (wire, home) = wired_page, wired
    page.add_init_script(closed)
    hands, reading, _ = at_work(page)
    expect(page.locator("#banner")).to_contain_text(banner)
    wire.cut = "before"
    hands.press("4", "5")
    entered = hands.scores
    in_memory = NO_STORAGE in closed
    words = re.compile("in this window only · do not close it") if in_memory else KEPT
    expect(page.locator("#saved")).to_have_text(words, timeout=20_000)
    if not in_memory:
        page.reload()
        settle(page)
        assert hands.scores == entered
    mend(page, wire)

    sees_saved(page)
    assert home.scores(reading) == entered


def test_a_full_store_is_said_and_what_is_entered_goes_on_being_kept(wired_page, wired):
    wire, home = wired
    wired_page.add_init_script(FULL)
    hands, reading, _ = at_work(wired_page)
    wire.cut = "before"
    hands.press("4")
    expect(wired_page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    wired_page.evaluate("() => { window.storeIsFull = true; }")
    hands.press("5")
    entered = hands.scores
    expect(wired_page.locator("#saved")).to_contain_text("its store is full")
    wired_page.reload()
    settle(wired_page)
    assert hands.scores == entered
    mend(wired_page, wire)

    sees_saved(wired_page)
    assert home.scores(reading) == entered


def test_a_page_of_another_server_in_between_is_no_save(wired_page, wired):
    _, home = wired
    hands, reading, _ = at_work(wired_page)
    portal = "**/draft/"
    wired_page.route(
        portal, lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Log in to WLAN</h1>")
    )
    hands.press("2")
    expect(wired_page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    assert home.scores(reading) == {}
    wired_page.unroute(portal)

    sees_saved(wired_page)
    assert list(home.scores(reading).values()) == ["2"]


def test_a_server_that_asks_for_patience_gets_it(wired_page, wired):
    _, home = wired
    hands, reading, _ = at_work(wired_page)
    asked = []

    def busy(route) -> None:
        asked.append(wired_page.evaluate("() => performance.now()"))
        if len(asked) == 1:
            route.fulfill(
                status=503, headers={"Retry-After": "4"}, content_type="application/json", body='{"error": "busy"}'
            )
        else:
            route.continue_()

    wired_page.route("**/draft/", busy)
    hands.press("3")
    expect(wired_page.locator("#saved")).to_have_text(re.compile("Server trouble · 1 change kept .* next try in"))
    sees_saved(wired_page)

    assert asked[1] - asked[0] >= 4000 and list(home.scores(reading).values()) == ["3"]
