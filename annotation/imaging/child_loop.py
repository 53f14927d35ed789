"""The child's side: confine this process, then answer one request after another until the parent closes the pipe.

It opens only the file it is told to, writes no file, and holds itself to the limits of each request. When it dies
the parent starts another.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from annotation.imaging.confinement import confine
from annotation.imaging.image import ImageError
from annotation.imaging.limits import Limits
from annotation.imaging.wire import pack, unpack

Answer = tuple[dict[str, Any], list[bytes]]
Answering = Callable[[dict[str, Any], Path, Limits], Iterable[Answer]]

_REQUEST_BYTES = 1 << 20
_UNREADABLE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, OSError, struct.error)


def serve(answers: Answering) -> None:
    """Answer requests on standard input with messages on standard output, until the input closes.

    Args:
        answers: the messages that answer one request; what it raises of `ImageError`, `MemoryError` and errors
            about values becomes a refusal. A child that ran out of memory says that it is spent.
    """
    source = sys.stdin.buffer
    sink = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    _send(sink, ({"ready": True, "confinement": confine()}, []))
    while True:
        try:
            request, _ = unpack(lambda count: _exactly(source, count), largest=_REQUEST_BYTES)
        except EOFError:
            return
        for answer in _guarded(answers, request):
            _send(sink, answer)


def _send(sink: BinaryIO, answer: Answer) -> None:
    for piece in pack(*answer):
        sink.write(piece)
    sink.flush()


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _guarded(answers: Answering, request: dict[str, Any]) -> Iterable[Answer]:
    limits = Limits(**{field.name: request["limits"][field.name] for field in fields(Limits)})
    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    _bound(resource.RLIMIT_AS, int(request["memory"]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    _bound(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + request["seconds"]) + 2)
    try:
        yield from answers(request, path, limits)
    except ImageError as error:
        spent = isinstance(error.__cause__, MemoryError)
        yield {"reason": error.reason, "message": error.message, "spent": spent}, []
    except MemoryError:
        yield {"reason": "too_large", "message": "decoding needs more memory than allowed", "spent": True}, []
    except _UNREADABLE as error:
        yield {"reason": "corrupt", "message": f"cannot be prepared ({type(error).__name__})"}, []


def _bound(which: int, value: int) -> None:
    """Lower a soft limit; systems that cannot (RLIMIT_AS on macOS) go on without it."""
    try:
        hard = resource.getrlimit(which)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (soft, hard))
    except (OSError, ValueError):
        return
