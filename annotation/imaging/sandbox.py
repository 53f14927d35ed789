"""Decoding files from outside in a child process with limits on memory, processor and wall time.

The parent opens and decodes nothing. A child that is killed, hangs or answers nonsense costs one file: the
next request starts another child.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from annotation.imaging.image import REASONS, Image, ImageError
from annotation.imaging.limits import MEBIBYTE, Limits
from annotation.imaging.reading import check_file
from annotation.imaging.wire import WireError, image_from, pack, unpack

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from annotation.imaging.worker import main; main()"
_START_SECONDS = 60.0
_PIECE = MEBIBYTE


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a store needs of one file, computed in the child.

    Attributes:
        data: the cleaned file; `media_type` and `suffix` name its format.
        frames_header, frames_data: what the viewer receives (`annotation.imaging.frames`).
        thumbnail: a PNG of at most 96 pixels a side.
        width, height, frames, channels, bits, signed, unit, data_range, spacing_mm, slice_mm, orientation,
            window, suv_scale, kind, modality, inverted, flags: as in `Image`.
        removed, case_key, series_key, burned_in, risk: as in `annotation.imaging.deidentify.Cleaned`.
        pixel_digest: SHA-256 of the values, equal for equal pixels in whatever format.
    """

    data: bytes
    media_type: str
    suffix: str
    frames_header: dict[str, Any]
    frames_data: bytes
    thumbnail: bytes
    width: int
    height: int
    frames: int
    channels: int
    bits: int
    signed: bool
    unit: str
    data_range: tuple[float, float] | None
    spacing_mm: tuple[float, float] | None
    slice_mm: float | None
    orientation: tuple[Any, ...] | None
    window: tuple[float, float] | None
    suv_scale: float | None
    kind: str
    modality: str | None
    inverted: bool
    flags: tuple[str, ...]
    removed: tuple[str, ...]
    case_key: str | None
    series_key: str | None
    burned_in: bool | None
    risk: tuple[str, ...]
    pixel_digest: str


class Decoder:
    """A decoding child process, started at the first request and restarted when it dies.

    Use it as a context manager and for many files; one `Decoder` serves one thread.

    Args:
        limits: bounds on every file, default `Limits()`.

    Example:
        with Decoder() as decoder:
            prepared = decoder.prepare("scan.dcm", key=key)
    """

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child that is alive, or None."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self) -> None:
        """Start the child now rather than with the first file."""
        if self.pid is not None:
            return
        self.close()
        self._child = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-I", "-c", _START, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
        self._receive(time.monotonic() + _START_SECONDS, 0)

    def close(self) -> None:
        """End the child; calling it twice does nothing."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def read(self, path: str | Path, *, alpha: str = "refuse") -> Image:
        """As `annotation.imaging.reading.read_image`, decoded in the child.

        Raises:
            ImageError: the file is not read, or its decoding hung or died ('timeout', 'crashed').
        """
        head, blobs = self._ask({"act": "read", "alpha": alpha}, Path(path))
        try:
            return image_from(head["facts"], blobs[0])
        except (WireError, KeyError, IndexError) as error:
            raise self._nonsense() from error

    def prepare(self, path: str | Path, *, key: bytes, alpha: str = "refuse") -> Prepared:
        """Clean a file and compute what the store and the viewer need of it.

        Args:
            path: a file from outside.
            key: secret of this installation for keyed hashes; not empty.
            alpha: as in `read_image`.

        Raises:
            ImageError: the file is not read, or its decoding hung or died ('timeout', 'crashed').
            ValueError: the key is empty.
        """
        if not key:
            raise ValueError("the key of a keyed hash is empty")
        head, blobs = self._ask({"act": "prepare", "alpha": alpha, "key": key.hex()}, Path(path))
        try:
            return _prepared(head, blobs)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._nonsense() from error

    def _ask(self, request: dict[str, Any], path: Path) -> tuple[dict[str, Any], list[bytes]]:
        size = check_file(path, self.limits)
        seconds = self.limits.wall_seconds(size)
        head = {
            **request,
            "path": os.fsencode(path.absolute()).hex(),
            "limits": asdict(self.limits),
            "seconds": seconds,
        }
        self.start()
        assert self._child is not None and self._child.stdin is not None
        try:
            for piece in pack(head, []):
                self._child.stdin.write(piece)
            self._child.stdin.flush()
        except OSError as error:
            self.close()
            raise ImageError("crashed") from error
        answer, blobs = self._receive(time.monotonic() + seconds, seconds)
        if "reason" not in answer:
            return answer, blobs
        reason, message = answer["reason"], str(answer.get("message", ""))[:500]
        if reason not in REASONS:
            raise self._nonsense()
        if reason == "too_large":
            self.close()
        raise ImageError(reason, message)

    def _receive(self, deadline: float, seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        largest = 8 * self.limits.decoded_bytes + 64 * MEBIBYTE
        try:
            return unpack(lambda count: self._exactly(count, deadline), largest=largest)
        except TimeoutError as error:
            self.close()
            raise ImageError("timeout", f"decoding took longer than {seconds:.0f} s") from error
        except EOFError as error:
            raise self._died() from error
        except WireError as error:
            raise self._nonsense() from error

    def _exactly(self, count: int, deadline: float) -> bytes:
        assert self._child is not None and self._child.stdout is not None
        stream = self._child.stdout.fileno()
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
        child = self._child
        code = child.wait() if child is not None else 0
        self.close()
        if code == -signal.SIGXCPU:
            return ImageError("timeout", "decoding used more processor time than allowed")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ImageError("crashed", f"the decoding process died ({name})")

    def _nonsense(self) -> ImageError:
        self.close()
        return ImageError("crashed", "the decoding process gave no usable answer")


def _prepared(head: dict[str, Any], blobs: list[bytes]) -> Prepared:
    facts = head["facts"]
    frames, height, width, *rest = (int(side) for side in facts["shape"])
    data, frames_data, thumbnail = blobs
    return Prepared(
        data=data,
        media_type=str(head["media_type"]),
        suffix=str(head["suffix"]),
        frames_header=dict(head["frames_header"]),
        frames_data=frames_data,
        thumbnail=thumbnail,
        width=width,
        height=height,
        frames=frames,
        channels=rest[0] if rest else 1,
        bits=int(facts["bits"]),
        signed=bool(facts["signed"]),
        unit=str(facts["unit"]),
        data_range=_pair(facts["data_range"]),
        spacing_mm=_pair(facts["spacing_mm"]),
        slice_mm=_number(facts["slice_mm"]),
        orientation=None if facts["orientation"] is None else tuple(facts["orientation"]),
        window=_pair(facts["window"]),
        suv_scale=_number(facts["suv_scale"]),
        kind=str(facts["kind"]),
        modality=None if facts["modality"] is None else str(facts["modality"]),
        inverted=bool(facts["inverted"]),
        flags=_words(facts["flags"]),
        removed=_words(head["removed"]),
        case_key=None if head["case_key"] is None else str(head["case_key"]),
        series_key=None if head["series_key"] is None else str(head["series_key"]),
        burned_in=None if head["burned_in"] is None else bool(head["burned_in"]),
        risk=_words(head["risk"]),
        pixel_digest=str(head["pixel_digest"]),
    )


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    first, second = value
    return float(first), float(second)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value)
