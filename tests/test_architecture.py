"""The house rules: who may import whom, what is pure, how long files and functions may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ANNOTATION = [
    "audit",
    "people",
    "rest",
    "work",
    "assets",
    "datasets",
    "curation",
    "releases",
    "systems",
    "studies",
    "grading",
    "preferences",
    "adjudication",
]
SCORING = ["runs", "agreement", "composites", "leaderboards", "preferences", "calibration", "planning", "exports"]
CELLAR = ["annotation.imaging", "annotation.formats", "scoring.metrics", "scoring.statistics"]
PURE_FILES = [
    "annotation/curation/workflow.py",
    "annotation/studies/allocation.py",
    "annotation/studies/pairing.py",
    "annotation/grading/rules.py",
    "annotation/preferences/rules.py",
    "annotation/adjudication/rules.py",
    "scoring/composites/combining.py",
    "scoring/calibration/answers.py",
    "scoring/calibration/reading.py",
]
HEAVY = {"torch", "scipy.stats", "skimage", "pyarrow", "onnxruntime"}
MAX_LINES, MAX_FUNCTION = 400, 50

SOURCES = sorted(
    path
    for app in ("annotation", "scoring", "medgen")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
)


def imported(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Modules a file imports; with `from a import b`, both a and a.b count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return ".".join(parts[:2]) if len(parts) > 1 and parts[0] in {"annotation", "scoring"} else None


def order() -> list[str]:
    return [f"annotation.{room}" for room in ANNOTATION] + [f"scoring.{room}" for room in SCORING]


def breaches(path: Path) -> list[str]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = room_of(module)
    found = []
    for name in sorted(imported(path)):
        target = room_of(name)
        if name.split(".")[0] == "medgen" and not module.startswith("medgen"):
            found.append(f"{module} imports {name}: nobody imports the project")
        if own in CELLAR:
            if target and target not in CELLAR:
                found.append(f"{module} imports {name}: the cellar imports only itself")
        elif own in order() and target in order() and order().index(target) > order().index(own):
            found.append(f"{module} imports {name}: to its right")
        elif own in order() and own.startswith("annotation") and name.startswith("scoring") and target not in CELLAR:
            found.append(f"{module} imports {name}: annotation never imports scoring")
    return found


def test_rooms_import_only_to_their_left():
    found = [breach for path in SOURCES for breach in breaches(path)]

    assert found == []


def test_every_folder_is_a_known_room():
    known = {name.split(".")[1] for name in CELLAR} | set(ANNOTATION) | set(SCORING) | {"management", "migrations"}

    for app in ("annotation", "scoring"):
        rooms = {path.parent.relative_to(ROOT / app).parts[0] for path in (ROOT / app).glob("*/**/*.py")}
        assert rooms <= known


def test_a_breach_would_be_seen(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("from annotation.grading.models import Grade\n")

    assert "annotation.grading.models" in imported(file)
    assert order().index("annotation.grading") > order().index("annotation.datasets")


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if room_of(".".join(p.relative_to(ROOT).parts)) in CELLAR], ids=str
)
def test_cellar_rooms_are_pure(path: Path):
    names = imported(path)

    assert not {name for name in names if name.split(".")[0] in {"django", "rest_framework"}}


@pytest.mark.parametrize("file", PURE_FILES)
def test_pure_files_are_pure(file: str):
    names = imported(ROOT / file)

    assert not {name for name in names if name.split(".")[0] == "django" or name.endswith(".models")}


def test_pages_do_not_load_heavy_packages():
    code = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'medgen.settings'\n"
        "django.setup()\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "[p.url_patterns for p in get_resolver().url_patterns if hasattr(p, 'url_patterns')]\n"
        f"print(sorted(set(sys.modules) & {HEAVY!r}))\n"
    )

    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_files_and_functions_stay_short():
    too_long = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        if lines > MAX_LINES:
            too_long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                docstring = ast.get_docstring(node, clean=False) or ""
                if size - len(docstring.splitlines()) > MAX_FUNCTION:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {size} lines")

    assert too_long == []


def test_scripts_and_styles_stay_short():
    for path in [*(ROOT / "static" / "js").rglob("*.js"), *(ROOT / "static" / "css").rglob("*.css")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MAX_LINES, f"{path.relative_to(ROOT)}: {len(lines)} lines"


def test_templates_hold_no_inline_script_style_or_handler():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for forbidden in ("<style", " style=", "javascript:", " onclick=", " onchange=", "|safe", "autoescape off"):
            assert forbidden not in text, f"{path.relative_to(ROOT)}: {forbidden}"


@pytest.mark.django_db
def test_migrations_are_up_to_date():
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
