"""What a stranger does with the demo: grade by keyboard, watch progress, open the leaderboard, take the sheet."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.keyboard import Hands
from tests.browser.readings import EDIT, GENERATION, VQA
from tests.browser.server import copy_home, serving
from tests.browser.visitor import new_context, settle, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.long]
RATIONALE = "The enhancing lesion is smaller than in the input; =1+1 and “quotes” stay text."
REASON = "I had looked at the wrong side"
Row = dict[str, Any]


@pytest.fixture
def own_site(demo_home: Path, tmp_path: Path) -> Iterator[str]:
    """A demo of its own: what is graded here is seen by no other test."""
    with serving(copy_home(demo_home, tmp_path / "walk")) as base:
        yield base


@pytest.fixture
def come_in(browser: Browser, own_site: str) -> Iterator[Callable[[str], Page]]:
    contexts = []

    def signed_in(username: str) -> Page:
        context = new_context(browser, own_site)
        contexts.append(context)
        page = context.new_page()
        sign_in(page, username)
        return page

    yield signed_in
    for context in contexts:
        context.close()


def grade_an_edit(hands: Hands) -> Row:
    """n/a with a reason, a low score with error and rationale, harm; taken back once before it goes."""
    position = hands.go_on_until(EDIT)
    criteria = hands.criteria
    hands.press("n")
    expect(hands.page.locator(".anchors.reasons")).to_be_visible()
    hands.press("1")
    hands.press("2", *["4"] * (len(criteria) - 2))
    hands.press("Control+Enter")
    expect(hands.page.locator("#missing")).to_contain_text("an error code")
    hands.sees_position(position)
    hands.write("Omitted")
    hands.press("Tab")
    hands.press("Space")
    expect(hands.page.get_by_label("cannot be localized")).to_be_checked()
    hands.press("Escape", "t")
    hands.write(RATIONALE)
    hands.press("Escape", "f", "3")
    expect(hands.page.locator("#missing")).to_have_text("Complete")
    hands.sees_saved()
    entered = hands.scores
    _submit_take_back_and_submit(hands, position)
    assert entered == {criteria[0]: "na", criteria[1]: "2"} | dict.fromkeys(criteria[2:], "4")
    return graded(position, entered, safety="moderate", rationale=RATIONALE, errors="omitted", na="not visible")


def _submit_take_back_and_submit(hands: Hands, position: int) -> None:
    entered = hands.scores
    hands.press("Control+Enter")
    hands.leaves(position)
    expect(hands.page.locator("#held")).to_contain_text("Ctrl+Z takes it back")
    hands.press("Control+z")
    hands.sees_position(position)
    assert hands.scores == entered, "what was taken back is as it was"
    hands.press("Control+Enter")
    hands.leaves(position)


def grade_a_generation(hands: Hands) -> Row:
    """All scores good, low harm, sent as it is."""
    position = hands.go_on_until(GENERATION)
    criteria = hands.criteria
    values = ["5", "4", "3", "4", "5", "4", "3"][: len(criteria)]
    hands.press(*values)
    hands.press("f", "2")
    hands.sees_saved()
    hands.press("Control+Enter")
    hands.leaves(position)
    return graded(position, dict(zip(criteria, values, strict=True)), safety="low")


def grade_a_question_in_two_sittings(hands: Hands) -> Row:
    """Half of it, then the page is loaded anew: the draft is there; then the rest."""
    position = hands.go_on_until(VQA)
    criteria = hands.criteria
    hands.press("5", "4")
    hands.sees_saved()
    hands.page.reload()
    settle(hands.page)
    hands.sees_position(position)
    assert hands.scores == {criteria[0]: "5", criteria[1]: "4"}, "the draft survives a reload"
    hands.press(*["3"] * (len(criteria) - 2))
    expect(hands.page.locator("#missing")).to_have_text("Complete")
    hands.press("Control+Enter")
    hands.leaves(position)
    expect(hands.page.locator("#held")).to_have_text("", timeout=10_000)
    hands.sees_saved()
    return graded(position, {criteria[0]: "5", criteria[1]: "4"} | dict.fromkeys(criteria[2:], "3"))


def amend_the_question(hands: Hands, first: Row) -> Row:
    """Back over the worklist; one score changes, with a reason."""
    hands.follow("a.brand")
    hands.follow(".row-link", "Demo reading")
    hands.follow(".row-link", str(first["position"]))
    expect(hands.page.locator("#missing")).to_contain_text("version 1")
    hands.press("4")
    assert hands.scores == first["scores"], "a submitted grade does not change by a digit"
    hands.press("a", "3", "Control+Enter")
    expect(hands.page.locator("#missing")).to_contain_text("a reason for the change")
    hands.write(REASON)
    hands.press("Control+Enter")
    expect(hands.page.locator("#missing")).to_contain_text("version 2")
    changed = first["scores"] | {next(iter(first["scores"])): "3"}
    assert hands.scores == changed
    return first | {"scores": changed, "version": 2, "reason": REASON}


def graded(position: int, scores: dict[str, str], **words: Any) -> Row:
    """What was entered for one reading."""
    blank = {"safety": "none", "rationale": "", "errors": "", "na": "", "version": 1, "reason": ""}
    return {"position": position, "scores": scores} | blank | words


def see_progress(page: Page, submitted: int) -> None:
    """The coordinator's home leads to the study, where reader 3 has moved."""
    page.get_by_role("link", name="Demo reading").first.click()
    row = page.get_by_role("region", name="Readers").get_by_role("row").filter(has_text="Reader 3")
    expect(row).to_contain_text(f"{submitted} of ")


