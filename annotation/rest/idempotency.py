"""`Idempotency-Key`: the same request sent twice is done once, and answered alike.

The key, the act and its answer are one transaction, so that a program that was cut off, or a server that was killed,
leaves either all of it or nothing; a second request that arrives meanwhile waits for the first. Only answers of 2xx
are kept: whatever was refused did nothing and may be sent again. Long acts that write in pieces claim the key first;
meanwhile the same key gets 409, and a claim that nobody finished within 15 minutes is taken over.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.response import Response

from annotation.people.models import IdempotencyKey, User
from annotation.rest.problems import ProblemError

HEADER = "Idempotency-Key"
LONGEST = 64
KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=15)
Act = Callable[[], Any]


def checked_key(value: str) -> str:
    """The key as sent.

    Raises:
        ProblemError: empty, too long, or not printable ASCII.
    """
    if not 1 <= len(value) <= LONGEST or not value.isascii() or not value.isprintable():
        raise ProblemError(400, f"{HEADER}: must be 1 to {LONGEST} printable ASCII characters.", kind="invalid")
    return value


def digest_of(body: Any) -> str:
    """SHA-256 of what was sent, whatever the order of its fields; files by their bytes."""
    return hashlib.sha256(json.dumps(_canonical(body), sort_keys=True).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, UploadedFile):
        digest = hashlib.sha256()
        for block in value.chunks():
            digest.update(block)
        value.seek(0)
        return {"file": digest.hexdigest(), "name": value.name}
    if isinstance(value, Mapping):
        return {str(name): _canonical(inner) for name, inner in value.items()}
    return [_canonical(inner) for inner in value] if isinstance(value, list) else value


def once(*, user: User, key: str, method: str, path: str, body: Any, act: Act, long: bool = False) -> Any:
    """Do the act, or answer as the first time.

    Raises:
        ProblemError: 422 when the key was used for something else, 409 while a long act is still at work.
    """
    request = {"method": method, "path": path[:300], "body_digest": digest_of(body)}
    return _long(user, key, request, act) if long else _short(user, key, request, act)


@transaction.atomic
def _short(user: User, key: str, request: dict[str, str], act: Act) -> Any:
    row, is_new = _claimed(user, key, request)
    if not is_new:
        return _replayed(row)
    response = act()
    _keep(row, response)
    return response


def _long(user: User, key: str, request: dict[str, str], act: Act) -> Any:
    with transaction.atomic():
        row, is_new = _claimed(user, key, request)
    if not is_new:
        return _replayed(row)
    try:
        response = act()
    except BaseException:
        row.delete()
        raise
    _keep(row, response)
    return response


def _claimed(user: User, key: str, request: dict[str, str]) -> tuple[IdempotencyKey, bool]:
    """The row of a key, and whether this request is the one that does the act."""
    now = timezone.now()
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
    IdempotencyKey.objects.filter(user=user, key=key, status=None, created_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user=user, key=key, **request), True
    except IntegrityError:
        row = IdempotencyKey.objects.get(user=user, key=key)
    if (row.method, row.path, row.body_digest) != tuple(request.values()):
        words = f"{HEADER}: {key} was used for another request; take a new key for each."
        raise ProblemError(422, words, kind="key-reused")
    if row.status is None:
        raise ProblemError(409, f"The request with {HEADER} {key} is still at work.", headers={"Retry-After": "2"})
    return row, False


def _keep(row: IdempotencyKey, response: Response) -> None:
    row.status, row.body = response.status_code, json.loads(json.dumps(response.data, default=str))
    row.save(update_fields=["status", "body"])


def _replayed(row: IdempotencyKey) -> Response:
    return Response(row.body, status=row.status, headers={"Idempotent-Replayed": "true"})
