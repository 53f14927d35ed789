"""The page on security names tests that exist, for every row that this product has by now."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))

    assert len(named) > 60
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_row_of_the_list_is_on_the_page():
    rows = (
        [f"D{n:02d}" for n in range(1, 18)] + [f"N{n:02d}" for n in range(1, 5)] + [f"I{n:02d}" for n in range(1, 7)]
    )
    rows += [f"X{n:02d}" for n in range(1, 8)] + ["W01", "W02", "W08", "W13", "P04", "P06", "P07", "J09"]
    rows += ["Z01 to Z04", "J01 to J08"]

    assert [row for row in rows if f"| {row} |" not in PAGE] == []
