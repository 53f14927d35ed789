"""Waking workers: a file of the home is touched when work arrives, and a worker that is idle looks at it often.

A poke that is lost costs seconds, because an idle worker asks the database now and then anyway; one too many costs
one query. Workers also leave a sign of life each, a file whose time is renewed, so that pages can say that none runs.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

SIGN_SECONDS = 10
GONE_SECONDS = 35


def _folder() -> Path:
    return Path(settings.MEDGEN_HOME) / "workers"


def poke() -> None:
    """Tell idle workers on this home that there may be work."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "poke"
    file.touch()
    os.utime(file)


def last_poke() -> int:
    """When the last poke was, as a number that only says whether there was a new one."""
    try:
        return (_folder() / "poke").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


class SignOfLife:
    """The file of one worker, renewed while it lives."""

    def __init__(self, owner: str) -> None:
        self._file = _folder() / f"{owner.replace(os.sep, '-')}.alive"
        self._renewed = 0.0

    def renew(self) -> None:
        if time.monotonic() - self._renewed < SIGN_SECONDS:
            return
        self._renewed = time.monotonic()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch()

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


@contextmanager
def sign_of_life(owner: str) -> Iterator[SignOfLife]:
    """Leave a sign of life while the block runs."""
    sign = SignOfLife(owner)
    sign.renew()
    try:
        yield sign
    finally:
        sign.remove()


def n_workers() -> int:
    """How many workers on this home showed a sign of life lately."""
    alive = 0
    for file in _folder().glob("*.alive"):
        try:
            seconds = time.time() - file.stat().st_mtime
        except FileNotFoundError:
            continue
        if seconds > GONE_SECONDS or is_dead(file.stem):
            file.unlink(missing_ok=True)
        else:
            alive += 1
    return alive


def owner_name() -> str:
    """Who holds a lease: host and process."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def is_dead(owner: str) -> bool:
    """True when the owner was a process of this host that is gone; of another host nothing is known."""
    host, _, pid = owner.partition(":")
    if host != socket.gethostname()[:40] or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
