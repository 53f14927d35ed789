"""The worker beside the server: one, replaced when it is killed, gone with the server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.server import ROOT, environment, serving

pytestmark = pytest.mark.long


def signs(home: Path) -> list[int]:
    """Process ids of the workers that show a sign of life."""
    return [int(file.stem.rpartition(":")[2]) for file in (home / "workers").glob("*.alive")]


def wait_until(true: Callable[[], bool], *, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.fixture
def home(tmp_path) -> Path:
    made = tmp_path / "served"
    made.mkdir()
    words = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(words, cwd=ROOT, env=environment(made), check=True, timeout=120, capture_output=True)
    return made


def test_a_killed_worker_is_replaced_and_the_last_one_ends_with_the_server(home):
    with serving(home):
        wait_until(lambda: len(signs(home)) == 1)
        (first,) = signs(home)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: any(pid != first for pid in signs(home)))
        second = next(pid for pid in signs(home) if pid != first)
        assert is_running(second)

    wait_until(lambda: not is_running(second))
