"""One person in one browser window, and the pages this person can reach by links."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from medgen.demo.cast import PASSWORD

CHROMIUM: Any = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
}
PATIENCE_MS = 20_000
SMALL, LARGE = (1366, 768), (1920, 1080)
ROLES = ("operator", "curator", "coordinator", "analyst", "reader3")
LATER_ROLES = ("operator", "curator", "analyst")  # their walks are among the long tests
EACH_PERSON = [pytest.param(who, marks=pytest.mark.long) if who in LATER_ROLES else who for who in ("", *ROLES)]
HREF = re.compile(r"<a\b[^>]*?\bhref=\"([^\"#?]+)[^\"]*\"")
NOT_PAGES = re.compile(
    r"(json|thumbnail|frames|data|download|problems|manifest|study-flags|item-metrics|healthz|readyz"
    r"|service-worker|sign-in-again|study-design|comparison-imrmc|comparison-mrmcaov|job-progress|^api)$"
)
KEPT = {"annotation:item-detail": 2, "annotation:reading-detail": 3}


@dataclass(frozen=True)
class Place:
    """One page: the name of its address and its path."""

    name: str
    path: str

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.split(":")[-1])


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(**CHROMIUM)


def new_context(
    browser: Browser, base: str, *, state: Any = None, size: tuple[int, int] = SMALL, theme: str = "dark"
) -> BrowserContext:
    context = browser.new_context(
        base_url=base,
        storage_state=state,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        accept_downloads=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Through the form, as a person does."""
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


SETTLED = """() => !document.querySelector(".htmx-request")
  && (!document.body.classList.contains("workstation") || document.documentElement.dataset.ready === "yes")
  && [...document.querySelectorAll(".pane-message")].every((e) => e.hidden || e.textContent !== "Loading")"""


def settle(page: Page) -> None:
    """Wait until a page shows what it is going to show: fragments fetched, images drawn.

    Asks again and again from here: the browser's own waiting evaluates text in the page, which the policy forbids.
    """
    page.wait_for_load_state("load")
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(SETTLED):
        assert time.monotonic() < end, f"{page.url} did not settle: {page.locator('.pane-message').all_inner_texts()}"
        page.wait_for_timeout(40)


def pages_of(context: BrowserContext) -> list[Place]:
    """Every page this person reaches by links from the home page; a few of each kind."""
    seen: dict[str, list[str]] = {}
    places: list[Place] = []
    queue = ["/"]
    known = {"/"}
    while queue:
        path = queue.pop(0)
        answer = context.request.get(path)
        final = urlsplit(answer.url).path
        name = name_of(final)
        if name is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        if final in seen.setdefault(name, []) or len(seen[name]) >= KEPT.get(name, 1):
            continue
        seen[name].append(final)
        places.append(Place(name, final))
        fresh = [each for each in links_in(answer.text(), path) if each not in known]
        known.update(fresh)
        queue.extend(_spread(fresh))
    return places


def links_in(html: str, path: str) -> list[str]:
    """Paths of this host that a page links to, in order, each once."""
    found = (urlsplit(urljoin(f"http://host{path}", unescape(href))) for href in HREF.findall(html))
    return list(dict.fromkeys(each.path for each in found if each.netloc == "host"))


def name_of(path: str) -> str | None:
    """The name of the page at a path; None for what is no page."""
    try:
        name = resolve(path).view_name
    except Resolver404:
        return None
    return None if NOT_PAGES.search(name) else name


def _spread(paths: list[str]) -> list[str]:
    """Of many links to pages of one kind the first, the middle and the last ones."""
    by_name: dict[str, list[str]] = {}
    for path in paths:
        if name := name_of(path):
            by_name.setdefault(name, []).append(path)
    chosen = []
    for group in by_name.values():
        picks = {0, len(group) // 2, len(group) - 1}
        chosen += [group[i] for i in sorted(picks)]
    return chosen
