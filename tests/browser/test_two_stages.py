"""Two stages in the browser: what training says afterwards, and the reference that follows the first grade."""

import json
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import Hands
from tests.browser.server import ROOT, environment
from tests.browser.stored import hurry, soon
from tests.browser.visitor import settle
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
DESIGN = {
    "name": "Without, then with", "slug": "stages", "release": "demo@1.0", "rubrics": ["T1"], "mode": "all",
    "submissions": ["SU-0001"], "readers": ["reader3", "reader4"], "readers_per_item": 2, "seed": 5, "stages": 2,
    "training": [
        {"item": "IT-000001", "expected": {"SU-0001": {"overall": [1, 3]}}, "feedback": "The lesion is missed."},
    ],
    "repeats": 1, "attention_items": 1, "gap": 1,
}  # fmt: skip
GRADES = """SELECT g.stage, g.version FROM annotation_grade g JOIN annotation_readingoutput o
            ON o.id = g.reading_output_id WHERE o.reading_id = ? ORDER BY g.submitted_at"""


@pytest.fixture
def staged(wired, product, tmp_path):
    """The home, with a study of two stages that nobody has begun."""
    _, home = wired
    file = tmp_path / "stages.json"
    file.write_text(json.dumps(DESIGN), encoding="utf-8")
    command = [sys.executable, "manage.py", "create_study", str(file), "--coordinator", "coordinator", "--open"]
    subprocess.run(command, cwd=ROOT, env=environment(product.home), check=True, capture_output=True, timeout=60)
    return home


def fours(page, hands):
    rows = page.locator(".criterion:not(.outside)").count()
    hands.press(*["4"] * rows)
    expect(page.locator("#missing")).to_have_text("Complete")


def test_training_says_what_was_expected_and_the_reference_follows_the_first_grade(wired_page, wired, staged):
    page = wired_page
    hurry(page)
    hands = Hands(page)
    page.goto("/studies/stages/read/")
    settle(page)
    expect(page.locator("#stage")).to_contain_text("Training case")
    expect(page.locator("#stage")).to_contain_text("Stage 1 of 2")
    for stage in (1, 2):
        fours(page, hands) if stage == 1 else expect(page.locator("#missing")).to_have_text("Complete")
        hands.press("Control+Enter")
        if stage == 1:
            expect(page.locator("#stage")).to_contain_text("Stage 2 of 2")
    expect(page.locator("#stage .feedback")).to_contain_text("The lesion is missed.")
    expect(page.locator("#stage .feedback")).to_contain_text("0 of 1 values as expected")
    assert wrong_for_axe(page) == []

    page.goto("/studies/stages/read/")
    settle(page)
    reading = page.url.rstrip("/").rpartition("/")[2]
    before = page.request.get(f"/readings/{reading}/reading.json").json()
    assert [pane["role"] for pane in before["panes"] if pane["role"] == "reference"] == []
    fours(page, hands)
    hands.press("Control+Enter")
    expect(page.locator("#stage")).to_contain_text("the reference is shown")
    after = page.request.get(f"/readings/{reading}/reading.json").json()
    assert after["stage"]["number"] == 2
    hands.press("5", "Control+Enter")
    stored = reading.replace("-", "")
    both = [("without_reference", 1), ("with_reference", 1)]
    soon(lambda: staged.all(GRADES, stored) == both, page)
