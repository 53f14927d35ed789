"""Refusals as JSON (RFC 9457): every answer of 4xx and 5xx below /api/ has this one shape.

{"type": "urn:medgen:problem:unknown-field", "title": "Unknown field", "status": 400, "detail": "…",
 "errors": [{"field": "grader", "value": "anna", "rule": "is not a field here; known: payload, reason"}]}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"
SHOWN = 80
TITLES = {
    "bad-request": "Bad request",
    "invalid": "Not what this address takes",
    "unknown-field": "Unknown field",
    "unknown-parameter": "Unknown parameter",
    "unreadable": "Cannot be read",
    "not-authenticated": "Who are you?",
    "forbidden": "Not yours to do",
    "not-found": "Not found",
    "method-not-allowed": "Method not allowed",
    "conflict": "Somebody was first",
    "too-large": "Too large",
    "unsupported-media-type": "Unsupported media type",
    "refused": "Refused by a rule",
    "key-reused": "Key used before for something else",
    "too-many-requests": "Too many requests",
    "unavailable": "Not available now",
    "broken": "Broken",
}
_BY_STATUS = {
    400: "bad-request", 401: "not-authenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    409: "conflict", 413: "too-large", 415: "unsupported-media-type", 422: "refused", 429: "too-many-requests",
    500: "broken", 503: "unavailable", 507: "unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class FieldError:
    """One thing to mend, as `field: value: rule`."""

    field: str
    value: str
    rule: str

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "value": self.value, "rule": self.rule}


class ProblemError(exceptions.APIException):
    """A refusal with its kind, words and fields; `more` are further members of the JSON."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        errors: Sequence[FieldError] = (),
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.words = detail
        self.kind = kind or _BY_STATUS.get(status, "bad-request")
        self.errors = list(errors)
        self.more = dict(more or {})
        self.headers = dict(headers or {})


def shown(value: object) -> str:
    """A value as an error repeats it: short, and nothing that a terminal would act on."""
    if value is None:
        return ""
    text = "".join(letter if letter.isprintable() else "�" for letter in str(value)[: SHOWN + 1])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def problem_json(
    status: int, detail: str, *, kind: str = "", errors: Sequence[FieldError] = (), **more: Any
) -> dict[str, Any]:
    kind = kind or _BY_STATUS.get(status, "bad-request")
    return {
        "type": f"urn:medgen:problem:{kind}",
        "title": TITLES[kind],
        "status": status,
        "detail": detail,
        "errors": [error.as_json() for error in errors],
        **more,
    }


def problem_response(status: int, detail: str, *, retry_after: int | None = None) -> JsonResponse:
    """A refusal outside the endpoints: an unknown address, or trouble below the product."""
    response = JsonResponse(problem_json(status, detail), status=status, content_type=MEDIA_TYPE)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def answer_problem(problem: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to an exception; None for a defect of our own, which is logged as one."""
    known = _known(problem, context)
    if known is None:
        return None
    headers = dict(known.headers)
    if (asks := getattr(problem, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = asks
    if (wait := getattr(problem, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    data = problem_json(known.status_code, known.words, kind=known.kind, errors=known.errors, **known.more)
    return Response(data, status=known.status_code, headers=headers, content_type=MEDIA_TYPE)


def _known(problem: Exception, context: Mapping[str, Any]) -> ProblemError | None:
    match problem:
        case ProblemError():
            return problem
        case Http404():
            return ProblemError(404, "There is nothing at this address for you.")
        case PermissionDenied() | exceptions.PermissionDenied():
            return ProblemError(403, str(problem) or "Your roles do not include this act.")
        case exceptions.NotAuthenticated():
            return ProblemError(401, "Sign in, or send a key of yours as “Authorization: Bearer mg_…”.")
        case exceptions.ValidationError():
            errors = field_errors(problem.detail, _sent(context))
            return ProblemError(400, _words(errors), kind="invalid", errors=errors)
        case RequestDataTooBig():
            return ProblemError(413, "The request is larger than this address takes.")
        case TooManyFilesSent() | SuspiciousOperation():
            return ProblemError(400, "The request cannot be read.", kind="unreadable")
        case exceptions.APIException():
            return ProblemError(problem.status_code, str(problem.detail))
        case _:
            return None


def _sent(context: Mapping[str, Any]) -> Any:
    return getattr(context.get("view"), "sent", None)


def field_errors(detail: Any, sent: Any, field: str = "") -> list[FieldError]:
    """The errors of a serializer, flattened to paths like `readers.2.cap`, each with what was sent there."""
    if isinstance(detail, Mapping):
        found = []
        for name, inner in detail.items():
            where = field if name == "non_field_errors" else f"{field}.{name}".lstrip(".")
            value = sent if name == "non_field_errors" else _at(sent, name)
            found += field_errors(inner, value, where)
        return found
    if isinstance(detail, list):
        if any(isinstance(inner, Mapping | list) for inner in detail):
            return [
                error
                for place, inner in enumerate(detail)
                if inner
                for error in field_errors(inner, _at(sent, place), f"{field}.{place}".lstrip("."))
            ]
        return [FieldError(field, _plain(sent), str(words)) for words in detail]
    return [FieldError(field, _plain(sent), str(detail))]


def _at(sent: Any, place: Any) -> Any:
    try:
        return sent[int(place)] if isinstance(sent, list) else sent.get(place)
    except (AttributeError, IndexError, ValueError, TypeError):
        return None


def _plain(value: Any) -> str:
    return "" if isinstance(value, dict | list) else shown(value)


def _words(errors: Sequence[FieldError]) -> str:
    first = errors[0]
    words = ": ".join(part for part in (first.field, first.value, first.rule) if part)
    return words if len(errors) == 1 else f"{words} (and {len(errors) - 1} more)"
