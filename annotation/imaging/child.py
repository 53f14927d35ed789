"""A child process that reads one kind of file for its parent, with limits on memory, processor and wall time.

The parent opens and decodes nothing of what it is asked to read. A child that is killed, hangs or answers nonsense
costs one file: the next request starts another child.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from annotation.imaging.image import REASONS, ImageError
from annotation.imaging.limits import MEBIBYTE, Limits
from annotation.imaging.wire import WireError, pack, unpack

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from {module} import main; main()"
_START_SECONDS = 60.0
_PIECE = MEBIBYTE

Answer = tuple[dict[str, Any], list[bytes]]


class Child:
    """One child process, started at the first request and again when it died. One `Child` serves one thread.

    Args:
        module: where the child's `main` is; it answers in messages of `annotation.imaging.wire`.
        limits: bounds on every file.
    """

    def __init__(self, module: str, limits: Limits) -> None:
        self.limits = limits
        self.confinement = ""
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child that is alive, or None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the child now rather than with the first file.

        Raises:
            ImageError: it cannot be started ('crashed', 'timeout').
        """
        if self.pid is not None:
            return
        self.close()
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-I", "-B", "-c", _START.format(module=self._module), str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        head, _ = self.receive(_START_SECONDS)
        self.confinement = str(head.get("confinement", ""))

    def close(self) -> None:
        """End the child; calling it twice does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def ask(self, request: dict[str, Any], path: Path, *, size: int) -> Answer:
        """Send a request about a file of `size` bytes and wait for the answer, as long as its size allows.

        Raises:
            ImageError: the answer is a refusal, or there is none ('timeout', 'crashed').
        """
        seconds = self.limits.wall_seconds(size)
        self.start()
        assert self._process is not None and self._process.stdin is not None
        head = {
            **request,
            "path": os.fsencode(path.absolute()).hex(),
            "limits": asdict(self.limits),
            "memory": self.limits.memory_for(size),
            "seconds": seconds,
        }
        try:
            for piece in pack(head, []):
                self._process.stdin.write(piece)
            self._process.stdin.flush()
        except OSError as error:
            self.close()
            raise ImageError("crashed") from error
        return self.receive(seconds)

    def receive(self, seconds: float) -> Answer:
        """One message, complete within `seconds`.

        Raises:
            ImageError: it is a refusal, or there is none ('timeout', 'crashed').
        """
        largest = 8 * self.limits.decoded_bytes + 64 * MEBIBYTE
        deadline = time.monotonic() + seconds
        try:
            answer, blobs = unpack(lambda count: self._exactly(count, deadline), largest=largest)
        except TimeoutError as error:
            self.close()
            raise ImageError("timeout", f"decoding took longer than {seconds:.0f} s") from error
        except EOFError as error:
            raise self._died() from error
        except WireError as error:
            raise self.nonsense() from error
        if "reason" not in answer:
            return answer, blobs
        reason, message = answer["reason"], str(answer.get("message", ""))[:500]
        if reason not in REASONS:
            raise self.nonsense()
        if answer.get("spent"):
            self.close()
        raise ImageError(reason, message)

    def nonsense(self) -> ImageError:
        """End a child whose answer cannot be used; returns what to raise."""
        self.close()
        return ImageError("crashed", "the decoding process gave no usable answer")

    def _exactly(self, count: int, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        stream = self._process.stdout.fileno()
        parts = bytearray()
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise TimeoutError
            part = os.read(stream, min(count - len(parts), _PIECE))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _died(self) -> ImageError:
        process = self._process
        code = process.wait() if process is not None else 0
        self.close()
        if code == -signal.SIGXCPU:
            return ImageError("timeout", "decoding used more processor time than allowed")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ImageError("crashed", f"the decoding process died ({name})")
