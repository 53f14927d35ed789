"""Whatever happens to the wire, the login or the server, what a reader entered is there exactly once."""

import re

import pytest
from playwright.sync_api import expect

from medgen.demo.cast import PASSWORD
from tests.browser.stored import KEPT, at_work, hurry, let_go, mend, sees_saved, soon
from tests.browser.visitor import settle
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("cut", ["before", "middle", "after"])
def test_a_grade_whose_wire_is_cut_is_there_exactly_once(wired_page, wired, cut):
    page = wired_page
    wire, home = wired
    hurry(page)
    hands, reading, position = at_work(page)
    hands.press(*["4"] * len(hands.criteria))
    expected = sorted([4.0] * len(hands.criteria))
    hands.sees_saved()

    wire.cut = cut
    before = wire.swallowed
    hands.press("Control+Enter")
    hands.leaves(position)
    let_go(page)
    expect(page.locator("#saved")).to_have_text(KEPT)
    assert wire.swallowed > before
    mend(page, wire)

    expect(page.locator("#saved")).to_have_text(re.compile("^Saved"), timeout=30_000)
    assert home.grades(reading) == [(1, expected)]


def test_a_login_that_expired_mid_case_is_renewed_in_place(wired_page, wired):
    page = wired_page
    _, home = wired
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
    assert wrong_for_axe(page) == []
    dialog.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    sees_saved(page)
    expect(page.locator("#sign-in-again")).to_be_hidden()
    scores = home.draft(reading)["outputs"]["A"]["scores"]
    assert [scores[code] for code in hands.criteria[:3]] == [5, 4, 3]


def test_a_reload_while_the_wire_is_cut_keeps_what_was_entered(wired_page, wired):
    page = wired_page
    wire, home = wired
    hands, reading, _ = at_work(page)
    wire.cut = "before"
    hands.press("2", "3")
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    entered = hands.scores
    assert home.scores(reading) != entered

    page.reload()
    settle(page)
    mend(page, wire)

    sees_saved(page)
    assert hands.scores == entered
    assert home.scores(reading) == entered


def test_a_closed_window_loses_nothing(wired_page, wired):
    page = wired_page
    wire, home = wired
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
    assert home.scores(reading) == entered


@pytest.mark.parametrize("years", [-2, 2])
def test_a_clock_that_is_years_off_changes_nothing(wired_page, wired, years):
    page = wired_page
    _, home = wired
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
    told, when = home.times(reading)
    assert told[:4] == str(2026 + years)
    assert when[:4] != told[:4], "the server's own time decides"


def test_a_server_killed_in_the_middle_of_a_post_has_the_grade_once_when_it_is_back(wired_page, wired, product):
    page = wired_page
    wire, home = wired
    hurry(page)
    hands, reading, position = at_work(page)
    n_criteria = len(hands.criteria)
    hands.press(*["4"] * n_criteria)
    hands.sees_saved()
    killed = []

    def kill() -> None:
        if not killed:
            killed.append(reading)
            product.kill_all()

    wire.at_post = kill
    hands.press("Control+Enter")
    hands.leaves(position)
    let_go(page)
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=30_000)
    assert killed == [reading]
    product.start()

    soon(lambda: home.grades(reading) != [], page, 40)
    sees_saved(page)
    assert home.grades(reading) == [(1, [4.0] * n_criteria)]
