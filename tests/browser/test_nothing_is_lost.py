"""Whatever happens to the wire, the login or the server, what a reader entered is there exactly once."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from medgen.demo.cast import PASSWORD
from tests.browser.cutting import Wire, wire_to
from tests.browser.keyboard import Hands
from tests.browser.readings import VQA
from tests.browser.server import copy_home, serving
from tests.browser.visitor import new_context, settle, sign_in
from tests.soak.hospital import Product

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
KEPT = re.compile(r"kept on this computer")


class Home:
    """The database behind the server, asked without it."""

    def __init__(self, home: Path) -> None:
        self.file = home / "medgen.sqlite3"

    def all(self, words: str, *values: object) -> list[tuple]:
        with sqlite3.connect(self.file, timeout=20) as opened:
            return opened.execute(words, values).fetchall()

    def do(self, words: str) -> None:
        with sqlite3.connect(self.file, timeout=20) as opened:
            opened.execute(words)

    def grades(self, reading: str) -> list[tuple]:
        """(version, scores) of every grade of a reading."""
        found = self.all(
            """SELECT g.id, g.version FROM annotation_grade g JOIN annotation_readingoutput o
               ON o.id = g.reading_output_id WHERE o.reading_id = ?""", reading.replace("-", ""),
        )  # fmt: skip
        scores = "SELECT value FROM annotation_criterionscore WHERE grade_id = ? AND value IS NOT NULL"
        return [(version, sorted(value for (value,) in self.all(scores, grade))) for grade, version in found]

    def draft(self, reading: str) -> dict:
        rows = self.all("SELECT payload FROM annotation_draft WHERE reading_id = ?", reading.replace("-", ""))
        return json.loads(rows[0][0]) if rows else {}


@pytest.fixture(scope="module")
def place(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wire, Home, Path]]:
    """A demo of this module's own behind a wire that can be cut."""
    home = copy_home(demo_home, tmp_path_factory.mktemp("lost") / "home")
    with serving(home) as base, wire_to(base) as wire:
        yield wire, Home(home), home


@pytest.fixture
def page(browser: Browser, place) -> Iterator[Page]:
    wire, _, _ = place
    context = new_context(browser, f"http://127.0.0.1:{wire.port}")
    made = context.new_page()
    sign_in(made, "reader3")
    yield made
    wire.cut = ""
    context.close()


def at_work(page: Page) -> tuple[Hands, str, int]:
    """A question that waits, on the screen."""
    page.goto("/studies/demo-reading/read/")
    settle(page)
    hands = Hands(page)
    position = hands.go_on_until(VQA)
    settle(page)
    return hands, hands.reading()["id"], position


def saved(page: Page) -> None:
    Hands(page).sees_saved()


@pytest.mark.parametrize("cut", ["before", "middle", "after"])
def test_a_grade_whose_wire_is_cut_is_there_exactly_once(page, place, cut):
    wire, home, _ = place
    hands, reading, position = at_work(page)
    hands.press(*["4"] * len(hands.criteria))
    expected = sorted([4.0] * len(hands.criteria))
    hands.sees_saved()

    wire.cut = cut
    before = wire.swallowed
    hands.press("Control+Enter")
    hands.leaves(position)
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    assert wire.swallowed > before
    wire.cut = ""

    expect(page.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=30_000)
    assert home.grades(reading) == [(1, expected)]


