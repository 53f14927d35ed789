"""Imports and the demo, killed without warning in a process of their own, are simply run again."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.bench import edit, lines, question, save

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "PYTHONPATH"}}
    return kept | {
        "MEDGEN_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "medgen.settings",
    }


def start(home: Path, *words: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, words)], cwd=ROOT, env=environment(home), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def run(home: Path, *words: object, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
    process = start(home, *words)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def kill(process: "subprocess.Popen[str]") -> None:
    """SIGKILL to the process and the decoders it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def killed_after(home: Path, seconds: float, *words: object) -> bool:
    """Start, wait, kill; False when it had finished by then."""
    process = start(home, *words)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        return True
    return False


def rows(home: Path, statement: str) -> list[tuple]:
    with sqlite3.connect(home / "medgen.sqlite3") as database:
        return database.execute(statement).fetchall()


def one(home: Path, statement: str) -> int:
    return int(rows(home, statement)[0][0])


def sound(home: Path) -> None:
    """The database is whole, and every asset's file is there in full with nothing half-written beside it."""
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]
    assert rows(home, "PRAGMA foreign_key_check") == []
    for digest, suffix, size in rows(home, "SELECT sha256, suffix, size_bytes FROM annotation_asset"):
        file = home / "assets" / digest[:2] / digest[2:4] / f"{digest}{suffix}"
        assert file.stat().st_size == size


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory) -> Path:
    """A migrated home, made once; tests work on copies."""
    home = tmp_path_factory.mktemp("template") / "home"
    done = run(home, "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def own_home(empty_home, tmp_path) -> Path:
    home = tmp_path / "own"
    subprocess.run(["cp", "-a", str(empty_home), str(home)], check=True)
    return home


def package(folder: Path, *, questions: int, pictures: int) -> Path:
    rng = np.random.default_rng(2)
    records = [question(str(number)) for number in range(questions)]
    for number in range(pictures):
        save(folder / f"images/p{number}.png", rng.integers(0, 256, (64, 64), dtype=np.uint8))
        save(folder / f"images/p{number}_ref.png", rng.integers(0, 256, (64, 64), dtype=np.uint8))
        records.append(edit(f"p{number}"))
    return lines(folder / "data.jsonl", *records)


def kill_then_run_again(home: Path, file: Path, *, n: int, kills: int, seed: int) -> int:
    """Kill an import at random moments, then let it finish; returns how often it was caught at work."""
    chance, caught = random.Random(seed), 0
    words = ("import_items", file, "--dataset", "killed")
    longest = 3.5
    for _ in range(kills):
        caught += killed_after(home, chance.uniform(0.4, longest), *words)
        sound(home)
        assert one(home, "SELECT COUNT(*) FROM annotation_item WHERE current_revision_id IS NULL") == 0

    done = run(home, *words, "--json")

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["new"] + said["unchanged"] == n and said["changed"] == said["refused"] == 0
    assert one(home, "SELECT COUNT(*) FROM annotation_item") == n
    assert one(home, "SELECT COUNT(DISTINCT number) FROM annotation_item") == n
    assert one(home, "SELECT COUNT(*) FROM annotation_itemrevision") == n
    assert one(home, "SELECT COUNT(*) FROM annotation_importjob WHERE state = 'running'") == 0
    assert one(home, "SELECT COUNT(*) FROM annotation_importjob WHERE state = 'done'") >= 1
    sound(home)
    return caught


def test_a_killed_import_is_run_again_and_nothing_is_doubled(own_home, tmp_path):
    file = package(tmp_path / "p", questions=1600, pictures=25)

    caught = kill_then_run_again(own_home, file, n=1625, kills=KILLS, seed=7)

    assert caught >= 2
    assert one(own_home, "SELECT COUNT(*) FROM annotation_asset") == 50
    again = json.loads(run(own_home, "import_items", file, "--dataset", "killed", "--json").stdout)
    assert (again["new"], again["changed"], again["unchanged"], again["refused"]) == (0, 0, 1625, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_an_import_killed_many_times_is_still_complete(own_home, tmp_path, seed):
    file = package(tmp_path / "p", questions=6000, pictures=200)

    kill_then_run_again(own_home, file, n=6200, kills=8, seed=seed)


TABLES = (
    "annotation_user", "annotation_item", "annotation_itemrevision", "annotation_asset", "annotation_review",
    "annotation_release", "annotation_releaseitem", "annotation_submission", "annotation_output", "annotation_study",
    "annotation_reading", "annotation_readingoutput", "annotation_grade", "annotation_criterionscore",
    "scoring_metricvalue",
)  # fmt: skip


def census(home: Path) -> dict[str, int]:
    return {table: one(home, f"SELECT COUNT(*) FROM {table}") for table in TABLES}


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("demo") / "home"
    done = run(home, "demo", "--no-serve", seconds=240)
    assert done.returncode == 0, done.stderr
    return home


def kill_the_demo(home: Path, whole: Path, *, kills: int, seed: int, between: tuple[float, float]) -> int:
    chance, caught = random.Random(seed), 0
    for _ in range(kills):
        caught += killed_after(home, chance.uniform(*between), "demo", "--no-serve")
    done = run(home, "demo", "--no-serve", seconds=240)
    assert done.returncode == 0, done.stderr
    assert census(home) == census(whole)
    assert one(home, "SELECT COUNT(*) FROM annotation_importjob WHERE state = 'running'") == 0
    sound(home)
    return caught


def test_a_killed_demo_is_run_again_and_equals_one_that_was_not_killed(whole_demo, tmp_path):
    caught = kill_the_demo(tmp_path / "killed", whole_demo, kills=2, seed=3, between=(2, 7))

    assert caught == 2


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_demo_killed_many_times_is_still_complete(whole_demo, tmp_path, seed):
    kill_the_demo(tmp_path / "killed", whole_demo, kills=6, seed=seed, between=(0.5, 20))


def test_a_demo_run_twice_changes_nothing(whole_demo):
    before = census(whole_demo)

    done = run(whole_demo, "demo", "--no-serve", seconds=240)

    assert done.returncode == 0, done.stderr
    assert census(whole_demo) == before
    sound(whole_demo)


def snapshot(home: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a home by name: its size and content."""
    files = [path for path in home.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    return {str(path.relative_to(home)): (path.stat().st_size, path.read_bytes()) for path in files}


def test_the_demo_refuses_a_home_that_holds_other_data_and_changes_nothing(own_home, tmp_path):
    file = lines(tmp_path / "p/data.jsonl", question("1"))
    assert run(own_home, "import_items", file, "--dataset", "mine").returncode == 0
    before = snapshot(own_home)

    refusals = [run(own_home, "demo", "--no-serve"), run(own_home, "demo", "--no-serve", "--reset")]

    for refused in refusals:
        assert refused.returncode == 1
        assert str(own_home) in refused.stderr and "nothing was changed" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert snapshot(own_home) == before
    assert rows(own_home, "SELECT slug FROM annotation_dataset") == [("mine",)]


@pytest.mark.parametrize("content", ["assets", "medgen.sqlite3"])
def test_the_demo_refuses_a_home_with_only_a_part_of_other_data(tmp_path, content):
    home = tmp_path / "partly"
    home.mkdir()
    (home / content).mkdir() if content == "assets" else (home / content).write_bytes(b"not a database")

    refused = run(home, "demo", "--no-serve")

    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert not (home / "demo.txt").exists()
