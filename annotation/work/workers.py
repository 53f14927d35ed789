"""Worker processes: take chunks until told to stop; one that dies is replaced."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from django.db import DatabaseError, close_old_connections, connection

from annotation.work.errors import StopWorkError
from annotation.work.executor import drain
from annotation.work.leases import free_the_dead
from annotation.work.poking import last_poke, owner_name, sign_of_life

LOOK_S = 0.25
ASK_S = 5.0
TROUBLE_S = 2.0
PATIENCE_S = 8  # from being told to stop until the chunk is given back in the middle of an item
FRESH_AFTER_S = 60.0
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
log = logging.getLogger(__name__)


class Stop:
    """Set by SIGTERM or SIGINT, or when the process that started this one is gone.

    With `insist`, an item that goes on for seconds after the signal is broken off; its chunk goes back.
    """

    def __init__(self, *, with_parent: bool, insist: bool = False) -> None:
        self.asked = False
        self._insist = insist
        self._parent = os.getppid() if with_parent else None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        if insist:
            signal.signal(signal.SIGALRM, self._break_off)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._insist:
            signal.alarm(PATIENCE_S)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        raise StopWorkError

    def __call__(self) -> bool:
        return self.asked or (self._parent is not None and os.getppid() != self._parent)


def work_here(*, once: bool, with_parent: bool = False) -> int:
    """Work in this process: until stopped, or with `once` until nothing waits; returns the chunks done.

    With a parent that starts a fresh one, a worker that did something ends after a minute without work: what heavy
    packages took of the memory goes with it.
    """
    stop, done = Stop(with_parent=with_parent, insist=True), 0
    busy_at: float | None = None
    with sign_of_life(owner_name()) as sign:
        try:
            while not stop():
                worked = _one_round(stop, sign.renew)
                done += worked or 0
                busy_at = time.monotonic() if worked else busy_at
                if once and worked == 0:
                    break
                if with_parent and busy_at is not None and time.monotonic() - busy_at > FRESH_AFTER_S:
                    break
                if not worked:
                    _wait(stop, sign.renew, TROUBLE_S if worked is None else ASK_S)
                sign.renew()
        except StopWorkError:
            log.info("stopped in the middle of a chunk, which goes back")
        finally:
            signal.alarm(0)
            connection.close()
    return done


def _one_round(stop: Stop, after: Callable[[], None]) -> int | None:
    """Chunks done now; None when the database is in trouble."""
    try:
        close_old_connections()
        free_the_dead()
        return drain(stop=stop, after=after)
    except DatabaseError as problem:
        log.warning("the database cannot be used: %s", type(problem).__name__)
        connection.close()
        return None


def _wait(stop: Stop, renew: Callable[[], None], seconds: float) -> None:
    """Until somebody pokes, the time is over, or the end."""
    before, end = last_poke(), time.monotonic() + seconds
    while not stop() and time.monotonic() < end and last_poke() == before:
        renew()
        time.sleep(LOOK_S)


def start_one(*, once: bool = False) -> "subprocess.Popen[bytes]":
    """A worker process that ends with this one."""
    words = [sys.executable, str(MANAGE), "worker", "--with-parent", *(["--once"] if once else [])]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603 (own words)


def keep_running(processes: int, stop: Callable[[], bool]) -> None:
    """Start workers and replace those that end, until stopped; then let them end their chunk."""
    running = [start_one() for _ in range(processes)]
    while not stop():
        time.sleep(LOOK_S)
        for place, process in enumerate(running):
            if process.poll() is not None:
                if process.returncode:
                    log.warning("a worker ended with %s and is replaced", process.returncode)
                time.sleep(LOOK_S)
                running[place] = start_one()
    for process in running:
        process.terminate()
    for process in running:
        process.wait()


def beside_server() -> None:
    """Keep one worker running as long as this process does, from a thread."""
    threading.Thread(target=keep_running, args=(1, lambda: False), name="workers", daemon=True).start()
