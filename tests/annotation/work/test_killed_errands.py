"""Workers killed without warning, in processes of their own: nothing is lost, nothing is doubled."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETUP = (
    "import django; django.setup(); from tests.annotation.work.errands import register_errands; register_errands()\n"
)


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath, "MEDGEN_HOME": str(home), "DJANGO_SETTINGS_MODULE": "medgen.settings",
        "SECRET_KEY": "a key for this test only, long enough to pass", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("work") / "home"
    home.mkdir()
    words = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(words, cwd=ROOT, env=environment(home), check=True, timeout=120, capture_output=True)
    return home


@pytest.fixture
def own_home(empty_home, tmp_path) -> Path:
    home = tmp_path / "own"
    subprocess.run(["cp", "-a", str(empty_home), str(home)], check=True)
    return home


def ask(home: Path, kind: str, **parameters) -> None:
    code = SETUP + (
        "from annotation.work.services import enqueue\n"
        f"enqueue(kind={kind!r}, title='a', parameters={parameters!r}, requested_by=None)\n"
    )
    words = [sys.executable, "-c", code]
    subprocess.run(words, cwd=ROOT, env=environment(home), check=True, timeout=60, capture_output=True)


def start(home: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.annotation.work.errands", *words], cwd=ROOT, env=environment(home), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def rows(home: Path, query: str) -> list[tuple]:
    with sqlite3.connect(home / "medgen.sqlite3", timeout=20) as database:
        return database.execute(query).fetchall()


def wait_for_chunks(home: Path, process: subprocess.Popen, *, done: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if rows(home, "SELECT COUNT(*) FROM annotation_chunk WHERE state = 'done' AND units > 0")[0][0] >= done:
            return
        time.sleep(0.01)
    raise AssertionError("the worker ended before it could be killed")


def datasets(home: Path) -> list[str]:
    return sorted(slug for (slug,) in rows(home, "SELECT slug FROM annotation_dataset"))


@pytest.mark.long
def test_a_worker_killed_in_the_middle_of_a_chunk_loses_and_doubles_nothing(own_home):
    ask(own_home, "errand", n=40, size=2, seconds=0.03)
    for done in (2, 6):
        worker = start(own_home)
        wait_for_chunks(own_home, worker, done=done)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()

    last = start(own_home)
    _, said = last.communicate(timeout=60)

    assert last.returncode == 0, said
    assert datasets(own_home) == sorted(f"a-{number}" for number in range(40))
    assert rows(own_home, "SELECT state, failure FROM annotation_job") == [("done", "")]
    redone = rows(own_home, "SELECT COUNT(*) FROM annotation_chunk WHERE attempts > 1")[0][0]
    assert redone <= 2


@pytest.mark.long
def test_a_poison_item_fails_alone_after_five_attempts_and_the_others_are_done(own_home):
    ask(own_home, "errand-split", n=12, size=4, poison=[5])
    ends = []

    while not ends or ends[-1]:
        worker = start(own_home)
        worker.communicate(timeout=60)
        ends.append(worker.returncode)

    assert ends == [-signal.SIGKILL] * 7 + [0]  # twice with its chunk, five times alone
    assert datasets(own_home) == sorted(f"a-{number}" for number in range(12) if number != 5)
    failed = rows(own_home, "SELECT payload, attempts, error FROM annotation_chunk WHERE state = 'failed'")
    assert [(payload, attempts) for payload, attempts, _ in failed] == [('{"numbers": [5]}', 5)]
    assert "Given up after 5 attempts" in failed[0][2]
    assert rows(own_home, "SELECT state FROM annotation_job") == [("failed",)]


@pytest.mark.long
def test_a_worker_that_is_told_to_stop_gives_its_chunk_back(own_home):
    ask(own_home, "errand", n=30, size=15, seconds=0.1)
    worker = start(own_home)
    until = time.monotonic() + 30
    while not rows(own_home, "SELECT 1 FROM annotation_chunk WHERE state = 'running' AND units > 0"):
        assert time.monotonic() < until
        time.sleep(0.01)

    worker.send_signal(signal.SIGTERM)
    began = time.monotonic()
    worker.communicate(timeout=10)

    assert time.monotonic() - began < 3
    found = rows(own_home, "SELECT state, attempts, owner FROM annotation_chunk WHERE units > 0 ORDER BY position")
    assert found == [("queued", 0, ""), ("queued", 0, "")]
    assert not list((own_home / "workers").glob("*.alive"))


def test_several_processes_on_one_sqlite_file_share_the_work(own_home):
    ask(own_home, "errand", n=60, seconds=0.02)

    workers = [start(own_home) for _ in range(3)]
    said = [worker.communicate(timeout=60) for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0, 0], said
    assert datasets(own_home) == sorted(f"a-{number}" for number in range(60))
    assert len(rows(own_home, "SELECT DISTINCT name FROM annotation_dataset")) > 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_workers_killed_many_times_at_random_lose_and_double_nothing(own_home, seed):
    chance = random.Random(seed)
    ask(own_home, "errand", n=1000, size=5, seconds=0.005)
    for _ in range(10):
        workers = [start(own_home) for _ in range(3)]
        time.sleep(chance.uniform(0.5, 3))
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()

    last = start(own_home)
    last.communicate(timeout=120)

    assert datasets(own_home) == sorted(f"a-{number}" for number in range(1000))
    assert rows(own_home, "SELECT state FROM annotation_job") == [("done",)]
