"""“Which system was it?” in the browser: by keyboard, without a network, skipped, and never in the way of a grade."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.stored import at_work, mend, sees_saved, soon

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

    soon(lambda: len(asking.grades(reading)) == 1, wired_page)
    assert asking.all(GUESSES, reading) == []


def test_could_not_tell_is_an_answer(wired_page, asking):
    hands, reading, position = graded(wired_page)

    hands.press("Tab", "Space", "Control+Enter")
    hands.leaves(position)

    soon(lambda: asking.all(GUESSES, reading) == [("", None, "")], wired_page)
