"""What goes wrong below the product, in words: a full disk, a database that is held, old, away or not writable.

None of these is a defect of the page or command that met it, and none loses what was acknowledged before.
"""

import errno
import sys
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import OperationalError as SqliteError

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.defaults import server_error

from annotation.audit.errors import REFUSED, AppendOnlyError
from annotation.work.errors import AwayError
from medgen.engines.storable import UnstorableValueError

RETRY_SECONDS = 5
UNMIGRATED = (
    "The database of this home is not set up, or older than this program. Bring it up to date with:\n\n"
    "    .venv/bin/python manage.py migrate"
)
FULL = "The disk that holds MedGEN's home is full. Make room, then do it again; what was acknowledged is kept."
FULL_SERVER = "The disk of the database server is full. Make room, then do it again; what was acknowledged is kept."
READ_ONLY = "MedGEN's home cannot be written. Let whoever runs this program write to the folder and its files."
READ_ONLY_SERVER = "The database server takes no writes now, or not from MedGEN's database user."
BROKEN = "The program broke on this request. Whoever runs it finds the reason in its log."
HELD = "Another program holds the database. Do it again in a moment; what was acknowledged is kept."
SLOW = "The database took longer than it may. Do it again in a moment; what was acknowledged is kept."
AWAY = "The database server cannot be reached. Do it again in a moment; what was acknowledged is kept."
UNSTORABLE = "A value is longer, larger or of another kind than the database can hold. Nothing was stored."


@dataclass(frozen=True)
class Trouble:
    """`retry_seconds` says when another try may succeed by itself."""

    words: str
    status: int
    retry_seconds: int | None = None


_AWAY = Trouble(AWAY, 503, RETRY_SECONDS)
_OF_DATABASE = {
    "no such table": Trouble(UNMIGRATED, 503),
    "no such column": Trouble(UNMIGRATED, 503),
    "has no column named": Trouble(UNMIGRATED, 503),
    "is locked": Trouble(HELD, 503, RETRY_SECONDS),
    "database or disk is full": Trouble(FULL, 507),
    "readonly database": Trouble(READ_ONLY, 503),
    "unable to open database file": Trouble(READ_ONLY, 503),
    "connection failed": _AWAY,
    "connection is bad": _AWAY,
    "connection timeout expired": _AWAY,
    "failed to resolve host": _AWAY,
    "server closed the connection": _AWAY,
    "connection is lost": _AWAY,
    "connection is closed": _AWAY,
    "connection already closed": _AWAY,
    "consuming input failed": _AWAY,
    "sending query failed": _AWAY,
}
_OF_SQLSTATE = {
    "25006": Trouble(READ_ONLY_SERVER, 503),
    "40001": Trouble(HELD, 503, RETRY_SECONDS),
    "40P01": Trouble(HELD, 503, RETRY_SECONDS),
    "42501": Trouble(READ_ONLY_SERVER, 503),
    "42703": Trouble(UNMIGRATED, 503),
    "42P01": Trouble(UNMIGRATED, 503),
    "53100": Trouble(FULL_SERVER, 507),
    "53200": _AWAY,
    "53300": _AWAY,
    "55P03": Trouble(HELD, 503, RETRY_SECONDS),
    "57014": Trouble(SLOW, 503, RETRY_SECONDS),
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
    "25P03": Trouble(SLOW, 503, RETRY_SECONDS),
}
_OF_FILES = {
    errno.ENOSPC: Trouble(FULL, 507),
    errno.EDQUOT: Trouble(FULL, 507),
    errno.EROFS: Trouble(READ_ONLY, 503),
}


def trouble_of(problem: BaseException | None) -> Trouble | None:
    """What a failure means when it comes from below; None when it is a defect of our own."""
    if isinstance(problem, DataError):
        own = isinstance(problem, UnstorableValueError)
        return Trouble(f"{problem}. Nothing was stored." if own else UNSTORABLE, 400)
    if isinstance(problem, AppendOnlyError) or (isinstance(problem, IntegrityError) and REFUSED in str(problem)):
        return Trouble(f"{str(problem).splitlines()[0]}. Nothing was changed.", 409)
    if isinstance(problem, DatabaseError | InterfaceError | SqliteError):
        return _of_database(problem)
    if isinstance(problem, AwayError):
        return Trouble(str(problem), 503, RETRY_SECONDS)
    return _OF_FILES.get(problem.errno or 0) if isinstance(problem, OSError) else None


def _of_database(problem: Exception) -> Trouble | None:
    """By PostgreSQL's code where it sent one, else by the words of SQLite or of the connection."""
    state = getattr(problem.__cause__, "sqlstate", None)
    if state in _OF_SQLSTATE:
        return _OF_SQLSTATE[state]
    if not isinstance(problem, OperationalError | InterfaceError | SqliteError):
        return None
    said = str(problem)
    return next((trouble for words, trouble in _OF_DATABASE.items() if words in said), None)


def answer_broken(request: HttpRequest) -> HttpResponse:
    """The answer for a request that broke: 503 or 507 with words and a time to retry, or a plain 500."""
    trouble = trouble_of(sys.exc_info()[1])
    if trouble is None and request.path_info.startswith("/api/"):
        trouble = Trouble(BROKEN, 500)
    return server_error(request) if trouble is None else answer(request, trouble)


def answer(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """In the shape that the asker reads: a page, JSON for the workstation, a problem for programs."""
    from annotation.rest.problems import is_api, problem_response

    if is_api(request):
        return problem_response(trouble.status, trouble.words, retry_after=trouble.retry_seconds)
    response: HttpResponse
    if request.content_type == "application/json":
        response = JsonResponse({"error": trouble.words}, status=trouble.status)
    else:
        response = HttpResponse(render_to_string("trouble.html", {"words": trouble.words}), status=trouble.status)
    if trouble.retry_seconds is not None:
        response.headers["Retry-After"] = str(trouble.retry_seconds)
    return response


class RefusedValues:
    """Middleware: what no database keeps unchanged is the sender's to mend, so 400 and no alarm."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        trouble = trouble_of(problem) if isinstance(problem, DataError) else None
        return None if trouble is None else answer(request, trouble)
