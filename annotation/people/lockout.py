"""Pauses after wrong passwords: who must wait, and for how long.

Failures are counted by django-axes in the database, for a user name and address together, so that a stranger who
types a colleague's name elsewhere does not lock the colleague out. A second, wider limit counts all failures of one
address; a browser in which this very person signed in before is not held by it, as a whole hospital may share one
address (see docs/decisions/0013-access.md).
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from axes.models import AccessAttempt
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.errors import PeopleError
from annotation.people.models import User

KNOWN_COOKIE = "medgen_known"
KNOWN_SECONDS = 180 * 24 * 3600
KNOWN_PEOPLE = 12  # people remembered by one browser: a shared workstation


@dataclass(frozen=True)
class Pause:
    """One pair of user name and address that must wait, as an operator sees it."""

    attempt_id: int
    username: str
    address: str
    failures: int
    until: datetime
    person: User | None


def client_address(request: HttpRequest) -> str | None:
    """The address a request came from; behind proxies, what the outermost of our own proxies saw.

    `X-Forwarded-For` is believed only as far as `MEDGEN_PROXIES` says: everything left of it was typed by the client.
    """
    proxies: int = settings.MEDGEN_PROXIES
    told = str(request.META.get("REMOTE_ADDR") or "")
    if proxies:
        hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
        told = hops[-proxies] if len(hops) >= proxies else told
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return None


def _recent() -> QuerySet[AccessAttempt]:
    recent: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    return recent


def _wait(attempts: QuerySet[AccessAttempt], limit: int) -> int:
    """Seconds to wait when these attempts reach the limit, else 0. One query."""
    found = attempts.aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if (found["failures"] or 0) < limit:
        return 0
    left: timedelta = found["last"] + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, math.ceil(left.total_seconds()))


def seconds_left(request: HttpRequest, username: str) -> int:
    """How long this user name has to wait at this address; 0 when it may try. The same for unknown names."""
    address = client_address(request)
    here = _recent().filter(ip_address=address)
    own = _wait(here.filter(username=username), settings.AXES_FAILURE_LIMIT)
    if own or address is None:
        return own
    of_address = _wait(here, settings.MEDGEN_ADDRESS_FAILURES)
    return 0 if of_address and _is_known(request, username) else of_address


def record_failure(request: HttpRequest, username: str) -> int:
    """Leave the trail of a refused sign-in; the seconds to wait now. Ids only: a typed name may be a password."""
    person = User.objects.filter(username=username).first()
    wait = seconds_left(request, username)
    with transaction.atomic():
        record("sign-in failed", actor=None, subject=person)
        if wait:
            record("sign-in locked", actor=None, subject=person, seconds=wait)
    return wait


def paused() -> list[Pause]:
    """Everybody who has to wait now, newest first. Three queries."""
    rows = (
        _recent()
        .values("username", "ip_address")
        .annotate(failures=Sum("failures_since_start"), last=Max("attempt_time"), first_id=Max("id"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT)
        .order_by("-last")
    )
    found = list(rows)
    people = {user.username: user for user in User.objects.filter(username__in=[row["username"] for row in found])}
    return [
        Pause(
            attempt_id=row["first_id"],
            username=row["username"] or "",
            address=row["ip_address"] or "",
            failures=row["failures"],
            until=row["last"] + settings.AXES_COOLOFF_TIME,
            person=people.get(row["username"] or ""),
        )
        for row in found
    ]


@transaction.atomic
def lift(*, attempt_id: int, actor: User | None) -> None:
    """Let a user name try again at an address before its pause ends."""
    attempt = AccessAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None:
        raise PeopleError("this pause is over already")
    AccessAttempt.objects.filter(username=attempt.username, ip_address=attempt.ip_address).delete()
    person = User.objects.filter(username=attempt.username).first()
    record("sign-in lock lifted", actor=actor, subject=person)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Mark this browser as one in which this person has signed in."""
    known = [pk for pk in _known(request) if pk != str(user.pk)][: KNOWN_PEOPLE - 1]
    response.set_cookie(
        KNOWN_COOKIE,
        signing.dumps([str(user.pk), *known], salt=KNOWN_COOKIE),
        max_age=KNOWN_SECONDS,
        path="/sign-in/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> list[str]:
    try:
        found = signing.loads(request.COOKIES.get(KNOWN_COOKIE, ""), salt=KNOWN_COOKIE, max_age=KNOWN_SECONDS)
    except signing.BadSignature:
        return []
    return [str(pk) for pk in found]


def _is_known(request: HttpRequest, username: str) -> bool:
    known = [UUID(pk) for pk in _known(request)]
    return bool(known) and User.objects.filter(pk__in=known, username=username).exists()
