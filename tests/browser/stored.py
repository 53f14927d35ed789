"""What a reader entered, asked of the database behind the server; and a case on the screen to enter it in."""

import json
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.cutting import Wire
from tests.browser.keyboard import Hands
from tests.browser.visitor import settle

KEPT = re.compile(r"kept on this computer")
HELD_MS = 7000  # a little longer than a submission is held
SAVED = re.compile(r"^Saved \d\d:\d\d:\d\d$")


class Home:
    """The database behind the server, asked without it."""

    def __init__(self, home: Path) -> None:
        self.file = home / "medgen.sqlite3"

    def all(self, words: str, *values: object) -> list[tuple]:
        with sqlite3.connect(self.file, timeout=20) as opened:
            return opened.execute(words, values).fetchall()

    def do(self, words: str, *values: object) -> None:
        with sqlite3.connect(self.file, timeout=20) as opened:
            opened.execute(words, values)

    def grades(self, reading: str) -> list[tuple]:
        """(version, scores) of every grade of a reading."""
        found = self.all(
            """SELECT g.id, g.version FROM annotation_grade g JOIN annotation_readingoutput o
               ON o.id = g.reading_output_id WHERE o.reading_id = ?""", reading.replace("-", ""),
        )  # fmt: skip
        scores = "SELECT value FROM annotation_criterionscore WHERE grade_id = ? AND value IS NOT NULL"
        return [(version, sorted(value for (value,) in self.all(scores, grade))) for grade, version in found]

    def times(self, reading: str) -> tuple[str, str]:
        """What the clock of the browser said, and what the server's said, of the first grade of a reading."""
        found = self.all(
            """SELECT g.client_time, g.submitted_at FROM annotation_grade g JOIN annotation_readingoutput o
               ON o.id = g.reading_output_id WHERE o.reading_id = ?""", reading.replace("-", ""),
        )  # fmt: skip
        return found[0]

    def work(self, reading: str) -> tuple[int, dict]:
        """Active milliseconds and the viewing of the first grade of a reading."""
        found = self.all(
            """SELECT g.active_ms, g.viewing FROM annotation_grade g JOIN annotation_readingoutput o
               ON o.id = g.reading_output_id WHERE o.reading_id = ?""", reading.replace("-", ""),
        )  # fmt: skip
        return int(found[0][0]), json.loads(found[0][1])

    def draft(self, reading: str) -> dict:
        rows = self.all("SELECT payload FROM annotation_draft WHERE reading_id = ?", reading.replace("-", ""))
        return json.loads(rows[0][0]) if rows else {}

    def scores(self, reading: str) -> dict[str, str]:
        """The scores of the draft, as they were typed."""
        entered = self.draft(reading).get("outputs", {}).get("A", {}).get("scores", {})
        return {code: str(value) for code, value in entered.items() if value is not None}


def at_work(page: Page) -> tuple[Hands, str, int]:
    """A reading that nobody has touched, on the screen: hands, its id, its position."""
    answer = page.request.get("/studies/demo-reading/read/")
    reading = page.request.get(f"{answer.url}reading.json").json()
    while reading["status"] != "queued" or reading["locked_reason"]:
        reading = page.request.get(reading["urls"]["next"]).json()
    page.goto(reading["urls"]["page"])
    settle(page)
    return Hands(page), reading["id"], int(reading["position"])


def hurry(page: Page) -> None:
    """Let the clock of this browser be turned on; before a page is opened."""
    page.clock.install()


def let_go(page: Page) -> None:
    """The seconds in which a submission can be taken back have passed."""
    page.clock.fast_forward(HELD_MS)


def mend(page: Page, wire: Wire) -> None:
    """The network is back, and the browser says so."""
    wire.cut = ""
    page.evaluate("() => dispatchEvent(new Event('online'))")


def sees_saved(page: Page, seconds: int = 30) -> None:
    expect(page.locator("#saved")).to_have_text(SAVED, timeout=seconds * 1000)


def soon(asked: Callable[[], bool], page: Page, seconds: float = 15) -> None:
    """Ask again and again until it is so."""
    end = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < end, "it did not become so"
        page.wait_for_timeout(60)
