"""Reading what the workstation posts: JSON of limited size, every field checked before a service sees it."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from annotation.grading.bases import Base
from annotation.grading.errors import InvalidGradeError
from annotation.grading.models import Grade
from annotation.grading.rules import Problem
from annotation.grading.services import Entry
from annotation.grading.working_time import Work, marked

BODY_LIMIT = 512 * 1024
VIEWING_LIMIT = 64 * 1024
REVISION_LIMIT = 2**31 - 1
DURATION_LIMIT_MS = 24 * 3600 * 1000
WAITED_LIMIT_MS = 366 * DURATION_LIMIT_MS


class BadRequestError(ValueError):
    """The request is not what this address takes; the message is a sentence."""


@dataclass(frozen=True)
class DraftEntry:
    payload: dict[str, Any]
    client_id: str
    revision: int
    base_revision: int
    work: Work
    stage: str | None = None


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The object in the body.

    Raises:
        BadRequestError: another content type, a body over the limit, or no JSON object.
    """
    if request.content_type != "application/json":
        raise BadRequestError(f"Content-Type: {(request.content_type or 'none')[:60]}: send application/json.")
    if _declared_length(request) > BODY_LIMIT or len(request.body) > BODY_LIMIT:
        raise BadRequestError(f"Body: longer than {BODY_LIMIT // 1024} KiB.")
    try:
        data = json.loads(request.body.decode(), parse_constant=_refuse_number, parse_float=_finite)
    except (ValueError, RecursionError) as problem:
        raise BadRequestError("Body: not JSON that can be read.") from problem
    if not isinstance(data, dict):
        raise BadRequestError("Body: must be a JSON object.")
    return data


def _declared_length(request: HttpRequest) -> int:
    length = request.headers.get("Content-Length", "0")
    return int(length) if length.isdecimal() else 0


def _refuse_number(word: str) -> float:
    raise ValueError(f"{word} is not a number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word} is too large")
    return value


def _whole(data: dict[str, Any], name: str, *, low: int = 0, high: int, default: int | None = None) -> int:
    value = data.get(name, default)
    if value is None and default is not None:
        value = default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadRequestError(f"{name}: {str(value)[:40]}: must be a whole number from {low} to {high}.")
    return value


def _work(data: dict[str, Any]) -> Work:
    """Client time may be fractional; what is over a day, or has waited over a year, is refused."""
    times = {}
    limits = {"active_ms": DURATION_LIMIT_MS, "idle_ms": DURATION_LIMIT_MS, "waited_ms": WAITED_LIMIT_MS}
    for name, limit in limits.items():
        value = data.get(name) or 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
            raise BadRequestError(f"{name}: {str(value)[:40]}: must be milliseconds from 0 to {limit}.")
        times[name] = int(value)
    return Work(**times)


def draft_entry(data: dict[str, Any]) -> DraftEntry:
    """A draft as posted; its payload may be anything a reader has entered so far."""
    client_id, payload = _client(data.get("client_id")), data.get("payload")
    if not isinstance(payload, dict):
        raise BadRequestError("payload: must be an object.")
    return DraftEntry(
        payload=payload,
        client_id=client_id,
        revision=_whole(data, "revision", low=1, high=REVISION_LIMIT),
        base_revision=_whole(data, "base_revision", high=REVISION_LIMIT, default=0),
        work=_work(data),
        stage=_stage(data.get("stage")),
    )


def _stage(value: Any) -> str | None:
    if value is not None and value not in Grade.Stage.values:
        raise BadRequestError(f"stage: {str(value)[:40]}: choose one of {', '.join(Grade.Stage.values)}.")
    return None if value is None else str(value)


def _client(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.isprintable():
        raise BadRequestError("client_id: must be a text of 1 to 64 printable characters.")
    return value


def _base(data: dict[str, Any]) -> Base:
    """What the submission was based on; each part may be left out."""

    def number(name: str) -> int | None:
        return None if data.get(name) is None else _whole(data, name, high=REVISION_LIMIT)

    client_id = data.get("client_id")
    return Base(
        client_id=None if client_id is None else _client(client_id),
        revision=number("base_revision"),
        version=number("base_version"),
    )


def grade_entry(data: dict[str, Any]) -> Entry:
    """A submission as posted; its payload is judged by the rules.

    Raises:
        InvalidGradeError: viewing, client time or reason is not what it should be.
        BadRequestError: the key or the counted times are not.
    """
    problems = []
    viewing = data.get("viewing") or {}
    if not isinstance(viewing, dict) or len(json.dumps(viewing)) > VIEWING_LIMIT:
        problems.append(Problem("", "viewing", f"must be an object of at most {VIEWING_LIMIT // 1024} KiB"))
    client_time = _time(data.get("client_time"))
    if data.get("client_time") and client_time is None:
        problems.append(Problem("", "client_time", "must be a time with its zone, like 2026-11-25T14:03:22Z"))
    reason = data.get("reason")
    if reason is not None and not isinstance(reason, str):
        problems.append(Problem("", "reason", "must be a text"))
    if problems:
        raise InvalidGradeError(problems)
    work = _work(data)
    return Entry(
        payload=data.get("payload"),
        submit_key=_key(data.get("submit_key")),
        work=work,
        client_time=client_time,
        viewing=marked(viewing, work),
        reason=reason,
        base=_base(data),
        stage=_stage(data.get("stage")),
    )


def _key(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as problem:
        raise BadRequestError("submit_key: must be a UUID, a new one for each submission.") from problem


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = parse_datetime(value)
        if moment is None or moment.tzinfo is None:
            return None
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
