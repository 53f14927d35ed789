"""`kill -9` at random moments while a department grades: every acknowledged grade is there exactly once."""

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.browser.server import ROOT, environment
from tests.soak.hospital import Product, Tally, build_ward, read_all

ASKED = """SELECT o.reading_id, g.submit_key FROM annotation_grade g
           JOIN annotation_readingoutput o ON o.id = g.reading_output_id"""
SCORES = "SELECT COUNT(*) FROM annotation_criterionscore"


def grades_kept(home: Path, url: str) -> tuple[Counter[tuple[str, str]], int]:
    """(reading, key) of every grade, and how many scores there are, by the database's own client."""
    if url:
        with psycopg.connect(url) as opened:
            rows = [(str(a), str(b)) for a, b in opened.execute(ASKED.encode()).fetchall()]
            (scores,) = opened.execute(SCORES.encode()).fetchone() or (0,)
    else:
        with sqlite3.connect(home / "medgen.sqlite3") as opened:
            rows = [(_dashed(a), _dashed(b)) for a, b in opened.execute(ASKED).fetchall()]
            (scores,) = opened.execute(SCORES).fetchone()
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return Counter(rows), int(scores)


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if len(text) == 32 else text


def grade_under_fire(home: Path, url: str, *, readers: int, items: int, kills: int, pause_s: float) -> dict[str, Any]:
    """Load until everything is graded, killing meanwhile; then compare what was told with what is kept.

    A text output is also asked for its pictures, which is n/a by itself: one score more than was given.
    """
    settings = {"DATABASE_URL": url} if url else {}
    ward = build_ward(home, settings, readers=readers, items=items)
    product = Product(home, settings)
    product.start()
    chance, began = random.Random(20261125), time.monotonic()
    try:
        tally, threads = read_all(ward, product.port)
        while any(thread.is_alive() for thread in threads):
            time.sleep(pause_s * (0.5 + chance.random()))
            if product.kills < kills:
                product.kill_one(chance)
        took = time.monotonic() - began
    finally:
        product.stop()
    check(home, url, settings, tally, expected=readers * items, per_grade=len(ward["criteria"]) + 1)
    report = {
        "engine": "postgresql" if url else "sqlite", "grades": readers * items, "kills": product.kills,
        "starts": product.starts, "retries": tally.retries, "seconds": round(took, 1),
    }  # fmt: skip
    print("kills under load:", report)
    return report


def check(home: Path, url: str, settings: dict[str, str], tally: Tally, *, expected: int, per_grade: int) -> None:
    kept, n_scores = grades_kept(home, url)
    told = Counter({(reading, key): 1 for reading, key in tally.acknowledged.items()})
    assert tally.refused == []
    assert len(told) == expected
    assert told - kept == Counter(), "an acknowledged grade is lost"
    assert kept - told == Counter(), "a grade is doubled, or there without having been acknowledged"
    assert n_scores == expected * per_grade
    verified = subprocess.run(
        [sys.executable, "manage.py", "verify"], cwd=ROOT, env=environment(home) | settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    trail = [line for line in verified.stderr.splitlines() if line.startswith(("trail", "schema", "database"))]
    assert trail == []


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def url(request):
    """The DATABASE_URL of the home; empty for SQLite."""
    if request.param == "sqlite":
        yield ""
    else:
        with postgres.new_database() as address:
            yield address


def test_a_few_kills_lose_and_double_nothing(url, tmp_path):
    report = grade_under_fire(tmp_path, url, readers=6, items=12, kills=4, pause_s=0.4)

    assert report["kills"] >= 2


@pytest.mark.soak
def test_a_hundred_kills_of_the_web_processes_lose_and_double_nothing(url, tmp_path):
    report = grade_under_fire(tmp_path, url, readers=50, items=200, kills=110, pause_s=0.9)

    assert report["kills"] >= 100, "the load ended before the killer did"
