"""Short grants: whoever was just found to be the reader of a reading may fetch its pictures for a minute.

A case is one JSON and two requests a pane, all within seconds; to ask the database for the same permission each
time would double what they cost. A grant holds for one person and one reading, in this process only, and ends
sooner than the browser forgets the pictures.
"""

import time
from uuid import UUID

SECONDS = 60.0
MOST = 4096

_until: dict[tuple[UUID, UUID], float] = {}


def give(user: UUID, reading: UUID) -> None:
    if len(_until) >= MOST:
        _until.clear()
    _until[user, reading] = time.monotonic() + SECONDS


def holds(user: UUID, reading: UUID) -> bool:
    return _until.get((user, reading), 0.0) > time.monotonic()


def withdraw_all() -> None:
    """Every permission is asked for anew."""
    _until.clear()
