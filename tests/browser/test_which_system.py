"""“Which system was it?” in the browser: by keyboard, skipped, and kept until the server has it, as grades are."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.stored import KEPT, at_work, hurry, let_go, mend, sees_saved, soon
from tests.browser.visitor import settle
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
GUESSES = """SELECT g.guess, g.sure, g.why FROM annotation_systemguess g
             JOIN annotation_readingoutput o ON o.id = g.reading_output_id WHERE o.reading_id = ?"""


@pytest.fixture
def asking(wired):
    _, home = wired
    home.do("UPDATE annotation_study SET guess_block = 1")
    yield home
    home.do("UPDATE annotation_study SET guess_block = 0")


def graded(page):
    hurry(page)
    hands, reading, position = at_work(page)
    hands.press(*["4"] * len(hands.criteria))
    hands.sees_saved()
    hands.press("Control+Enter")
    expect(page.locator("#guess form")).to_be_visible()
    return hands, reading.replace("-", ""), position


def test_a_guess_is_typed_without_a_mouse_and_kept_until_the_network_is_back(wired_page, wired, asking):
    page, (wire, _) = wired_page, wired
    hands, reading, position = graded(page)
    expect(page.get_by_label("System, in your words")).to_be_focused()
    wire.cut = "before"

    hands.write("5 zebras")
    hands.press("Control+Enter")
    expect(page.locator("#guess-problem")).to_have_text("How sure are you?")
    hands.press("ArrowRight", "Control+Enter")
    hands.leaves(position)
    let_go(page)
    expect(page.locator("#saved")).to_have_text(re.compile("1 grade and 1 guess kept on this computer"))
    assert asking.all(GUESSES, reading) == []
    mend(page, wire)

    sees_saved(page)
    soon(lambda: asking.all(GUESSES, reading) == [("5 zebras", 2, "")], page)
    soon(lambda: len(asking.grades(reading)) == 1, page)


def test_a_skipped_question_stores_nothing_and_the_grade_is_submitted(wired_page, asking):
    hands, reading, position = graded(wired_page)

    hands.press("Control+Enter")
    expect(wired_page.locator("#guess-problem")).to_have_text(re.compile("^Name a system"))
    hands.press("Escape")
    hands.leaves(position)
    let_go(wired_page)

    soon(lambda: len(asking.grades(reading)) == 1, wired_page)
    assert asking.all(GUESSES, reading) == []


def test_could_not_tell_is_an_answer(wired_page, asking):
    hands, reading, position = graded(wired_page)
    assert wrong_for_axe(wired_page) == []

    hands.press("Tab", "Space", "Control+Enter")
    hands.leaves(position)

    soon(lambda: asking.all(GUESSES, reading) == [("", None, "")], wired_page)


def test_a_guess_outlives_a_killed_server_and_a_reload(wired_page, wired, product, asking):
    page, (wire, _) = wired_page, wired
    hands, reading, position = graded(page)
    killed = []

    def kill() -> None:
        if not killed:
            killed.append(reading)
            product.kill_all()

    wire.at_post = kill
    hands.write("zebra")
    hands.press("Tab", "Tab", "Space", "Control+Enter")
    hands.leaves(position)
    expect(page.locator("#saved")).to_have_text(KEPT, timeout=30_000)
    assert killed == [reading]
    let_go(page)
    wire.cut = "before"
    product.start()
    page.reload()
    settle(page)
    expect(page.locator("#saved")).to_have_text(re.compile("1 grade and 1 guess kept on this computer"))
    mend(page, wire)

    soon(lambda: asking.all(GUESSES, reading) == [("zebra", 1, "")], page, 40)
    sees_saved(page)
    assert len(asking.grades(reading)) == 1


def test_a_second_answer_from_elsewhere_is_refused_in_words(wired_page, asking):
    hands, reading, position = graded(wired_page)
    status = wired_page.evaluate(
        """async () => (await fetch(`${location.pathname}guess/`, { method: "POST", body: JSON.stringify({
          guesses: { A: { guess: "zebra", sure: 5, why: "" } } }), headers: { "Content-Type": "application/json",
          "X-CSRFToken": document.cookie.match(/csrftoken=([^;]+)/)[1] } })).status"""
    )
    assert status == 200

    hands.press("Tab", "Space", "Control+Enter")

    expect(wired_page.locator("#banner")).to_contain_text(
        f"What you guessed about reading {position} was not taken: This question was answered before"
    )
    assert asking.all(GUESSES, reading) == [("zebra", 5, "")]


def test_a_guess_that_a_locked_study_does_not_take_is_kept_and_holds_no_grade_up(wired_page, asking):
    hands, reading, position = graded(wired_page)
    asking.do("UPDATE annotation_study SET state = 'locked' WHERE slug = 'demo-reading'")
    try:
        hands.write("zebra")
        hands.press("Tab", "Tab", "Space", "Control+Enter")
        expect(wired_page.locator("#saved")).to_have_text(
            f"Guess about reading {position} not accepted · kept on this computer"
        )
    finally:
        asking.do("UPDATE annotation_study SET state = 'running' WHERE slug = 'demo-reading'")
    wired_page.locator("#saved-act").click()
    dialog = wired_page.get_by_role("dialog")
    expect(dialog.get_by_label("What you entered")).to_have_value(
        re.compile("which system was it. zebra, sure 1 of 5")
    )
    let_go(wired_page)
    soon(lambda: len(asking.grades(reading)) == 1, wired_page, 30)
    dialog.get_by_role("button", name="Try again").click()

    soon(lambda: asking.all(GUESSES, reading) == [("zebra", 1, "")], wired_page)
