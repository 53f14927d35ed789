"""Real processes, really killed: a job ends as if nobody had died."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.server import ROOT, environment
from tests.soak.hospital import build_ward

pytestmark = pytest.mark.long

VALUES = """SELECT o.revision_id, s.settings_hash, v.subject, v.value, v.reason, v.flags FROM scoring_metricvalue v
            JOIN annotation_output o ON o.id = v.output_id JOIN scoring_metricsettings s ON s.id = v.settings_id"""


def values(home: Path) -> list[tuple]:
    with sqlite3.connect(home / "medgen.sqlite3") as opened:
        return sorted(map(repr, opened.execute(VALUES).fetchall()))


def manage(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment(home), capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip


def worker(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--once"], cwd=ROOT, env=environment(home),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def measured_under_fire(home: Path, kills: int, seed: int, longest_s: float) -> dict[str, int]:
    """Metrics of the ward's outputs with workers killed at random; then the same from a copy without kills."""
    undisturbed = home.with_name("undisturbed")
    subprocess.run(["cp", "-r", str(home), str(undisturbed)], check=True)
    assert manage(undisturbed, "run_metrics", "--all").returncode == 0
    ask = "from scoring.runs.work import *; ask_for_metrics(submissions=list(Submission.objects.all()), actor=None)"
    assert manage(home, "shell", "-c", ask).returncode == 0
    chance, killed = random.Random(seed), 0
    while killed < kills:
        running = worker(home)
        time.sleep(chance.uniform(1.0, longest_s))
        if running.poll() is not None:
            break
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        killed += 1
    assert manage(home, "worker", "--once").returncode == 0
    with sqlite3.connect(home / "medgen.sqlite3") as opened:
        state, failure = opened.execute("SELECT state, failure FROM annotation_job").fetchone()
        assert (state, failure) == ("done", "")
    found, expected = values(home), values(undisturbed)
    assert found == expected
    return {"values": len(found), "kills": killed}


def test_metrics_with_killed_workers_equal_undisturbed_ones(tmp_path):
    home = tmp_path / "ward"
    home.mkdir()
    build_ward(home, {}, readers=1, items=120)

    report = measured_under_fire(home, kills=2, seed=3, longest_s=1.8)

    assert report["values"] > 500


@pytest.mark.soak
def test_a_hundred_thousand_values_with_killed_workers_equal_undisturbed_ones(tmp_path):
    home = tmp_path / "ward"
    home.mkdir()
    build_ward(home, {}, readers=1, items=15_000)

    report = measured_under_fire(home, kills=110, seed=20261125, longest_s=4.0)

    print("metrics under fire:", json.dumps(report))
    assert report["values"] >= 100_000
