"""Log lines without personal data: one per request, by route instead of address, failures by place instead of words.

Addresses and messages of exceptions can hold what people typed, names of systems or values of rows, so they are
left out: a line says which route, which answer, how long it took, and for a failure its class and where in the
code it arose. Every answer carries the id of its line (`X-Request-ID`).
"""

import logging
import time
import traceback
from collections.abc import Callable
from logging import LogRecord
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from pythonjsonlogger.json import JsonFormatter

ID_HEADER = "X-Request-ID"
FRAMES = 12
QUIET_ROUTES = {"healthz", "readyz"}
logger = logging.getLogger("medgen.request")


def log_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a line for every answered request, and its id in the answer."""

    def respond(request: HttpRequest) -> HttpResponse:
        request_id = _request_id(request)
        before = time.perf_counter()
        response = get_response(request)
        response.headers[ID_HEADER] = request_id
        route = route_of(request)
        if route not in QUIET_ROUTES:
            facts = {
                "request_id": request_id,
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "ms": round((time.perf_counter() - before) * 1000, 1),
            }
            logger.info("%(method)s %(route)s %(status)s in %(ms)s ms", facts, extra=facts)
        return response

    return respond


def _request_id(request: HttpRequest) -> str:
    """The proxy's id when it is a plain UUID, else one of our own."""
    try:
        return str(UUID(request.headers.get(ID_HEADER, "")))
    except ValueError:
        return str(uuid4())


def route_of(request: Any) -> str:
    """The pattern of the address, with names of its parts instead of their values."""
    match = getattr(request, "resolver_match", None)
    return str(match.route) if match is not None else "no route"


class WithoutPersonalData(logging.Filter):
    """Takes addresses and the messages of exceptions out of a record; keeps class and place of a failure."""

    def filter(self, record: LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and record.name.startswith("django."):
            record.msg, record.args = f"answered {getattr(record, 'status_code', '?')} on {route_of(request)}", ()
            del record.__dict__["request"]
        elif record.name.startswith("django.security"):
            record.msg, record.args = record.name.rpartition(".")[2], ()
        if record.exc_info and record.exc_info[0] is not None:
            problem, trace = record.exc_info[0], record.exc_info[2]
            error, where = f"{problem.__module__}.{problem.__name__}", _frames(trace)
            record.msg = f"{record.getMessage()} [{error} at {where[-1] if where else '?'}]"
            record.__dict__ |= {"error": error, "where": where}
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def _frames(trace: TracebackType | None) -> list[str]:
    """The innermost places of a traceback: file, line and function, no values."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def configuration(*, as_json: bool, level: str, keep_messages: bool) -> dict[str, Any]:
    """Django's LOGGING: lines on standard error.

    Args:
        as_json: one JSON object a line, else words.
        level: least level of our own loggers.
        keep_messages: leave addresses and messages of exceptions in, for development only.
    """
    words = {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    json_lines = {
        "()": JsonFormatter,
        "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        "datefmt": "%Y-%m-%dT%H:%M:%S%z",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"safe": {"()": WithoutPersonalData}},
        "formatters": {"line": json_lines if as_json else words},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": [] if keep_messages else ["safe"],
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
            "medgen": {"level": level},
            "annotation": {"level": level},
            "scoring": {"level": level},
        },
    }
