"""Who asks, with what, how often: keys and sessions, scopes, and the throttles."""

import time
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as Sessions
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from annotation.audit.record import record
from annotation.people.lockout import client_address
from annotation.people.models import ApiToken, User
from annotation.people.tokens import find_token, note_use
from annotation.rest.problems import ProblemError

if TYPE_CHECKING:
    from annotation.rest.endpoint import Endpoint

FAILURES, FAILURE_SECONDS = 20, 300
MINUTE = 60


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer mg_…`. Whoever sends the header is judged by it alone, signed in or not."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        kind, _, secret = header.partition(" ")
        token = find_token(secret.strip()) if kind.casefold() == "bearer" else None
        if token is None:
            _refuse(request)
        note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="MedGEN"'


def _refuse(request: Request) -> NoReturn:
    """401; after too many failures from one address 429, whose first one is left in the trail."""
    address = client_address(request._request) or ""
    place = salted_hmac("annotation.rest.failures", address, algorithm="sha256").hexdigest()[:32]
    count = counted(f"api-failures:{place}", FAILURE_SECONDS)
    if count <= FAILURES:
        asks = {"WWW-Authenticate": 'Bearer realm="MedGEN", error="invalid_token"'}
        raise ProblemError(401, "This key is unknown, expired or revoked.", headers=asks)
    if count == FAILURES + 1:
        record("keys refused", actor=None, failures=count, seconds=FAILURE_SECONDS)
    words = f"More than {FAILURES} wrong keys came from this address within {FAILURE_SECONDS // 60} minutes."
    raise ProblemError(429, words, headers={"Retry-After": str(FAILURE_SECONDS)})


def counted(key: str, seconds: int) -> int:
    """How often this was called within the present window of so many seconds."""
    window = f"{key}:{int(time.time()) // seconds}"
    cache.add(window, 0, timeout=seconds)
    try:
        return int(cache.incr(window))
    except ValueError:
        return 1


class SessionAuthentication(Sessions):
    """The signed-in browser; acts need the token against forged requests, as pages do."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as problem:
            words = "A signed-in browser must send its X-CSRFToken; a program sends a key instead."
            raise ProblemError(403, words) from problem


class Scoped(BasePermission):
    """A signed-in person, or a key whose scopes include the act."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, User):
            return False
        if isinstance(request.auth, ApiToken):
            _check_scope(request, request.auth, view)
        return True


def _check_scope(request: Request, token: ApiToken, view: "Endpoint") -> None:
    wanted = scopes_for(view, str(request.method))
    if wanted and not wanted & set(token.scopes):
        raise ProblemError(403, f"This key's scopes are {', '.join(token.scopes)}; this needs {_any(wanted)}.")


def scopes_for(view: "Endpoint", method: str) -> set[str]:
    """The scopes of which a key needs one; none for what every key may see."""
    if method in SAFE_METHODS and not view.own_scope_only:
        return {"read", *view.scopes} if view.scopes else set()
    return set(view.scopes)


def _any(scopes: set[str]) -> str:
    return " or ".join(sorted(scopes))


class PersonThrottle(BaseThrottle):
    """At most `MEDGEN_API_RATE` requests a minute of one person, counted in each web process; 0 counts nothing."""

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = int(settings.MEDGEN_API_RATE)
        if not rate or not isinstance(request.user, User):
            return True
        return counted(f"api-rate:{request.user.pk}", MINUTE) <= rate

    def wait(self) -> float:
        return MINUTE - time.time() % MINUTE
