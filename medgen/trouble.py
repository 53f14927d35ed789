"""What goes wrong below the product, in words: a full disk, a database that is held, old or not writable.

None of these is a defect of the page or command that met it, and none loses what was acknowledged before.
"""

import errno
import sys
from dataclasses import dataclass
from sqlite3 import OperationalError as SqliteError

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

RETRY_SECONDS = 5
UNMIGRATED = (
    "The database of this home is not set up, or older than this program. Bring it up to date with:\n\n"
    "    .venv/bin/python manage.py migrate"
)
FULL = "The disk that holds MedGEN's home is full. Make room, then do it again; what was acknowledged is kept."
READ_ONLY = "MedGEN's home cannot be written. Let whoever runs this program write to the folder and its files."
HELD = "Another program holds the database. Do it again in a moment; what was acknowledged is kept."


@dataclass(frozen=True)
class Trouble:
    """`retry_seconds` says when another try may succeed by itself."""

    words: str
    status: int
    retry_seconds: int | None = None


_OF_DATABASE = {
    "no such table": Trouble(UNMIGRATED, 503),
    "no such column": Trouble(UNMIGRATED, 503),
    "has no column named": Trouble(UNMIGRATED, 503),
    "is locked": Trouble(HELD, 503, RETRY_SECONDS),
    "database or disk is full": Trouble(FULL, 507),
    "readonly database": Trouble(READ_ONLY, 503),
    "unable to open database file": Trouble(READ_ONLY, 503),
}
_OF_FILES = {
    errno.ENOSPC: Trouble(FULL, 507),
    errno.EDQUOT: Trouble(FULL, 507),
    errno.EROFS: Trouble(READ_ONLY, 503),
}


def trouble_of(problem: BaseException | None) -> Trouble | None:
    """What a failure means when it comes from below; None when it is a defect of our own."""
    if isinstance(problem, OperationalError | SqliteError):
        said = str(problem)
        return next((trouble for words, trouble in _OF_DATABASE.items() if words in said), None)
    return _OF_FILES.get(problem.errno or 0) if isinstance(problem, OSError) else None


def answer_broken(request: HttpRequest) -> HttpResponse:
    """The page for a request that broke: 503 or 507 with words and a time to retry, or a plain 500."""
    trouble = trouble_of(sys.exc_info()[1])
    if trouble is None:
        return server_error(request)
    response = HttpResponse(render_to_string("trouble.html", {"words": trouble.words}), status=trouble.status)
    if trouble.retry_seconds is not None:
        response.headers["Retry-After"] = str(trouble.retry_seconds)
    return response
