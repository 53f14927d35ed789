"""How long an answer takes does not tell which system made what it carries.

One reader's browser asks for every reading's JSON and picture again and again, in an order drawn anew for each round,
so that whatever else the machine does falls on all systems alike. Times are compared within one kind of request.
"""

import http.client
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests.browser.server import ROOT, environment
from tests.soak.hospital import Product

SEED = 20261125
ITEMS, ROUNDS = 120, 7
KINDS = ("reading.json", "panes/{}/frames.json", "panes/{}/frames.bin")
LIMIT = 0.03
RESAMPLES = 400


@dataclass(frozen=True)
class Timed:
    """One answered request."""

    system: str
    reading: str
    kind: str
    seconds: float


def area(first: np.ndarray, second: np.ndarray) -> float:
    """How often an answer of the second takes longer than one of the first; ties count half."""
    order = np.sort(first)
    below, upto = np.searchsorted(order, second, "left"), np.searchsorted(order, second, "right")
    return float((below + upto).sum() / (2.0 * len(first) * len(second)))


def area_of_pair(times: list[Timed], first: str, second: str, *, seed: int = SEED) -> tuple[float, float, int]:
    """Area over the kinds, weighted by requests, with its standard error from resampled readings; requests."""
    rows = [each for each in times if each.system in (first, second)]
    readings = {name: sorted({each.reading for each in rows if each.system == name}) for name in (first, second)}
    of = {(each.reading, each.kind): [] for each in rows}
    for each in rows:
        of[each.reading, each.kind].append(each.seconds)

    def weighed(chosen: dict[str, list[str]]) -> float:
        areas = []
        for kind in KINDS:
            sides = [np.concatenate([of[reading, kind] for reading in chosen[name]]) for name in (first, second)]
            areas.append(area(*sides))
        return float(np.mean(areas))

    chance = random.Random(seed)
    drawn = [
        weighed({name: chance.choices(own, k=len(own)) for name, own in readings.items()}) for _ in range(RESAMPLES)
    ]
    return weighed(readings), float(np.std(drawn, ddof=1)), len(rows)


def measure(port: int, session: str, readings: list[tuple[str, str]]) -> list[Timed]:
    """Ask for everything in rounds; the first round, in which nothing is in any cache, counts too."""
    chance, times = random.Random(SEED), []
    panes: dict[str, int] = {}
    headers = {"Cookie": f"sessionid={session}", "Connection": "keep-alive"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(ROUNDS):
        asked = [(reading, system, kind) for reading, system in readings for kind in KINDS]
        chance.shuffle(asked)
        for reading, system, kind in asked:
            path = f"/readings/{reading}/{kind.format(panes.get(reading, 1))}"
            before = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            seconds = time.perf_counter() - before
            assert answer.status == 200, (path, answer.status, body[:200])
            times.append(Timed(system, reading, kind, seconds))
    connection.close()
    return times


@pytest.mark.soak
def test_response_times_tell_no_system(tmp_path: Path):
    run = environment(tmp_path)
    for words in (["manage.py", "migrate"], ["-m", "tests.soak.timing_ward", str(ITEMS), str(SEED)]):
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=run, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    ward = json.loads(done.stdout.splitlines()[-1])
    product = Product(tmp_path, {})
    product.start()
    try:
        times = measure(product.port, ward["session"], [(pk, slug) for pk, slug in ward["readings"]])
    finally:
        product.stop()

    by_kind = {kind: np.array([each.seconds for each in times if each.kind == kind]) for kind in KINDS}
    for kind, seconds in by_kind.items():
        print(f"{kind}: median {np.median(seconds) * 1000:.2f} ms, p95 {np.quantile(seconds, 0.95) * 1000:.2f} ms")
    assert area(by_kind[KINDS[1]], by_kind[KINDS[0]]) > 0.8, "the clock tells kinds of requests apart"
    found = {}
    for first, second in combinations(sorted({each.system for each in times}), 2):
        found[first, second] = area_of_pair(times, first, second)
        told, error, n = found[first, second]
        print(f"{first} against {second}: area {told:.4f}, standard error {error:.4f}, {n} requests")
    assert len(found) == 3
    assert all(n >= 5_000 for _, _, n in found.values())
    assert all(abs(told - 0.5) <= LIMIT for told, _, _ in found.values()), found


def test_the_measure_sees_a_planted_delay_and_nothing_where_there_is_none():
    rng = np.random.default_rng(SEED)
    times = [
        Timed(system, f"{system}{reading}", kind, float(rng.gamma(4, 0.002) + (0.001 if system == "slow" else 0)))
        for system in ("a", "b", "slow")
        for reading in range(40)
        for kind in KINDS
        for _ in range(7)
    ]

    same, error, n = area_of_pair(times, "a", "b")
    slower, _, _ = area_of_pair(times, "a", "slow")

    assert n == 1680 and 0.005 < error < 0.03
    assert abs(same - 0.5) < LIMIT < slower - 0.5
    assert area(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.875
