"""What waits in the browser meanwhile: a skip, an amendment, a withdrawn consent, a clock, a second factor."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from medgen.demo.cast import PASSWORD
from tests.browser.authenticator import code_now, session_of
from tests.browser.keyboard import Hands
from tests.browser.stored import KEPT, SAVED, at_work, mend, sees_saved, soon
from tests.browser.visitor import new_context, settle

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NO_LOCKS = "Object.defineProperty(navigator, 'locks', { value: undefined });"
LEASE_OF_ANOTHER = """async (ms) => {
  const name = (await indexedDB.databases()).map(({ name }) => name).find((name) => name.startsWith("medgen.queue."));
  const database = await new Promise((resolve) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
  });
  const transaction = database.transaction("works", "readwrite");
  transaction.objectStore("works").put({ key: "sender", value: { window: "gone", until: Date.now() + ms } });
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  database.close();
}"""


def send_grade(page: Page, hands: Hands, value: int, **fields: object) -> int:
    """Submit from outside the workstation, as another window or computer does; the version."""
    scores = dict.fromkeys(hands.criteria, value)
    output = {"scores": scores, "na": {}, "rationale": "", "errors": [], "safety": "none"}
    token = next(each["value"] for each in page.context.cookies() if each["name"] == "csrftoken")
    answer = page.request.post(
        f"{page.url}submit/",
        data={"payload": {"outputs": {"A": output}}, "submit_key": str(uuid.uuid4()), **fields},
        headers={"X-CSRFToken": token},
    )
    assert answer.ok, answer.text()
    return int(answer.json()["version"])


def test_a_skip_without_a_network_arrives_and_the_reader_goes_on_with_what_was_fetched_ahead(wired_page, wired):
    wire, home = wired
    hands, reading, position = at_work(wired_page)
    following = wired_page.locator("#following").get_attribute("href")
    soon(lambda: wired_page.evaluate(FETCHED, following), wired_page)
    wire.cut = "all"

    hands.press("k")
    wired_page.get_by_role("dialog").get_by_role("button", name="Skip").click()
    hands.leaves(position)
    assert following in wired_page.url
    expect(wired_page.locator("#saved")).to_have_text(re.compile("Offline · 1 skip kept on this computer"))
    mend(wired_page, wire)

    sees_saved(wired_page)
    skipped = "SELECT status, skip_reason FROM annotation_reading WHERE id = ?"
    ((status, reason),) = home.all(skipped, reading.replace("-", ""))
    assert status == "skipped" and reason


FETCHED = """(page) => performance.getEntriesByType("resource").some(({ name, responseEnd }) =>
  responseEnd && name.endsWith(`${page}reading.json`))"""


def test_an_amendment_that_meets_a_newer_version_shows_both_and_overwrites_nothing(wired_page, wired):
    _, home = wired
    hands, reading, _ = at_work(wired_page)
    send_grade(wired_page, hands, 4)
    wired_page.reload()
    settle(wired_page)
    n = len(home.grades(reading)[0][1])
    hands.press("a", "3")
    codes = wired_page.locator(".criterion:not(.ruled)").count()
    assert send_grade(wired_page, hands, 5, reason="seen again elsewhere", base_version=1) == 2

    hands.press(*["3"] * (codes - 1), "Control+Enter")
    hands.write("the wrong side")
    hands.press("Control+Enter")

    dialog = wired_page.get_by_role("dialog")
    expect(dialog).to_contain_text("was submitted from another window or computer")
    expect(dialog.locator("tr.differing")).to_have_count(n)
    before = [(1, [4.0] * n), (2, [5.0] * n)]
    assert home.grades(reading) == before
    dialog.get_by_role("button", name="Decide later").click()
    expect(wired_page.locator("#saved")).to_have_text(re.compile("Two versions of reading .* both are kept"))
    wired_page.locator("#saved-act").click()
    wired_page.get_by_role("dialog").get_by_role("button", name="Keep this window’s").click()
    expect(wired_page.locator("#banner")).to_contain_text("This is an amendment now")
    assert home.grades(reading) == before, "choosing begins an amendment; only the reader submits it"
    hands.press("Control+Enter")

    soon(lambda: home.grades(reading) == [*before, (3, [3.0] * n)], wired_page)


def test_a_consent_withdrawn_while_drafts_wait_is_said_and_nothing_is_sent_or_dropped(wired_page, wired):
    wire, home = wired
    hands, reading, position = at_work(wired_page)
    wire.cut = "before"
    hands.press("5", "1")
    expect(wired_page.locator("#saved")).to_have_text(KEPT)
    enrolled = "(SELECT enrollment_id FROM annotation_reading WHERE id = '" + reading.replace("-", "") + "')"
    home.do(f"UPDATE annotation_enrollment SET active = 0, withdrawn_at = datetime('now') WHERE id = {enrolled}")
    try:
        mend(wired_page, wire)
        expect(wired_page.locator("#saved")).to_have_text(f"Reading {position} not accepted · kept on this computer")
        expect(wired_page.locator("#banner")).to_contain_text("You no longer take part in this study")
        wired_page.locator("#saved-act").click()
        text = wired_page.get_by_role("dialog").get_by_label("What you entered").input_value()
        assert f"Reading {position}" in text and text.count(": 5") + text.count(": 1") >= 2
        assert home.draft(reading) == {}
    finally:
        home.do(f"UPDATE annotation_enrollment SET active = 1, withdrawn_at = NULL WHERE id = {enrolled}")
    wired_page.get_by_role("dialog").get_by_role("button", name="Try again").click()

    sees_saved(wired_page)
    assert list(home.scores(reading).values()) == ["5", "1"]


def test_without_locks_one_window_sends_and_the_lease_of_a_dead_one_stops_nobody(wired_page, wired):
    wire, home = wired
    wired_page.context.add_init_script(NO_LOCKS)
    first, reading, _ = at_work(wired_page)
    assert wired_page.evaluate("() => navigator.locks === undefined")
    other = wired_page.context.new_page()
    other.goto(wired_page.locator("#following").get_attribute("href") or "")
    settle(other)
    second = Hands(other)
    another = re.search(r"/readings/([0-9a-f-]{36})/", other.url)[1]  # type: ignore[index]
    wire.cut = "before"
    first.press("2")
    second.press("3")
    for page in (wired_page, other):
        expect(page.locator("#saved")).to_have_text(KEPT, timeout=20_000)
    wired_page.evaluate(LEASE_OF_ANOTHER, 3_000)
    sent: list[str] = []
    for page in (wired_page, other):
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    mend(wired_page, wire)
    mend(other, wire)

    for page in (wired_page, other):
        sees_saved(page)
    assert (list(home.scores(reading).values()), list(home.scores(another).values())) == (["2"], ["3"])
    assert sorted(set(sent)) == sorted(sent), "nothing is sent by two windows"

    wired_page.evaluate(LEASE_OF_ANOTHER, 3_600_000)
    first.press("4")
    sees_saved(wired_page)
    soon(lambda: "4" in home.scores(reading).values(), wired_page, 5)


def test_the_hour_that_comes_twice_changes_nothing(wired_page, wired):
    page, (_, home) = wired_page, wired
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"})
    page.clock.install(time="2026-10-25T00:59:30Z")
    page.clock.resume()
    hands, reading, position = at_work(page)
    hands.press(*["4"] * len(hands.criteria))
    expect(page.locator("#saved")).to_have_text(SAVED)
    hands.press("Control+Enter")
    hands.leaves(position)
    hands.press("3")
    page.clock.fast_forward(60_000)

    expect(page.locator("#saved")).to_have_text(SAVED, timeout=20_000)
    assert page.evaluate("() => new Date().getTimezoneOffset()") == -60, "summer time has ended"
    soon(lambda: len(home.grades(reading)) == 1, page)
    told, when = home.times(reading)
    assert told.startswith("2026-10-25 00:59") and not when.startswith("2026-10-25")


def test_an_expired_login_with_a_second_factor_is_renewed_beside_the_page(browser: Browser, wired, product):
    wire, home = wired
    base = f"http://127.0.0.1:{wire.port}"
    context = new_context(browser, base)
    home.do("INSERT INTO django_session VALUES (?, ?, datetime('now', '+1 day'))", "of-reader-1", session_of(product))
    context.add_cookies([{"name": "sessionid", "value": "of-reader-1", "url": base}])
    page = context.new_page()
    hands, reading, _ = at_work(page)
    hands.press("5")
    hands.sees_saved()
    home.do("DELETE FROM django_session")
    hands.press("4")
    expect(page.locator("#saved")).to_have_text(re.compile("Signed out .* kept on this computer"))
    page.locator("#sign-in-again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("second factor")

    with context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in in another tab").click()
    beside = opened.value
    beside.locator("input[name=username]").fill("reader1")
    beside.locator("input[name=password]").fill(PASSWORD)
    beside.keyboard.press("Enter")
    beside.locator("input[name=code]").fill(code_now())
    beside.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    sees_saved(page)
    assert list(home.scores(reading).values()) == ["5", "4"]
    context.close()