def test_a_login_that_expired_mid_case_is_renewed_in_place(page, place):
    _, home, _ = place
    hands, reading, _ = at_work(page)
    hands.press("5")
    hands.sees_saved()
    home.do("DELETE FROM django_session")

    hands.press("4", "3")
    expect(page.locator("#saved")).to_have_text(re.compile("Signed out .* kept on this computer"))
    page.locator("#sign-in-again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_have_text("")
    dialog.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    saved(page)
    expect(page.locator("#sign-in-again")).to_be_hidden()
    scores = home.draft(reading)["outputs"]["A"]["scores"]
    assert [scores[code] for code in hands.criteria[:3]] == [5, 4, 3]


def as_typed(scores: dict) -> dict[str, str]:
    return {code: str(value) for code, value in scores.items() if value is not None}


def test_a_reload_while_the_wire_is_cut_keeps_what_was_entered(page, place):
    wire, home, _ = place
    hands, reading, _ = at_work(page)
    wire.cut = "before"
    hands.press("2", "3")
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    entered = hands.scores
    assert as_typed(home.draft(reading).get("outputs", {}).get("A", {}).get("scores", {})) != entered

    page.reload()
    settle(page)
    wire.cut = ""

    saved(page)
    assert hands.scores == entered
    assert as_typed(home.draft(reading)["outputs"]["A"]["scores"]) == entered


def test_a_closed_window_loses_nothing(page, place):
    wire, home, _ = place
    hands, reading, _ = at_work(page)
    wire.cut = "before"
    hands.press("4", "2")
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    entered = hands.scores
    context = page.context
    page.close()
    wire.cut = ""

    again = context.new_page()
    again.goto("/studies/demo-reading/read/")
    settle(again)

    expect(again.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=20_000)
    assert as_typed(home.draft(reading)["outputs"]["A"]["scores"]) == entered


def test_a_second_window_is_asked_which_version_stays(page, place):
    _, home, _ = place
    first, reading, _ = at_work(page)
    second_page = page.context.new_page()
    second_page.goto(page.url)
    settle(second_page)
    first.press("3")
    first.sees_saved()
    second = Hands(second_page)
    second.press("5")

    dialog = second_page.get_by_role("dialog")
    expect(dialog).to_contain_text("Two versions of this reading")
    assert home.draft(reading)["outputs"]["A"]["scores"][first.criteria[0]] == 3, "nothing is overwritten unasked"
    dialog.get_by_role("button", name="Take the saved one").click()

    expect(dialog).to_be_hidden()
    assert home.draft(reading)["outputs"]["A"]["scores"][first.criteria[0]] == 3


@pytest.mark.parametrize("years", [-2, 2])
def test_a_clock_that_is_years_off_changes_nothing(page, place, years):
    _, home, _ = place
    page.clock.install(time=f"{2026 + years}-11-25T10:00:00Z")
    page.clock.resume()
    hands, reading, position = at_work(page)
    hands.press(*["4"] * len(hands.criteria))
    hands.sees_saved()
    hands.press("Control+Enter")
    hands.leaves(position)

    hands.press("Control+Enter")
    page.clock.fast_forward(20_000)
    expect(page.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=30_000)
    (kept,) = home.grades(reading)
    assert kept[0] == 1
    told, when = home.all(
        """SELECT g.client_time, g.submitted_at FROM annotation_grade g JOIN annotation_readingoutput o
           ON o.id = g.reading_output_id WHERE o.reading_id = ?""", reading.replace("-", ""),
    )[0]  # fmt: skip
    assert told[:4] == str(2026 + years)
    assert when[:4] != told[:4], "the server's own time decides"


def test_a_server_killed_in_the_middle_of_a_grade_has_it_once_when_it_is_back(browser, demo_home, tmp_path):
    product = Product(copy_home(demo_home, tmp_path / "site"), {})
    product.start()
    home = Home(product.home)
    context = new_context(browser, f"http://127.0.0.1:{product.port}")
    try:
        page = context.new_page()
        sign_in(page, "reader3")
        hands, reading, position = at_work(page)
        hands.press(*["4"] * len(hands.criteria))
        hands.sees_saved()
        n_criteria = len(hands.criteria)
        hands.press("Control+Enter")
        hands.leaves(position)
        product.kill_all()
        expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
        product.start()

        expect(page.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=30_000)
        assert home.grades(reading) == [(1, [4.0] * n_criteria)]
    finally:
        context.close()
        product.stop()
