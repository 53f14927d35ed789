"""Nothing but our own files, no inline code, no complaint of the browser: on every page, as everybody."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.browser.visitor import EACH_PERSON, NOT_PAGES, ROLES
from tests.browser.visits import Visit, Visits
from tests.test_access import TABLE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
EVERYBODY = ("", *ROLES)
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
ENDED = {"not-found": 404, "annotation:invitation-accept": 410}
REDIRECTS = {"annotation:reading-next", "annotation:study-preview"}
WITHOUT_ROWS = {  # in the demo readers are still at work and grade, and no output is in quarantine
    "annotation:adjudication-detail",
    "annotation:output-quarantine",
    "annotation:study-training",
    "annotation:study-unblinding",
    "scoring:preferences",
    "scoring:radar-detail",
}


class InlineCode(HTMLParser):
    """Collects inline scripts, styles, handlers and script addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(f"<{tag}> without an address")
        for name, value in attributes:
            if name == "style" or name.startswith("on") or name.startswith("hx-on"):
                self.found.append(f"<{tag} {name}>")
            if value and value.strip().casefold().startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value}>")


def inline_code(html: str) -> list[str]:
    parser = InlineCode()
    parser.feed(html)
    return parser.found


def all_of(visits: Visits) -> list[Visit]:
    return [visit for who in EVERYBODY for visit in visits.of(who)]


def test_the_search_for_inline_code_finds_planted_code():
    planted = '<p style="color:red" onclick="x()"><script>x()</script><a href="javascript:x()">x</a><style></style>'

    assert len(inline_code(planted)) == 5
    assert inline_code('<script src="/static/a.js"></script><p class="style">on it</p>') == []


@pytest.mark.parametrize("who", EACH_PERSON, ids=lambda who: who or "nobody")
def test_every_page_answers_and_sends_the_strict_policy(visits: Visits, who: str):
    wrong = []
    for visit in visits.of(who):
        sent = dict(part.strip().partition(" ")[::2] for part in visit.policy.split(";"))
        if visit.status != ENDED.get(visit.place.name, 200):
            wrong.append(f"{visit}: {visit.status}")
        if "unsafe" in visit.policy or "*" in visit.policy or "http" in visit.policy:
            wrong.append(f"{visit}: {visit.policy}")
        wrong += [f"{visit}: {name} {sent.get(name)}" for name in DIRECTIVES if sent.get(name) != DIRECTIVES[name]]

    assert wrong == []


@pytest.mark.parametrize("who", EACH_PERSON, ids=lambda who: who or "nobody")
def test_no_page_holds_inline_code(visits: Visits, who: str):
    wrong = [f"{visit}: {found}" for visit in visits.of(who) for found in inline_code(visit.html)]

    assert wrong == []


@pytest.mark.parametrize("who", EACH_PERSON, ids=lambda who: who or "nobody")
def test_the_browser_refuses_nothing_and_reports_no_error(visits: Visits, who: str):
    wrong = []
    for visit in visits.of(who):
        own = [text for text in visit.console if not (visit.status >= 400 and f"status of {visit.status}" in text)]
        wrong += [f"{visit}: {text}" for text in [*visit.refused, *own]]

    assert wrong == []


@pytest.mark.parametrize("who", EACH_PERSON, ids=lambda who: who or "nobody")
def test_nothing_is_asked_of_another_host(visits: Visits, who: str, site: str):
    allowed = {urlsplit(site).netloc, "blob:"}
    wrong = [f"{visit}: {host}" for visit in visits.of(who) for host in visit.hosts - allowed]

    assert wrong == []


@pytest.mark.long
def test_every_page_of_the_product_was_seen_by_somebody(visits: Visits):
    seen = {visit.place.name for visit in all_of(visits)}
    pages = {name for name, (method, _) in TABLE.items() if method == "get" and not NOT_PAGES.search(name)}

    assert sorted(pages - REDIRECTS - WITHOUT_ROWS - seen) == []
