"""Every page of every person: what the server sent, what the browser said, what axe-core found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.visitor import Place, new_context, pages_of, settle

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """async (rules) => {
  const runOnly = rules ? { type: "rule", values: rules } : undefined;
  const { violations } = await axe.run(document, { resultTypes: ["violations"], runOnly });
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 4).map((n) => n.target.join(" "))}`);
}"""
WATCH = """addEventListener("securitypolicyviolation", (event) => {
  (window.refusedByPolicy ??= []).push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
});"""
KINDS = """() => [...document.querySelectorAll("*")].map((each) => {
  const named = ["role", "type", "aria-label", "for"].map((name) => each.getAttribute(name) ?? "");
  const styled = each.className.baseVal ?? each.className;
  return [each.parentElement?.tagName ?? "", each.tagName, styled, ...named].join(" ");
})"""
STRANGER = (
    Place("annotation:sign-in", "/sign-in/"),
    Place("annotation:invitation-accept", "/invitation/QQ/spent-link/"),
    Place("annotation:offline-shell", "/readings/offline/"),
    Place("not-found", "/nothing-here/"),
)


@dataclass
class Visit:
    """One page seen by one person."""

    who: str
    place: Place
    status: int
    policy: str
    html: str
    refused: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    axe: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place.path} as {self.who or 'nobody'}"


class Visits:
    """Visits by person; each person's pages are seen once."""

    def __init__(self, browser: Browser, base: str, state_of: Callable[[str], Any]) -> None:
        self.browser, self.base, self.state_of = browser, base, state_of
        self.made: dict[str, list[Visit]] = {}
        self.failed: dict[str, Exception] = {}
        self.looked_at: dict[str, set[str]] = {}

    def of(self, who: str) -> list[Visit]:
        """Raises again, without a new walk, what ended the first one."""
        if who in self.failed:
            raise self.failed[who]
        if who not in self.made:
            try:
                self.made[who] = self._walk(who)
            except Exception as error:
                self.failed[who] = error
                raise
        return self.made[who]

    def _walk(self, who: str) -> list[Visit]:
        context = new_context(self.browser, self.base, state=self.state_of(who))
        context.add_init_script(WATCH)
        places = pages_of(context) if who else list(STRANGER)
        page = context.new_page()
        visits = [self._visit(page, who, place) for place in places]
        context.close()
        return visits

    def _visit(self, page: Page, who: str, place: Place) -> Visit:
        console: list[str] = []
        hosts: set[str] = set()

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                console.append(message.text)

        def see(request: Request) -> None:
            parts = urlsplit(request.url)
            hosts.add(parts.netloc if parts.scheme in {"http", "https"} else f"{parts.scheme}:")

        def fail(error: Exception) -> None:
            console.append(str(error))

        page.on("console", hear)
        page.on("request", see)
        page.on("pageerror", fail)
        answer = page.goto(place.path)
        assert answer is not None
        settle(page)
        refused = page.evaluate("() => window.refusedByPolicy ?? []")
        for name, listener in (("console", hear), ("request", see), ("pageerror", fail)):
            page.remove_listener(name, listener)
        policy = answer.headers.get("content-security-policy", "")
        html = answer.text()
        axe = run_axe(page) if self._is_new(page, place) else {"dark": [], "light": []}
        return Visit(who, place, answer.status, policy, html, refused, console, hosts, axe)

    def _is_new(self, page: Page, place: Place) -> bool:
        """Whether axe has to look: not at an address whose kinds of elements it all saw on another person's page."""
        kinds = set(page.evaluate(KINDS))
        looked_at = self.looked_at.setdefault(place.name, set())
        new = not looked_at or bool(kinds - looked_at)
        looked_at |= kinds
        return new


def run_axe(page: Page) -> dict[str, list[str]]:
    """Serious and critical violations: every rule in the dark theme, the rules that see colors in the light one.

    The text of the program is handed over, not loaded, as the page's policy demands.
    """
    page.evaluate(AXE)
    found = {}
    for theme, rules in (("dark", None), ("light", ["color-contrast", "link-in-text-block"])):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        found[theme] = list(page.evaluate(RUN_AXE, rules))
    return found


def wrong_for_axe(page: Page) -> list[str]:
    """What axe finds on a page as it is now, a dialog open or a row added, in both themes."""
    return [f"{theme}: {each}" for theme, found in run_axe(page).items() for each in found]
