"""Which output is better, in the browser: chosen by keyboard, kept without a network, stored once, amended."""

import json
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import Hands
from tests.browser.server import ROOT, environment
from tests.browser.stored import KEPT, hurry, let_go, mend, sees_saved, soon
from tests.browser.visitor import settle
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DESIGN = {
    "name": "Which is better?", "slug": "pairs", "release": "demo@1.0", "rubrics": ["T1"], "mode": "pair",
    "submissions": ["SU-0001", "SU-0002", "SU-0003"], "readers": ["reader3"], "readers_per_item": 1, "seed": 5,
    "pairs_per_item": 1, "compare_criteria": True,
}  # fmt: skip
PREFERENCES = """SELECT version, choice, strength, rationale FROM annotation_preference
                 WHERE reading_id = ? ORDER BY version"""
CHOICES = """SELECT c.code, p.choice FROM annotation_preferencechoice p JOIN annotation_criterion c
             ON c.id = p.criterion_id JOIN annotation_preference h ON h.id = p.preference_id
             WHERE h.reading_id = ? AND h.version = 1 AND c.code = 'anatomical_accuracy'"""


@pytest.fixture
def comparing(wired, product, tmp_path):
    """The home, with a study of pairs that reader 3 has not begun."""
    _, home = wired
    file = tmp_path / "pairs.json"
    file.write_text(json.dumps(DESIGN), encoding="utf-8")
    command = [sys.executable, "manage.py", "create_study", str(file), "--coordinator", "coordinator", "--open"]
    subprocess.run(command, cwd=ROOT, env=environment(product.home), check=True, capture_output=True, timeout=60)
    return home


def test_a_pair_is_compared_without_a_mouse_and_without_a_network(wired_page, wired, comparing):
    page, (wire, _) = wired_page, wired
    hurry(page)
    first = page.request.get("/studies/pairs/read/").url
    reading, stored = first.rstrip("/").rpartition("/")[2], first.rstrip("/").rpartition("/")[2].replace("-", "")
    page.goto(first)
    settle(page)
    hands = Hands(page)
    rows = page.locator(".criterion").count()
    assert wrong_for_axe(page) == []

    hands.press("ArrowRight", *["2"] * (rows - 1), "w", "4")
    expect(page.locator("#missing")).to_contain_text("rationale 0/10")
    hands.press("t")
    hands.write("B shows the lesion, A does not.")
    hands.press("Escape", "1", "Control+z")
    expect(page.locator("#missing")).to_have_text("Complete")
    sees_saved(page)
    wire.cut = "before"
    hands.press("Control+Enter")
    expect(page.locator("#position")).not_to_have_text("Reading 1 of", timeout=5000)
    let_go(page)
    expect(page.locator("#saved")).to_have_text(KEPT)
    assert comparing.all(PREFERENCES, stored) == []
    mend(page, wire)

    said = (1, "right", "strong", "B shows the lesion, A does not.")
    soon(lambda: comparing.all(PREFERENCES, stored) == [said], page)
    assert comparing.all(CHOICES, stored) == [("anatomical_accuracy", "tie")]
    page.goto(f"/readings/{reading}/")
    settle(page)
    hands.press("a", "ArrowLeft")
    page.locator("#amend-reason").fill("looked again at the other slice")
    hands.press("Control+Enter")
    soon(lambda: len(comparing.all(PREFERENCES, stored)) == 2, page)
    assert comparing.all(PREFERENCES, stored)[1][:3] == (2, "left", "strong")
