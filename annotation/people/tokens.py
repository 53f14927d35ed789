"""Keys with which programs act as a person.

A key is shown once, when it is made; only its SHA-256 is stored. It ends at the latest after a year, does nothing
outside its scopes, and never more than its person may do at the moment: roles are asked for with every request.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.audit.record import record
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken, User

MARK = "mg_"
PREFIX_LENGTH = len(MARK) + 8
LONGEST_DAYS = 365
MOST_KEYS = 50
USED_EVERY = timedelta(hours=1)
SCOPES = {
    "read": "see what you may see: datasets, items, releases, systems, studies, numbers",
    "grade": "see your readings, save drafts, submit, amend and skip",
    "curate": "import items, review, fix, freeze releases",
    "submit": "import outputs of systems and compute metrics",
    "study": "create and run studies, enroll people, declare weights, export",
    "people": "keep people and roles, read the trail (operators)",
}


@dataclass(frozen=True)
class NewKey:
    """A key that was just made; `secret` exists nowhere else."""

    token: ApiToken
    secret: str


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_token(*, user: User, name: str, scopes: Sequence[str], expires_at: datetime, actor: User | None) -> NewKey:
    """Make a key for a person.

    Raises:
        PeopleError: no name, an unknown or no scope, an end in the past or after a year, a closed account.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise PeopleError("name: say in 1 to 80 characters what the key is for")
    wanted = [scope for scope in SCOPES if scope in scopes]
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not wanted:
        said = repr(unknown[0][:40]) if unknown else "none"
        raise PeopleError(f"scopes: {said}: choose at least one of {', '.join(SCOPES)}")
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=LONGEST_DAYS, minutes=1):
        raise PeopleError(f"expires: {expires_at:%Y-%m-%d}: choose a moment within the next {LONGEST_DAYS} days")
    if not user.is_active:
        raise PeopleError(f"{user.username} is deactivated")
    if living(user).count() >= MOST_KEYS:
        raise PeopleError(f"{user.username} has {MOST_KEYS} keys; revoke one first")
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        digest=digest_of(secret),
        scopes=wanted,
        expires_at=expires_at,
    )
    record("key created", actor=actor, subject=token, person=str(user.pk), scopes=wanted)
    return NewKey(token, secret)


def living(user: User) -> QuerySet[ApiToken]:
    """The keys of a person that work."""
    return user.api_tokens.filter(revoked_at=None, expires_at__gt=timezone.now())


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User | None) -> bool:
    """End a key for good; False when it was revoked before."""
    won = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if won:
        record("key revoked", actor=actor, subject=token, person=str(token.user_id))
    return bool(won)


def find_token(secret: str) -> ApiToken | None:
    """The living key of an active person, or None: unknown, revoked, expired, or a closed account (one query)."""
    if not secret.startswith(MARK) or len(secret) > 100 or not secret.isascii():
        return None
    found = ApiToken.objects.select_related("user").filter(digest=digest_of(secret)).first()
    if found is None or found.revoked_at is not None or found.expires_at <= timezone.now():
        return None
    return found if found.user.is_active else None


def note_use(token: ApiToken) -> None:
    """Remember the hour of the last use, with at most one write an hour."""
    now = timezone.now()
    if token.last_used_at is not None and now - token.last_used_at < USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
    moment = now.replace(minute=0, second=0, microsecond=0)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=moment)
