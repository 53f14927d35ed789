"""Two windows, two people, another page, a closed study: nothing is overwritten or goes in a wrong name."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import Hands
from tests.browser.stored import KEPT, at_work, hurry, let_go, mend, sees_saved, soon
from tests.browser.visitor import settle, sign_in
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

STEPS_KEPT = """async (reading) => {
  const name = (await indexedDB.databases()).map(({ name }) => name).find((name) => name.startsWith("medgen.queue."));
  const ask = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const database = await ask(indexedDB.open(name));
  const kept = await ask(database.transaction("works").objectStore("works").get(`history.${reading}`));
  database.close();
  return kept?.value.past.length === 2;
}"""


def second_window(page: Page) -> tuple[Page, Hands]:
    """Another window of the same browser on the same reading."""
    opened = page.context.new_page()
    opened.goto(page.url)
    settle(opened)
    return opened, Hands(opened)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/sign-in/" in url)


def test_two_windows_see_both_versions_and_agree_after_the_choice(wired_page, wired):
    _, home = wired
    first, reading, _ = at_work(wired_page)
    one, two = first.criteria[:2]
    other, second = second_window(wired_page)
    first.press("3", "2")
    first.sees_saved()
    second.press("5", "4")

    dialog = other.get_by_role("dialog")
    expect(dialog).to_contain_text("Two versions of this reading")
    expect(dialog.locator("tr.differing")).to_have_count(2)
    assert wrong_for_axe(other) == []
    assert home.scores(reading) == {one: "3", two: "2"}, "nothing is overwritten unasked"
    dialog.locator("tr.differing").nth(1).get_by_role("radio").nth(1).check()
    dialog.get_by_role("button", name="Use what is picked").click()

    expect(dialog).to_be_hidden()
    soon(lambda: home.scores(reading) == {one: "5", two: "2"}, other)
    soon(lambda: first.scores == second.scores == {one: "5", two: "2"}, other)


def test_a_choice_that_is_put_off_keeps_both_versions(wired_page, wired):
    _, home = wired
    first, reading, _ = at_work(wired_page)
    code = first.criteria[0]
    other, second = second_window(wired_page)
    first.press("1")
    first.sees_saved()
    second.press("4")
    other.get_by_role("dialog").get_by_role("button", name="Decide later").click()

    expect(other.locator("#saved")).to_have_text(re.compile("Two versions of reading .* both are kept"))
    other.reload()
    settle(other)
    dialog = other.get_by_role("dialog")
    expect(dialog).to_contain_text("Two versions of this reading")
    assert home.scores(reading)[code] == "1"
    dialog.get_by_role("button", name="Take the saved one").click()

    sees_saved(other)
    assert second.scores[code] == "1" and home.scores(reading)[code] == "1"


def test_a_grade_from_a_window_that_missed_a_change_is_not_taken_unasked(wired_page, wired):
    wire, home = wired
    hurry(wired_page)
    first, reading, _ = at_work(wired_page)
    n = len(first.criteria)
    other, second = second_window(wired_page)
    wire.cut = "before"
    second.press(*["4"] * n)
    expect(other.locator("#missing")).to_have_text("Complete")
    second.press("Control+Enter")
    expect(other.locator("#held")).not_to_have_text("")
    let_go(other)
    expect(other.locator("#saved")).to_have_text(KEPT, timeout=30_000)
    assert home.grades(reading) == []
    other.close()
    mend(wired_page, wire)
    soon(lambda: home.grades(reading) == [(1, [4.0] * n)], wired_page, 30)

    first.press("5")

    dialog = wired_page.get_by_role("dialog")
    expect(dialog).to_contain_text("was submitted from another window")
    dialog.get_by_role("button", name="Take the saved one").click()
    expect(wired_page.locator("#missing")).to_contain_text("version 1")
    assert home.grades(reading) == [(1, [4.0] * n)]


def test_a_page_elsewhere_sends_what_a_closed_window_left(wired_page, wired):
    wire, home = wired
    hands, reading, _ = at_work(wired_page)
    wire.cut = "before"
    hands.press("4", "2")
    expect(wired_page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    entered = hands.scores
    context = wired_page.context
    wired_page.close()
    page = context.new_page()

    page.goto("/")
    expect(page.locator("#waiting")).to_contain_text(re.compile("2 changes of this computer are not sent yet"))
    mend(page, wire)

    expect(page.locator("#waiting")).to_contain_text(
        "Everything that was kept on this computer is saved", timeout=20_000
    )
    assert home.scores(reading) == entered


def test_nothing_is_sent_in_the_name_of_another_person(wired_page, wired):
    _, home = wired
    hands, reading, _ = at_work(wired_page)
    code = hands.criteria[0]
    other = wired_page.context.new_page()
    other.goto("/")
    sign_out(other)
    sign_in(other, "reader4")

    hands.press("2")
    expect(wired_page.locator("#saved")).to_have_text(
        re.compile("Another person is signed in here .* kept"), timeout=20_000
    )
    expect(other.locator("#waiting")).to_have_count(0)
    assert home.scores(reading).get(code) != "2"
    wired_page.locator("#sign-in-again").click()
    expect(wired_page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Somebody else is signed in")
    wired_page.keyboard.press("Escape")
    sign_out(other)
    sign_in(other, "reader3")

    soon(lambda: home.scores(reading).get(code) == "2", wired_page, 30)


def test_what_a_locked_study_does_not_take_is_kept_to_be_copied(wired_page, wired):
    _, home = wired
    hands, reading, position = at_work(wired_page)
    home.do("UPDATE annotation_study SET state = 'locked' WHERE slug = 'demo-reading'")
    try:
        hands.press("5", "1")
        expect(wired_page.locator("#saved")).to_have_text(f"Reading {position} not accepted · kept on this computer")
        expect(wired_page.locator("#banner")).to_contain_text("The study is locked")
        wired_page.locator("#saved-act").click()
        dialog = wired_page.get_by_role("dialog")
        assert wrong_for_axe(wired_page) == []
        text = dialog.get_by_label("What you entered").input_value()
        assert f"Reading {position}" in text and text.count(": 5") + text.count(": 1") >= 2
        expect(dialog.get_by_role("button", name="Discard")).to_be_disabled()
        wired_page.keyboard.press("Escape")
        assert home.scores(reading) == {}
    finally:
        home.do("UPDATE annotation_study SET state = 'running' WHERE slug = 'demo-reading'")
    wired_page.locator("#saved-act").click()
    wired_page.get_by_role("dialog").get_by_role("button", name="Try again").click()

    sees_saved(wired_page)
    assert list(home.scores(reading).values())[:2] == ["5", "1"]


def test_undo_and_redo_go_on_after_a_reload(wired_page, wired):
    _, home = wired
    hands, reading, _ = at_work(wired_page)
    hands.press("1", "1")
    entered = hands.scores
    hands.sees_saved()
    soon(lambda: wired_page.evaluate(STEPS_KEPT, reading), wired_page)
    wired_page.reload()
    settle(wired_page)
    assert hands.scores == entered

    hands.press("Control+z", "Control+z")
    assert hands.scores == {}
    hands.press("Control+Shift+Z", "Control+y")

    assert hands.scores == entered
    hands.sees_saved()
    assert home.scores(reading) == entered
