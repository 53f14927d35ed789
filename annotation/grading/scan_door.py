"""The reader's door from inside: what a reader's browser would receive, answered by the same views and middleware.

Nobody is signed in and nothing is stored: the person stands in the request, the session in memory. What decides
who a request belongs to (sign-in, second factor) is left out, and so is the line in the log; all that shapes an
answer stays.
"""

import io
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from annotation.people.models import User

LEFT_OUT = (
    "medgen.logs.", "whitenoise.", "django.contrib.auth.", "django.contrib.sessions.", "allauth.", "axes.",
    "annotation.people.",
)  # fmt: skip

View = Callable[[HttpRequest], HttpResponseBase]


class Door(BaseHandler):
    """Answers GET requests of one reader; an address on this site, as a browser would ask for it."""

    def __init__(self, reader: User) -> None:
        self._reader = reader
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._instead: View | None = None
        answer = convert_exception_to_response(self._answer)
        for path in reversed(settings.MIDDLEWARE):
            if not path.startswith(LEFT_OUT):
                answer = convert_exception_to_response(import_string(path)(answer))
        self._middleware_chain = answer

    def get(self, path: str, *, instead: View | None = None, **headers: str) -> HttpResponseBase:
        """The answer to a request; `instead` stands for the view that belongs to the address."""
        address, _, query = path.partition("?")
        host = next((each for each in settings.ALLOWED_HOSTS if each.strip("*.")), "localhost").lstrip(".")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": address, "QUERY_STRING": query, "SERVER_NAME": host,
            "SERVER_PORT": "443", "HTTP_HOST": host, "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(),
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }  # fmt: skip
        request = WSGIRequest(environ)
        request.user, request.session = self._reader, SessionStore()
        self._instead = instead
        return self.get_response(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if self._instead is not None:
            return self._instead(request)
        answer: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]  # not in the stubs
        return answer
