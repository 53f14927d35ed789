"""Grades per second and p95 with 1, 20, 50 and 200 readers, on both databases, against the bare floor app.

python -m benchmarks.grading_load [--grades 400] [--levels 1 20 50 200] [--engines sqlite postgresql]

Every reader sends grade after grade without a pause, which no person does: a clinician needs 10 to 60 s for one, so
50 readers send 1 to 5 a second. Both sides are served alike, with the same durable database settings (SQLite with
synchronous=FULL, PostgreSQL with fsync), take turns level by level, and are asked by the same client. A submission of
the product checks who asks, their role and consent, the study's state and the rubric, stores the grade with its
scores, closes the reading and links an event into the study's chain; the floor inserts one row. `cpu` is processor
time of all server processes (PostgreSQL's own included) per grade, which a busy machine disturbs least.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests import postgres
from tests.browser.server import ROOT, environment, free_port
from tests.soak.hospital import CSRF, Product, build_ward

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
Body = dict[str, Any]


@dataclass
class Result:
    per_s: float
    p50_ms: float
    p95_ms: float
    errors: int
    cpu_ms: float

    def __str__(self) -> str:
        return (
            f"{self.per_s:6.1f}/s  p50 {self.p50_ms:6.0f} ms  p95 {self.p95_ms:6.0f} ms  "
            f"cpu {self.cpu_ms:5.1f} ms  errors {self.errors}"
        )


def grade(criteria: list[str]) -> Body:
    output = {"scores": dict.fromkeys(criteria, 4), "na": {}, "rationale": "", "errors": [], "safety": "none"}
    return {"payload": {"outputs": {"A": output}}, "submit_key": str(uuid.uuid4()), "active_ms": 1000, "idle_ms": 0}


def load(port: int, clients: list[tuple[str, list[str]]], criteria: list[str]) -> tuple[list[float], int]:
    """Every client (a cookie and the addresses it posts to) in a thread; seconds of each answer, and errors."""
    taken: list[float] = []
    errors: list[int] = []
    ready = threading.Barrier(len(clients))

    def work(cookie: str, addresses: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        headers = {"Content-Type": "application/json", "Cookie": cookie, "X-CSRFToken": CSRF}
        ready.wait()
        for address in addresses:
            began = time.perf_counter()
            try:
                connection.request("POST", address, json.dumps(grade(criteria)), headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    errors.append(answer.status)
            except (OSError, http.client.HTTPException):
                errors.append(0)
                connection.close()
            taken.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=work, args=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, len(errors)


def cpu_of(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        for one in [process, *process.children(recursive=True)]:
            times = one.cpu_times()
            total += times.user + times.system
    return total


def measured(
    port: int, processes: list[psutil.Process], clients: list[tuple[str, list[str]]], criteria: list[str]
) -> Result:
    before, began = cpu_of(processes), time.perf_counter()
    taken, errors = load(port, clients, criteria)
    wall = time.perf_counter() - began
    cpu = cpu_of(processes) - before
    cuts = statistics.quantiles(taken, n=20)
    return Result(
        per_s=len(taken) / wall,
        p50_ms=statistics.median(taken) * 1000,
        p95_ms=cuts[18] * 1000,
        errors=errors,
        cpu_ms=cpu / len(taken) * 1000,
    )


@contextmanager
def floor(folder: Path, url: str) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    run = environment(folder) | ({"DATABASE_URL": url} if url else {})
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.floor", str(port), str(folder)], cwd=ROOT, env=run)
    try:
        _wait_for(port)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/nothing")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the floor app did not start")


def compare(engine: str, levels: list[int], grades: int, say: Callable[[str], None]) -> None:
    shares = {level: max(2, grades // level) for level in levels}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls, postmaster = _databases(stack, engine)
        for name in ("ours", "floor"):
            (folder / name).mkdir()
        settings = {"DATABASE_URL": urls[0]} if urls[0] else {}
        ward = build_ward(folder / "ours", settings, readers=max(levels), items=sum(shares.values()))
        product = Product(folder / "ours", settings)
        product.start()
        stack.callback(product.stop)
        floor_port, floor_process = stack.enter_context(floor(folder / "floor", urls[1]))
        assert product.process is not None
        ours = [psutil.Process(product.process.pid), *postmaster]
        used = 0
        for level, share in shares.items():
            readers = ward["readers"][:level]
            clients = [_client(reader, used, share) for reader in readers]
            used += share
            bare = measured(
                floor_port, [floor_process, *postmaster], [("", ["/submit/"] * share)] * level, ward["criteria"]
            )
            full = measured(product.port, ours, clients, ward["criteria"])
            say(f"{engine:10} {level:4} readers  floor  {bare}")
            say(f"{'':10} {'':4}          MedGEN {full}")
            ratios = bare.per_s / full.per_s, full.p95_ms / bare.p95_ms, full.cpu_ms / bare.cpu_ms
            say(f"{'':24} ratio  {ratios[0]:.1f} in rate, {ratios[1]:.1f} in p95, {ratios[2]:.1f} in cpu")


def _client(reader: Body, used: int, share: int) -> tuple[str, list[str]]:
    cookie = f"sessionid={reader['session']}; csrftoken={CSRF}"
    return cookie, [f"/readings/{reading}/submit/" for reading in reader["readings"][used : used + share]]


def _databases(stack: ExitStack, engine: str) -> tuple[list[str], list[psutil.Process]]:
    """The addresses for the product and for the floor, and PostgreSQL's process."""
    if engine == "sqlite":
        return ["", ""], []
    urls = [stack.enter_context(postgres.new_database()) for _ in range(2)]
    pid = int((Path(os.environ[postgres.PLACE]) / "data" / "postmaster.pid").read_text().split()[0])
    return urls, [psutil.Process(pid)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grades", type=int, default=400, help="about so many a level")
    parser.add_argument("--levels", type=int, nargs="+", default=[1, 20, 50, 200])
    parser.add_argument("--engines", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    postgres.OPTIONS |= DURABLE
    place = Path(tempfile.mkdtemp(prefix=f"{postgres.PREFIX}{os.getpid()}-"))
    os.environ[postgres.PLACE] = str(place / "cluster")
    place.chmod(0o755)
    try:
        for engine in asked.engines:
            compare(engine, asked.levels, asked.grades, lambda line: print(line, flush=True))
    finally:
        postgres.stop()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
