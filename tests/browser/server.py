"""The product under test: a real server process on a home of its own, with the demo world in it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S, LOAD_S = 60, 240


def load_demo(home: Path) -> None:
    """Build the demo world in a home, as `make demo` does."""
    subprocess.run(
        [sys.executable, "manage.py", "demo", "--no-serve"],
        cwd=ROOT,
        env=environment(home),
        check=True,
        capture_output=True,
        timeout=LOAD_S,
    )


def copy_home(source: Path, target: Path) -> Path:
    """Another home with the same world; the assets never change and are linked, the database is copied."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name == "assets":
            shutil.copytree(path, target / path.name, copy_function=os.link)
        elif path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copy2(path, target / path.name)
    return target


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Serve a home on a free port of this machine; gives the address without a slash at its end."""
    port = free_port()
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_ready(base, process, home / "server.log")
            yield base
        finally:
            process.terminate()
            process.wait(timeout=40)


def environment(home: Path) -> dict[str, str]:
    """What the process sees: its own home, no settings of the machine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MEDGEN_", "DJANGO_"))}
    return kept | {"MEDGEN_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(base: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: {log.read_text()}")
        try:
            urllib.request.urlopen(f"{base}/readyz", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server was not ready within {START_S} s: {log.read_text()}")
