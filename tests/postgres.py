"""A PostgreSQL of the tests' own: made when first asked for, on a memory file system where there is one, without a
network port, shared by the processes of one test run, removed when the run ends. No service of the machine is used.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

PLACE = "MEDGEN_TEST_POSTGRES"
PREFIX = "medgen-postgres-"
LEAST_FREE_BYTES = 2 * 1024**3
SYSTEM_USER = "postgres"
# Nobody's data is in here, so nothing waits for a disk. Connections: 200 readers of the load test and their servers.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "250",
    "max_wal_size": "1GB",
}


class NoPostgresError(RuntimeError):
    """PostgreSQL is not installed here; tests that need it fail, they are not passed over."""


def programs() -> Path:
    """The folder of PostgreSQL's programs: the newest that Debian installed, else where `initdb` is found."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise NoPostgresError(
        "PostgreSQL is missing. Install it with: apt-get install --no-install-recommends postgresql"
    )


def prepare() -> None:
    """Choose the folder of this run, for this process and those it starts; remove what killed runs left."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > LEAST_FREE_BYTES
    parent = shared if roomy else Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        process = left.name.removeprefix(PREFIX).partition("-")[0]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            _remove(left)
    os.environ[PLACE] = str(parent / f"{PREFIX}{os.getpid()}-{secrets.token_hex(3)}")


def stop() -> None:
    """End the cluster of this run, if one was started, and remove its folder."""
    if place := os.environ.pop(PLACE, ""):
        _remove(Path(place))


def address(name: str = "postgres") -> str:
    """The DATABASE_URL of one database of the cluster, which is started if need be."""
    return f"postgres://{SYSTEM_USER}@{quote(str(_started()), safe='')}/{name}"


@contextmanager
def new_database(template: str = "template0") -> Iterator[str]:
    """The DATABASE_URL of an empty database, or of a copy of another one, dropped at the end."""
    name = f"medgen_{secrets.token_hex(6)}"
    tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield address(name)
    finally:
        tell(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def tell(command: str) -> None:
    """One command outside a transaction, to the cluster as its owner."""
    import psycopg

    with psycopg.connect(address(), autocommit=True) as opened:
        opened.execute(command.encode())


def ask(question: str, *values: str) -> list[tuple[object, ...]]:
    """The rows that answer one question."""
    import psycopg

    with psycopg.connect(address(), autocommit=True) as opened:
        return opened.execute(question.encode(), values).fetchall()


def _started() -> Path:
    """The folder of the running cluster; whoever comes first starts it, the others wait."""
    place = Path(os.environ[PLACE])
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "data" / "postmaster.pid").exists():
            _start(place)
    return place


def _start(place: Path) -> None:
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(place, SYSTEM_USER, SYSTEM_USER)
    _run(place, "initdb", "--auth=trust", f"--username={SYSTEM_USER}", "--encoding=UTF8", "--locale=C.UTF-8", "-N")
    options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in OPTIONS.items())
    _run(place, "pg_ctl", "--wait", "start", "-l", str(place / "log"), "-o", f"{options} -k {place}")


def _remove(place: Path) -> None:
    """Stop the server and remove its folder; a folder whose server is gone already is only removed."""
    if (place / "data" / "postmaster.pid").exists():
        with suppress(RuntimeError):
            _run(place, "pg_ctl", "--wait", "--mode=fast", "stop")
    shutil.rmtree(place, ignore_errors=True)
    for suffix in (".lock", ".lock2"):
        place.with_suffix(suffix).unlink(missing_ok=True)


def _run(place: Path, program: str, *arguments: str) -> None:
    """PostgreSQL refuses to run as root, so root runs it as the system user that Debian made for it."""
    command = [str(programs() / program), "-D", str(place / "data"), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", SYSTEM_USER, "--", *command]
    done = subprocess.run(
        command, check=False, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60
    )
    if done.returncode != 0:
        log = place / "log"
        raise RuntimeError(f"{program}: {done.stderr}{log.read_text() if log.exists() else ''}")
