"""Memory of the idle server: resident and proportional size of every process of its tree.

python -m benchmarks.memory
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
MEBI = 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer within {seconds:.0f} s")


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"MEDGEN_HOME": home},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            for _ in range(20):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=10).read()
            tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
            for process in tree:
                memory = process.memory_full_info()
                print(
                    f"process {process.pid}: {memory.rss / MEBI:.0f} MiB resident, "
                    f"{memory.pss / MEBI:.0f} MiB proportional"
                )
            total = sum(process.memory_full_info().pss for process in tree) / MEBI
            print(f"{len(tree)} processes, {total:.0f} MiB proportional in all")
        finally:
            server.terminate()
            server.wait(30)


if __name__ == "__main__":
    main()