def take_the_score_sheet(page: Page, folder: Path) -> Path:
    """The analyst opens leaderboard and receipt, then downloads the workbook by clicking."""
    page.get_by_role("link", name="Leaderboard").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Leaderboard")
    page.get_by_role("region", name="Leaderboard over all formats").get_by_role("link", name="Receipt").first.click()
    expect(page.get_by_role("main")).to_contain_text("sum of the contributions")
    page.go_back()
    with page.expect_download(timeout=60_000) as taken:
        page.get_by_role("link", name="Score sheet (Excel)").click()
    path = folder / "sheet.xlsx"
    taken.value.save_as(path)
    return path


def rows_of(path: Path, title: str) -> list[Row]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=False)
    rows = book[title].iter_rows(values_only=True)
    header = [str(name) for name in next(rows)]
    return [dict(zip(header, row, strict=False)) for row in rows]


def entered(rows: list[Row], position: int, version: int) -> dict[str, Row]:
    """Rows of one reading of reader 3 by criterion, without those that did not apply."""
    mine = [row for row in rows if row["Reading"] == position and row["Version"] == version]
    return {row["Criterion"]: row for row in mine if row["No value because"] != "not_applicable"}


def compare(rows: list[Row], grade: Row) -> list[str]:
    """Where the sheet differs from what was entered, cell by cell."""
    found = entered(rows, grade["position"], grade["version"])
    wrong = [] if set(found) == set(grade["scores"]) else [f"criteria {sorted(found)} for {sorted(grade['scores'])}"]
    for criterion, row in found.items():
        score = grade["scores"].get(criterion, "")
        expected = {
            "Value": None if score == "na" else int(score),
            "No value because": grade["na"] if score == "na" else None,
            "Safety": grade["safety"],
            "Rationale": grade["rationale"] or None,
            "Errors": grade["errors"] or None,
            "Reason for change": grade["reason"] or None,
            "Latest": "yes",
        }
        wrong += [
            f"{grade['position']} {criterion} {column}: {row[column]!r}, entered {value!r}"
            for column, value in expected.items()
            if (row[column] or None) != (value or None)
        ]
    return wrong


def test_a_strangers_walk_from_grading_to_the_score_sheet(come_in: Callable[[str], Page], tmp_path: Path):
    reader = come_in("reader3")
    hands = Hands(reader)
    hands.follow("a", "Begin")
    edit = grade_an_edit(hands)
    generation = grade_a_generation(hands)
    question = grade_a_question_in_two_sittings(hands)
    amended = amend_the_question(hands, question)

    see_progress(come_in("coordinator"), 3)
    rows = rows_of(take_the_score_sheet(come_in("analyst"), tmp_path), "Grades")
    code = next(row["Reader"] for row in rows if row["Rationale"] == RATIONALE)
    mine = [row for row in rows if row["Reader"] == code]

    assert {row["Reading"] for row in mine} == {edit["position"], generation["position"], amended["position"]}
    assert [each for grade in (edit, generation, amended) for each in compare(mine, grade)] == []
    before = entered(mine, question["position"], 1)
    assert {name: f"{row['Value']:g}" for name, row in before.items()} == question["scores"], "version 1 is kept"
    assert {row["Latest"] for row in before.values()} == {"no"}
