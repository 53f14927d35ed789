"""Rectangles over a picture in quarantine: by mouse, by keyboard, taken back, shown before and after.

Nothing is stored here; what the page sends is stored and checked in tests/annotation/curation.
"""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import settle
from tests.browser.visits import wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def sent(page: Page) -> list[list[int]]:
    return json.loads(page.locator("[data-rectangles]").input_value())


def test_text_is_covered_by_mouse_and_by_keyboard_and_taken_back(enter: Callable[..., Page]):
    page = enter("curator")
    page.goto("/datasets/demo/items/?modality=us")
    page.locator(".row-link").first.click()
    page.locator("#item-images summary").first.click()
    page.get_by_role("link", name="Look for text, mask").first.click()
    settle(page)
    expect(page.locator(".pane-message")).to_be_hidden()
    box = page.locator(".pane").bounding_box()
    assert box

    page.locator("body").press("d")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y - 30)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=3)
    page.mouse.up()
    drawn = sent(page)
    page.get_by_role("button", name="Add a rectangle").press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    both = sent(page)
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_role("button", name="Undo").press("Enter")

    assert len(drawn) == 1 and all(side > 0 for side in drawn[0])
    assert both[0] == drawn[0] and both[1][0] == 7
    assert sent(page) == drawn
    expect(page.locator(".masks polygon")).to_have_count(1)
    page.get_by_role("button", name="After H").click()
    expect(page.locator(".masks.after")).to_be_visible()
    expect(page.get_by_role("button", name="Mask and remove the unmasked pixels")).to_be_enabled()
    assert wrong_for_axe(page) == []
