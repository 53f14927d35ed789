"""axe-core on every page in both themes; the workstation fits one small screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.readings import EDIT, GENERATION, VQA, Readings
from tests.browser.visitor import EACH_PERSON, SMALL, settle
from tests.browser.visits import Visits, run_axe, wrong_for_axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

OUTSIDE = """() => {
  const named = {
    instruction: ".instruction", tool: ".tools button, .tools select", pane: ".place", criterion: ".criterion",
    anchor: ".anchors li", errors: ".errors", harm: ".safety", submit: "#submit", status: ".statusbar",
  };
  const outside = [];
  for (const [name, selector] of Object.entries(named)) {
    const all = [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
    if (!all.length) outside.push(`${name}: there is none`);
    for (const each of all) {
      const box = each.getBoundingClientRect();
      let [left, top, right, bottom] = [0, 0, innerWidth, innerHeight];
      for (let around = each.parentElement; around; around = around.parentElement) {
        if (getComputedStyle(around).overflow === "visible") continue;
        const edge = around.getBoundingClientRect();
        [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
        [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
      }
      const before = box.left < left - 1 || box.top < top - 1;
      if (box.width < 1 || before || box.right > right + 1 || box.bottom > bottom + 1) {
        const words = each.textContent.trim().slice(0, 40);
        outside.push(`${name} “${words}”: ${[box.left, box.top, box.right, box.bottom].map(Math.round)}`
          + ` in ${[left, top, right, bottom].map(Math.round)}`);
      }
    }
  }
  const { scrollHeight, scrollWidth } = document.scrollingElement;
  const scrolls = scrollHeight > innerHeight || scrollWidth > innerWidth;
  if (scrolls) outside.push(`the page scrolls: ${scrollWidth} × ${scrollHeight}`);
  const ask = document.querySelector(".ask");
  if (ask.scrollHeight > ask.clientHeight + 1) outside.push("the instruction is cut");
  return outside;
}"""


@pytest.mark.parametrize("who", EACH_PERSON, ids=lambda who: who or "nobody")
@pytest.mark.parametrize("theme", ("dark", "light"))
def test_axe_finds_no_serious_violation(visits: Visits, who: str, theme: str):
    wrong = [f"{visit}: {found}" for visit in visits.of(who) for found in visit.axe[theme]]

    assert wrong == []


def test_axe_finds_planted_violations_in_each_theme(enter: Callable[..., Page]):
    page = enter("")
    page.goto("/sign-in/")
    page.evaluate(
        """() => {
          document.querySelector("label").remove();
          document.querySelector(".lead").style.color = "light-dark(#ddd, #333)";
        }"""
    )

    found = run_axe(page)

    assert any("label" in each for each in found["dark"])
    assert any("color-contrast" in each for each in found["dark"])
    assert any("color-contrast" in each for each in found["light"])


def test_axe_finds_nothing_in_dialogs_and_rows_of_the_workstation(enter: Callable[..., Page], readings: Readings):
    """Those that only trouble opens (sign in again, two versions, refused, the guess) are looked at there."""
    page = enter("reader3", size=SMALL)
    page.goto(readings.find(EDIT)["urls"]["page"])
    settle(page)
    dialog = page.locator("dialog[open]")
    wrong = {}
    for name, keys in (("keymap", "?"), ("skip", "k")):
        page.keyboard.press(keys)
        expect(dialog).to_be_visible()
        wrong[name] = wrong_for_axe(page)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    page.locator("#offline").click()
    expect(page.locator("#offline-size")).to_contain_text("readings, ")
    wrong["offline"] = wrong_for_axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("e")
    expect(page.locator(".errors select, .errors input").first).to_be_visible()
    wrong["error rows"] = wrong_for_axe(page)

    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("format_code", (VQA, EDIT, GENERATION))
def test_a_whole_reading_is_seen_at_1366_without_scrolling(
    enter: Callable[..., Page], readings: Readings, format_code: str
):
    page = enter("reader3", size=SMALL)
    page.goto(readings.find(format_code)["urls"]["page"])
    settle(page)

    assert page.evaluate(OUTSIDE) == []


def test_the_longest_instruction_and_most_choices_are_seen_whole(enter: Callable[..., Page], readings: Readings):
    def length(reading: dict[str, Any]) -> int:
        item = reading["item"]
        return len(item["instruction"]) + sum(len(choice) + 20 for choice in item["choices"])

    page = enter("reader3", size=SMALL)
    page.goto(max(readings.first(40), key=length)["urls"]["page"])
    settle(page)

    assert page.evaluate(OUTSIDE) == []


def test_a_full_sheet_of_errors_keeps_submit_in_sight(enter: Callable[..., Page], readings: Readings):
    page = enter("reader3", size=SMALL)
    page.goto(readings.find(EDIT)["urls"]["page"])
    settle(page)
    page.keyboard.press("1")
    for _ in range(4):
        page.keyboard.press("e")
        page.keyboard.press("Escape")

    outside = [each for each in page.evaluate(OUTSIDE) if each.startswith(("submit", "the page", "criterion"))]

    assert outside == []


def test_every_control_of_the_workstation_is_reached_by_tab_with_a_visible_focus(
    enter: Callable[..., Page], readings: Readings
):
    page = enter("reader3", size=SMALL)
    page.goto(readings.find(EDIT)["urls"]["page"])
    settle(page)
    expected = page.evaluate(
        """() => [...document.querySelectorAll("button, select, textarea, input, a[href]")].filter((each) =>
          each.checkVisibility() && !each.disabled && each.type !== "radio").length"""
    )
    seen: set[str] = set()
    unseen = []
    for _ in range(140):
        page.keyboard.press("Tab")
        who, ring = page.evaluate(
            """() => {
              const it = document.activeElement;
              const index = [...document.querySelectorAll("*")].indexOf(it);
              const shown = it.type === "radio" ? (it.closest("label") ?? it) : it;
              const style = getComputedStyle(shown);
              const around = getComputedStyle(it, "::after");
              const ring = [style, getComputedStyle(it)].some((each) => each.outlineStyle !== "none")
                || (around.content !== "none" && parseFloat(around.borderTopWidth) >= 2);
              return [`${index} ${it.tagName} ${it.type ?? ""} ${it.id}`, ring || it === document.body];
            }"""
        )
        if who in seen:
            continue
        seen.add(who)
        if not ring:
            unseen.append(who)
    tags = {"BUTTON", "SELECT", "TEXTAREA", "A"}
    controls = [each for each in seen if each.split()[1] in tags or "checkbox" in each]

    assert unseen == []
    assert len(controls) == expected
