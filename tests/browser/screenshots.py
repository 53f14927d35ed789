"""Photograph every page of the demo: python -m tests.browser.screenshots OUT [--home HOME] [--only NAME] [--who ROLE]

Both sizes, dark and light, each page as one person who may see it. Without --home the demo is loaded first.
"""

import argparse
import os
import tempfile
from pathlib import Path

import django
from playwright.sync_api import Browser, Page

from tests.browser.server import copy_home, load_demo, serving
from tests.browser.visitor import LARGE, ROLES, SMALL, Place, chromium, new_context, pages_of, settle, sign_in

THEMES = ("dark", "light")
STRANGERS = (Place("annotation:sign-in", "/sign-in/"), Place("not-found", "/nothing-here/"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--home", type=Path, help="a home with the demo in it; it is copied")
    parser.add_argument("--only", default="", help="only pages whose address name holds this word")
    parser.add_argument("--who", default="", help="only pages of this person")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if options.home:
            copy_home(options.home, home)
        else:
            load_demo(home)
        with serving(home) as base, chromium() as browser:
            photograph(browser, base, options.out, options.only, options.who)


def photograph(browser: Browser, base: str, out: Path, only: str = "", who: str = "") -> None:
    """Every page once, as the first person who reaches it; the home page as everybody."""
    taken: set[Place] = set()
    for role in [role for role in ("", *ROLES) if not who or role == who]:
        entry = new_context(browser, base)
        if role:
            sign_in(entry.new_page(), role)
        places = pages_of(entry) if role else list(STRANGERS)
        chosen = [p for p in places if (p.path == "/" or p not in taken) and only in p.name]
        taken.update(places)
        state = entry.storage_state()
        entry.close()
        for size in (SMALL, LARGE):
            for theme in THEMES:
                context = new_context(browser, base, state=state, size=size, theme=theme)
                page = context.new_page()
                for number, place in enumerate(chosen):
                    name = f"{role or 'anyone'}-{number:02d}-{place.slug}-{size[0]}-{theme}.png"
                    take(page, place, theme, out / name)
                context.close()


def take(page: Page, place: Place, theme: str, path: Path) -> None:
    page.goto(place.path)
    settle(page)
    if theme == "light" and "workstation" in (page.locator("body").get_attribute("class") or ""):
        page.locator("[data-theme-toggle]").click()  # dark unless switched, whatever the system says
        page.locator("body").evaluate("() => localStorage.removeItem('medgen.theme.workstation')")
    page.wait_for_timeout(150)
    page.screenshot(path=path, full_page="workstation" not in (page.locator("body").get_attribute("class") or ""))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    django.setup()
    main()
