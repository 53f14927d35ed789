"""The documents say what exists: metrics, settings, commands, decisions, links."""

import re
from pathlib import Path

import pytest

from scoring.metrics.base import REASONS
from scoring.metrics.registry import METRICS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path for path in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("code", METRICS)
def test_every_metric_has_a_section(code: str):
    assert re.search(rf"^#+ .*`{code}`", text("metrics.md"), re.MULTILINE)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_explained(reason: str):
    assert f"`{reason}`" in text("metrics.md")


def test_every_setting_is_documented():
    source = (ROOT / "medgen" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))

    assert names
    assert {name for name in names if f"`{name}`" not in text("settings.md")} == set()


def test_every_command_is_documented():
    commands = {
        path.stem
        for app in ("annotation", "scoring", "medgen")
        for path in (ROOT / app / "management" / "commands").glob("[!_]*.py")
    }

    assert {name for name in commands if f"`{name}" not in text("commands.md")} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_decision_is_numbered_once():
    numbers = [path.name[:4] for path in (DOCS / "decisions").glob("*.md")]

    assert numbers
    assert len(numbers) == len(set(numbers))


def test_the_changelog_tells_users_what_is_new():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_room_is_on_the_map():
    for app in ("annotation", "scoring"):
        for folder in (ROOT / app).iterdir():
            if folder.is_dir() and folder.name not in {"management", "migrations", "__pycache__"}:
                assert f"`{app}/{folder.name}`" in text("architecture.md"), folder
