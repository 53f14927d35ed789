"""The decoding child may open files for reading and answer; the kernel refuses it everything else it might try."""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from annotation.imaging.confinement import DENIED, LIMITS_ONLY, OPEN_FILES, SECCOMP, program
from annotation.imaging.sandbox import Decoder
from tests import images

ROOT = Path(__file__).resolve().parents[2]
FILTERED = sys.platform.startswith("linux") and platform.machine() in {"x86_64", "aarch64"}
linux = pytest.mark.skipif(not FILTERED, reason="no seccomp filter for this system")

# Each line is an attempt; what a kernel refuses raises OSError.
ATTEMPTS = {
    "a socket": "import socket; socket.socket()",
    "a local socket": "import socket; socket.socketpair()",
    "another program": "import subprocess; subprocess.run(['/bin/true'])",
    "another process": "import os; os.fork()",
    "a file to write": "open(TARGET, 'w')",
    "a file to append to": "open(EXISTING, 'ab')",
    "an existing file to change": "import os; os.open(EXISTING, os.O_RDWR)",
    "removing a file": "import os; os.unlink(EXISTING)",
    "renaming a file": "import os; os.rename(EXISTING, TARGET)",
    "a folder": "import os; os.mkdir(TARGET)",
    "a link": "import os; os.symlink('/etc/passwd', TARGET)",
    "cutting a file": "import os; os.truncate(EXISTING, 0)",
    "a signal to its parent": "import os; os.kill(os.getppid(), 0)",
    "a thread signal to its parent": "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "if libc.syscall(TGKILL, os.getppid(), os.getppid(), 0) != 0: raise OSError(ctypes.get_errno(), 'tgkill')",
}
_TGKILL = 234 if platform.machine() == "x86_64" else 131


def confined(script: str, *words: str) -> dict:
    """What a Python process says that was confined before it ran the script; the script fills `said`."""
    code = (
        "import sys, json\nsys.path.insert(0, sys.argv[1])\n"
        "from annotation.imaging.confinement import confine\nsaid = {'how': confine()}\n"
        f"{script}\nprint(json.dumps(said))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, str(ROOT), *words],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


@linux
def test_the_kernel_refuses_sockets_programs_and_writing(tmp_path: Path):
    existing = tmp_path / "existing"
    existing.write_text("kept")
    script = (
        f"EXISTING, TARGET, TGKILL = sys.argv[2], sys.argv[3], {_TGKILL}\n"
        f"for name, attempt in {ATTEMPTS!r}.items():\n"
        "    try:\n        exec(attempt)\n        said[name] = 'done'\n"
        "    except OSError as error:\n        said[name] = type(error).__name__\n"
        "said['reading'] = open(EXISTING).read()\n"
    )

    said = confined(script, str(existing), str(tmp_path / "target"))

    assert said.pop("how") == SECCOMP
    assert said.pop("reading") == "kept"
    assert {name for name, outcome in said.items() if outcome != "PermissionError"} == set()
    assert set(said) == set(ATTEMPTS)
    assert existing.read_text() == "kept" and not (tmp_path / "target").exists()


@linux
def test_without_confinement_every_attempt_succeeds_or_is_no_test(tmp_path: Path):
    for name, attempt in ATTEMPTS.items():
        existing, target = tmp_path / f"{name} existing", tmp_path / f"{name} target"
        existing.write_text("kept")
        code = f"EXISTING, TARGET, TGKILL = {str(existing)!r}, {str(target)!r}, {_TGKILL}\n{attempt}\n"
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, (name, done.stderr)


@linux
def test_threads_are_let_through_and_limits_cannot_be_raised():
    script = (
        "import threading, resource\n"
        "found = []\nworker = threading.Thread(target=lambda: found.append(1))\nworker.start(); worker.join()\n"
        "said['threads'] = len(found)\n"
        "for name in ('FSIZE', 'CORE', 'NOFILE'):\n"
        "    said[name] = resource.getrlimit(getattr(resource, 'RLIMIT_' + name))\n"
    )

    said = confined(script)

    assert said["threads"] == 1
    assert said["FSIZE"] == said["CORE"] == [0, 0]
    assert said["NOFILE"] == [OPEN_FILES, OPEN_FILES]


@linux
def test_the_child_that_decodes_runs_under_the_filter_and_holds_no_socket(tmp_path: Path):
    path = images.save_png(tmp_path / "a.png", images.photograph())
    with Decoder() as decoder:
        decoder.prepare(path, key=b"a secret")
        folder = Path(f"/proc/{decoder.pid}")
        status = (folder / "status").read_text()
        held = [link.readlink().as_posix() for link in (folder / "fd").iterdir()]

        assert decoder.confinement == SECCOMP

    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert held and not [name for name in held if name.startswith("socket:")]


def test_where_there_is_no_filter_the_child_says_that_only_limits_hold():
    said = confined("said['again'] = said['how']", "")
    script = (
        "import platform\nplatform.machine = lambda: 'riscv64'\n"
        "import annotation.imaging.confinement as room\nsaid['elsewhere'] = room.confine()\n"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys, json; sys.path.insert(0, sys.argv[1]); said = {{}}\n{script}"
         "print(json.dumps(said))", str(ROOT)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert said["how"] in {SECCOMP, LIMITS_ONLY}
    assert json.loads(elsewhere.stdout)["elsewhere"] == LIMITS_ONLY


@pytest.mark.parametrize("column", [0, 1])
def test_the_filter_holds_every_call_and_ends_by_allowing(column):
    code = program(column, 0xC000003E, own_process=1)

    lines = [code[at : at + 8] for at in range(0, len(code), 8)]
    compared = {int.from_bytes(line[4:], sys.byteorder) for line in lines if line[0] == 0x15}
    assert {numbers[column] for numbers in DENIED.values() if numbers[column] is not None} <= compared
    assert lines[-1][0] == 0x06 and lines[-1][4:] == (0x7FFF0000).to_bytes(4, sys.byteorder)
    assert len(lines) < 256
