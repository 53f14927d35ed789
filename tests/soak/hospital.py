"""The product under load and attack: readers who insist until the server says yes, and a killer of processes."""

import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.browser.server import ROOT, environment, free_port

CSRF = "a" * 32
PATIENCE_S = 120


@dataclass
class Product:
    """`manage.py serve` with everything it starts; killed and started again on the same home and port."""

    home: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    kills: int = 0
    starts: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.starts += 1
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            cwd=ROOT, env=environment(self.home) | self.settings, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            finally:
                connection.close()
        raise RuntimeError((self.home / "server.log").read_text()[-2000:])

    def family(self) -> list[psutil.Process]:
        """The master first, then all it started."""
        assert self.process is not None
        master = psutil.Process(self.process.pid)
        return [master, *master.children(recursive=True)]

    def kill_one(self, chance: random.Random) -> None:
        """`kill -9` of one process chosen at random; when it is the master, of all, and a new start."""
        try:
            family = self.family()
        except psutil.NoSuchProcess:
            family = []
        victim = chance.choice(family) if family else None
        self.kills += 1
        if victim is None or victim.pid == family[0].pid:
            self.kill_all()
            self.start()
            return
        _kill(victim)

    def kill_all(self) -> None:
        try:
            family = self.family()
        except psutil.NoSuchProcess:
            family = []
        for process in family:
            _kill(process)
        assert self.process is not None
        self.process.wait(timeout=20)
        psutil.wait_procs(family[1:], timeout=20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.kill_all()


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


@dataclass
class Tally:
    """What the readers were told."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # reading → submit key
    retries: int = 0
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Insisting:
    """A reader's browser: sends each grade with its key until the server acknowledges it."""

    def __init__(self, port: int, session: str, criteria: list[str], tally: Tally) -> None:
        self.port, self.session, self.criteria, self.tally = port, session, criteria, tally
        self.connection: http.client.HTTPConnection | None = None

    def grade(self, reading: str, value: int) -> None:
        key = str(uuid.uuid4())
        payload = {
            "outputs": {
                "A": {
                    "scores": dict.fromkeys(self.criteria, value), "na": {}, "rationale": "", "errors": [],
                    "safety": "none",
                }
            }
        }  # fmt: skip
        draft = {"payload": payload, "client_id": "w", "revision": 1, "base_revision": 0}
        self._until_told(reading, "draft", draft)
        body = {"payload": payload, "submit_key": key, "active_ms": 1000, "idle_ms": 0}
        if self._until_told(reading, "submit", body):
            with self.tally.lock:
                self.tally.acknowledged[reading] = key

    def _until_told(self, reading: str, act: str, body: dict[str, Any]) -> bool:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            status, said = self._post(f"/readings/{reading}/{act}/", body)
            if status == 200:
                return True
            if status is not None and status < 500:
                with self.tally.lock:
                    self.tally.refused.append(f"{act} {status} {said[:200]!r}")
                return False
            with self.tally.lock:
                self.tally.retries += 1
            time.sleep(0.05 + random.random() * 0.2)
        with self.tally.lock:
            self.tally.refused.append(f"{act}: no answer within {PATIENCE_S} s")
        return False

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int | None, bytes]:
        headers = {
            "Content-Type": "application/json", "X-CSRFToken": CSRF, "Connection": "keep-alive",
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
        }  # fmt: skip
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.connection.request("POST", path, json.dumps(body), headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            return None, b""


def build_ward(home: Path, settings: dict[str, str], *, readers: int, items: int) -> dict[str, Any]:
    """Migrate a home and fill it with readers who have everything to grade."""
    run = environment(home) | settings
    for words in (["manage.py", "migrate"], ["-m", "tests.soak.ward", str(readers), str(items)]):
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=run, capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def read_all(ward: dict[str, Any], port: int) -> tuple[Tally, list[threading.Thread]]:
    """All readers at once, each in a thread; the threads are started."""
    tally = Tally()

    def work(reader: dict[str, Any]) -> None:
        browser = Insisting(port, reader["session"], ward["criteria"], tally)
        for place, reading in enumerate(reader["readings"]):
            browser.grade(reading, 3 + place % 3)

    threads = [threading.Thread(target=work, args=(reader,), daemon=True) for reader in ward["readers"]]
    for thread in threads:
        thread.start()
    return tally, threads
