"""Peak memory and time of one input, of this process and of the child that decodes for it."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1 << 20


@dataclass
class Cost:
    """Seconds of wall time, and the growth of this process's own memory at its peak, in MiB."""

    seconds: float = 0.0
    grown: int = 0


def reset_peak(pid: int | str = "self") -> None:
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int | str = "self") -> int:
    """MiB of memory held at the highest point since `reset_peak`; 0 where the system does not say."""
    return _status(pid, "VmHWM")


def held(pid: int | str = "self") -> int:
    return _status(pid, "VmRSS")


def _status(pid: int | str, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(name + ":")), 0)


@contextlib.contextmanager
def measured() -> Iterator[Cost]:
    cost, before, started = Cost(), held(), time.monotonic()
    reset_peak()
    yield cost
    cost.seconds, cost.grown = time.monotonic() - started, max(0, peak() - before)


def descendants() -> set[int]:
    """Process ids of the children of this process that are alive."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == os.getpid() and fields[0] != "Z":
                    found.add(int(folder.name))
    return found
