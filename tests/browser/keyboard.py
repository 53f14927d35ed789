"""A reader without a mouse."""

import re

from playwright.sync_api import Page, expect

from tests.browser.visitor import settle

TABS = 80


class Hands:
    """Keys only; every act waits for what the page says about it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, words: str) -> None:
        self.page.keyboard.type(words)

    def tab_to(self, selector: str, words: str = "") -> None:
        """Press Tab until the focus is on an element.

        Raises:
            AssertionError: the element is not in the Tab order.
        """
        for _ in range(TABS):
            self.press("Tab")
            if self.page.evaluate(
                """([selector, words]) => document.activeElement.matches(selector)
                  && document.activeElement.textContent.includes(words)""",
                [selector, words],
            ):
                return
        raise AssertionError(f"{TABS} tabs did not reach {selector} {words}")

    def follow(self, selector: str, words: str = "") -> None:
        """Tab to a link and open it."""
        self.tab_to(selector, words)
        with self.page.expect_navigation():
            self.press("Enter")
        settle(self.page)

    def go_on_until(self, format_code: str) -> int:
        """Leaf with Alt and the right arrow to a reading of a format; its position."""
        for _ in range(TABS):
            reading = self.reading()
            if reading["item"]["format"]["code"] == format_code and reading["status"] != "submitted":
                return int(reading["position"])
            before = self.page.url
            self.press("Alt+ArrowRight")
            self.page.wait_for_url(lambda url, before=before: url != before)
        raise AssertionError(f"{TABS} readings hold none of {format_code}")

    def reading(self) -> dict:
        """What the server sends for the reading on the screen."""
        return self.page.evaluate("async () => (await fetch(`${location.pathname}reading.json`)).json()")

    @property
    def criteria(self) -> list[str]:
        """The criteria that ask for a score, in the order of the sheet."""
        rows = self.page.locator(".criterion:not(.ruled)")
        return list(rows.evaluate_all("(rows) => rows.map((row) => row.dataset.code)"))

    @property
    def scores(self) -> dict[str, str]:
        chosen = self.page.locator(".criterion").evaluate_all(
            "(rows) => rows.map((row) => [row.dataset.code, row.querySelector(':checked')?.value])"
        )
        return {code: value for code, value in chosen if value}

    def sees_saved(self) -> None:
        expect(self.page.locator("#saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d:\d\d$"))

    def sees_position(self, position: int) -> None:
        expect(self.page.locator("#position")).to_have_text(re.compile(rf"^Reading {position} of \d+$"))

    def leaves(self, position: int) -> None:
        """Another reading is shown."""
        expect(self.page.locator("#position")).not_to_have_text(re.compile(rf"^Reading {position} of"))
