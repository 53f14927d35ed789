"""The endpoint that every room's api.py builds on.

An operation declares once what it is asked (`query`), what it takes (`takes`), what it tells (`tells`) and which
refusals of the services it can meet; checking, answering, paging and the OpenAPI document all read that declaration.
The order of a request: who (401), scope (403), throttle (429), role (404 or 403), query and body (400), the act.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from rest_framework import serializers, views, viewsets
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.people.models import ApiToken, User
from annotation.rest import idempotency
from annotation.rest.access import KeyAuthentication, PersonThrottle, Scoped, SessionAuthentication
from annotation.rest.parsing import BODY_LIMIT, StrictJSONParser, refuse_packed
from annotation.rest.problems import FieldError, ProblemError, answer_problem, shown
from annotation.rest.serializers import Asked, PageAsked, Sent, paged, unknown_names

Guard = Callable[[User], None]
SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Operation:
    """What one method of one address takes and tells.

    Attributes:
        tells: serializer of the answer; None for an answer that is a file or has no body.
        takes: serializer of the body; None for an address that takes no body.
        query: serializer of the query.
        many: the answer is a page of a list; the handler returns a queryset or list.
        status: of success.
        guard: raises 404 or 403 for those whose roles do not include the act.
        refuses: exceptions of the services, with the status they are answered by.
        media: content types of an answer that is no JSON.
        also: further answers, status → serializer, content type of a file, or None for no body.
        long: writes in pieces, so that it cannot be one transaction with its idempotency key.
    """

    tells: type[serializers.BaseSerializer[Any]] | None = None
    takes: type[Sent] | None = None
    query: type[Asked] | None = None
    many: bool = False
    status: int = 200
    guard: Guard | None = None
    refuses: Mapping[type[Exception], int] | None = None
    media: tuple[str, ...] = ()
    also: Mapping[int, type[serializers.BaseSerializer[Any]] | str | None] | None = None
    long: bool = False

    @property
    def answer(self) -> type[serializers.BaseSerializer[Any]] | None:
        return paged(self.tells) if self.many and self.tells is not None else self.tells


def operation(**declared: Any) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
    """Declare a handler; what it returns is told through the declared serializer."""
    made = Operation(**declared)

    def decorate(handler: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
        @wraps(handler)
        def answered(self: "Endpoint", request: Request, **kwargs: Any) -> HttpResponseBase:
            def act() -> HttpResponseBase:
                told: HttpResponseBase = self.told(self.meeting(handler, request, **kwargs))
                return told

            key = request.headers.get(idempotency.HEADER)
            if request.method in SAFE or key is None:
                return act()
            once: HttpResponseBase = idempotency.once(
                user=self.person,
                key=idempotency.checked_key(key),
                method=str(request.method),
                path=request.path,
                body=self.sent,
                act=act,
                long=made.long,
            )
            return once

        answered.operation = made  # type: ignore[attr-defined]
        return answered

    return decorate


class OnlyJson(BaseContentNegotiation):
    """Programs get JSON whatever they say they accept; an address that sends something else says so."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        said = (request.content_type or "").partition(";")[0].strip().casefold()
        return next((parser for parser in parsers if parser.media_type == said), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class Endpoint(viewsets.ViewSetMixin, views.APIView):
    authentication_classes = [KeyAuthentication, SessionAuthentication]
    permission_classes = [Scoped]
    throttle_classes = [PersonThrottle]
    parser_classes: Sequence[type[BaseParser]] = [StrictJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = OnlyJson
    http_method_names = ["get", "post", "delete", "head"]

    noun: ClassVar[str] = ""
    """Names the operations, and with `tag` groups them in the document."""
    tag: ClassVar[str] = ""
    scopes: ClassVar[tuple[str, ...]] = ()
    """A key needs one of these for acts; `read` or one of these to look."""
    own_scope_only: ClassVar[bool] = False
    """`read` is not enough to look."""

    body_limit: ClassVar[int] = BODY_LIMIT

    sent: Any = None
    asked: dict[str, Any]
    paging: dict[str, int]
    body: dict[str, Any]

    @property
    def person(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def operation(self) -> Operation | None:
        handler = getattr(self, getattr(self, "action", None) or "", None)
        return getattr(handler, "operation", None)

    def need_scope(self, scope: str) -> None:
        """403 for a key without this scope, where the address alone does not say which one an act needs."""
        token = self.request.auth
        if isinstance(token, ApiToken) and scope not in token.scopes:
            raise ProblemError(403, f"This key's scopes are {', '.join(token.scopes)}; this needs {scope}.")

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return answer_problem

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        declared = self.operation
        if declared is None:
            return
        if declared.guard is not None:
            declared.guard(self.person)
        self._read_query(request, declared)
        self.body = self._body(request, declared)

    def _read_query(self, request: Request, declared: Operation) -> None:
        known: dict[str, serializers.Field[Any, Any, Any, Any]] = {}
        forms: dict[str, type[Asked] | None] = {
            "asked": declared.query,
            "paging": PageAsked if declared.many else None,
        }
        for form in forms.values():
            known |= {} if form is None else form().fields
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise unknown_names(unknown, known, kind="unknown-parameter", noun="a parameter", of=request.query_params)
        for name, values in request.query_params.lists():
            if len(values) > 1:
                error = FieldError(shown(name), shown(values[1]), "is asked more than once")
                raise ProblemError(400, f"{error.field}: {error.rule}.", kind="invalid", errors=[error])
        self.sent = request.query_params.dict()
        for place, form in forms.items():
            if form is not None:
                given = {name: value for name, value in self.sent.items() if name in form().fields}
                checked = form(data=given)
                checked.is_valid(raise_exception=True)
                setattr(self, place, dict(checked.validated_data))
        self.sent = None

    def _body(self, request: Request, declared: Operation) -> dict[str, Any]:
        if request.method in SAFE:
            return {}
        refuse_packed(request, self.body_limit)
        has_body = (request.META.get("CONTENT_LENGTH") or "0") not in {"", "0"}
        if not has_body and not request.content_type:
            data: Any = {}
        else:
            data = request.data if has_body else {}
        self.sent = data
        if not isinstance(data, Mapping):
            raise ProblemError(400, "The body must be one JSON object.", kind="invalid")
        if declared.takes is None:
            if data:
                raise unknown_names(map(str, data), (), kind="unknown-field", noun="a field", of=data)
            return {}
        checked = declared.takes(data=data, context={"person": self.person})
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def meeting(self, handler: Callable[..., Any], request: Request, **kwargs: Any) -> Any:
        """Call the handler; what the services refuse becomes the declared status with its words and fields."""
        declared = self.operation
        refuses = dict(declared.refuses or {}) if declared is not None else {}
        try:
            return handler(self, request, **kwargs)
        except tuple(refuses) as problem:
            status = next(refuses[kind] for kind in type(problem).__mro__ if kind in refuses)
            raise refusal(problem, status) from problem

    def told(self, result: Any) -> Any:
        declared = self.operation
        assert declared is not None
        if isinstance(result, HttpResponseBase):
            return result
        if declared.many and declared.tells is not None:
            result = self.page_of(result)
        answer = declared.answer
        data = None if answer is None else answer(result, context={"request": self.request}).data
        return Response(data, status=declared.status)

    def page_of(self, rows: "QuerySet[Any] | Sequence[Any]") -> dict[str, Any]:
        """One page: the count and the rows, two queries."""
        page, size = self.paging["page"], self.paging["page_size"]
        count = rows.count() if isinstance(rows, QuerySet) else len(rows)
        last = max(1, -(-count // size))
        if page > last:
            raise ProblemError(404, f"page: {page}: the last page is {last}.")
        start = (page - 1) * size
        return {
            "count": count,
            "page": page,
            "page_size": size,
            "next": self._page_address(page + 1) if page < last else None,
            "previous": self._page_address(page - 1) if page > 1 else None,
            "results": list(rows[start : start + size]),
        }

    def _page_address(self, page: int) -> str:
        query = {name: value for name, value in self.request.query_params.items() if name != "page"}
        return f"{self.request.path}?{urlencode(query | {'page': page})}"


def served(response: HttpResponseBase) -> HttpResponseBase:
    """A file's answer, unless there is none: then the refusal in JSON."""
    if response.status_code == 416:
        headers = {"Content-Range": response.headers["Content-Range"]}
        raise ProblemError(416, "Range: lies outside of the file.", kind="invalid", headers=headers)
    if response.status_code >= 400:
        raise ProblemError(404, "The bytes of this image are missing from the store.")
    return response


def form_refusal(form: BaseForm) -> ProblemError:
    """What a page's form refuses, field by field."""
    errors = [
        FieldError("" if name == "__all__" else name, "", str(each["message"]))
        for name, listed in form.errors.get_json_data().items()
        for each in listed
    ]
    return ProblemError(422, ": ".join(filter(None, (errors[0].field, errors[0].rule))), errors=errors)


def refusal(problem: Exception, status: int) -> ProblemError:
    """What a service refused, in its own words; its problems become `errors`, what was there before is `current`."""
    listed = getattr(problem, "problems", None) or getattr(problem, "blockers", None) or []
    current = getattr(problem, "current", None)
    more = {} if current is None else {"current": current}
    return ProblemError(status, str(problem), errors=[_error(each) for each in listed], more=more)


def _error(each: Any) -> FieldError:
    if isinstance(each, str):
        field, _, rule = each.partition(": ")
        return FieldError(field, "", rule) if rule and field.isidentifier() else FieldError("", "", each)
    if isinstance(each, tuple):
        return FieldError(str(each[0]), "", str(each[1]))
    if hasattr(each, "rule"):
        return FieldError(str(each.field), shown(getattr(each, "value", "")), str(each.rule))
    said = each.as_json()
    field = ".".join(part for part in (said.get("label", ""), said.get("field", "")) if part)
    return FieldError(field, "", str(said.get("text", "")))


def route(address: str, endpoint: type[Endpoint], actions: Mapping[str, str], name: str) -> URLPattern:
    """One address: HTTP methods to handlers."""
    return path(address, endpoint.as_view(dict(actions)), name=name)
