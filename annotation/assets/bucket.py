"""The bucket that holds the files of assets when MEDGEN_OBJECT_STORAGE names one.

Every object lies below its asset under the checksum of its own bytes, `<prefix>/ab/cd/<asset>/<sha256><suffix>`, so
a key never stands for two contents: frames that were made anew get a key of their own, and machines that write the
same picture at once write the same bytes. The bucket compares what it receives with the checksum sent along.

boto3 is imported by the first request to a bucket and never without one.
"""

import base64
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from annotation.assets.errors import StoreAwayError

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 1 << 20
CONNECT_S, READ_S, ATTEMPTS = 3, 30, 2
REST_S = 2.0  # after a failure nobody waits for the bucket again for so long
ASKED_S = 3.0
LOST, CHANGED = "is missing", "failed its checksum"
MOVED, BROKEN = HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.INTERNAL_SERVER_ERROR
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_HERE_ALREADY = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_NO_CONDITIONS = {"NotImplemented", "501"}


class Address(NamedTuple):
    """Where the bucket is: its name and what stands before every key, "" or with a slash at its end."""

    name: str
    prefix: str


class _Rest:
    """Until when the bucket is left alone; when it was last asked how it is, and what it said."""

    until = 0.0
    asked_at = float("-inf")
    said: str | None = None


_rest = _Rest()
_making = threading.Lock()


def address() -> Address | None:
    """The bucket of this installation; None when files of assets live in the home alone."""
    found: Address | None = settings.MEDGEN_OBJECT_STORAGE
    return found


def key_of(asset: str, sha256: str, suffix: str) -> str:
    """The key below the prefix of one file of an asset, from the checksums of the asset and of the file's bytes."""
    return f"{folder_of(asset)}{sha256}{suffix}"


def folder_of(asset: str) -> str:
    """What the keys of all files of an asset begin with."""
    return f"{asset[:2]}/{asset[2:4]}/{asset}/"


def put(key: str, sha256: str, body: "bytes | Path") -> bool:
    """Store bytes whose checksum is known, unless they are there; returned means acknowledged by the bucket.

    An object under this key that is not what its key says is replaced: those bytes can only be damage.

    Returns:
        True when something was written.

    Raises:
        StoreAwayError: nothing was acknowledged.
    """
    if _put(key, sha256, body, condition=True):
        return True
    if problem_of(key, sha256) is None:
        return False
    return _put(key, sha256, body, condition=False)


def _put(key: str, sha256: str, body: "bytes | Path", *, condition: bool) -> bool:
    where = _address()
    more = {"IfNoneMatch": "*"} if condition else {}
    try:
        with _talking(), _opened(body) as stream:
            _client().put_object(
                Bucket=where.name,
                Key=where.prefix + key,
                Body=stream,
                ContentType="application/octet-stream",
                ChecksumSHA256=base64.b64encode(bytes.fromhex(sha256)).decode(),
                **more,
            )
    except StoreAwayError as said:
        if condition and said.code in _HERE_ALREADY:
            return False
        if condition and said.code in _NO_CONDITIONS:
            return problem_of(key, sha256) is not None and _put(key, sha256, body, condition=False)
        raise
    return True


@contextmanager
def _opened(body: "bytes | Path") -> Iterator[bytes | IO[bytes]]:
    if isinstance(body, bytes):
        yield body
        return
    with body.open("rb") as file:
        yield file


def fetch(key: str, sha256: str, into: IO[bytes]) -> str | None:
    """Copy an object into an open file and compare it on the way: LOST, CHANGED or None.

    Raises:
        StoreAwayError: the bucket did not give all of it.
    """
    digest = hashlib.sha256()
    try:
        for block in _blocks(key):
            digest.update(block)
            into.write(block)
    except StoreAwayError as said:
        if said.code in _ABSENT:
            return LOST
        raise
    return None if digest.hexdigest() == sha256 else CHANGED


def _blocks(key: str) -> Iterator[bytes]:
    where = _address()
    with _talking():
        answer = _client().get_object(Bucket=where.name, Key=where.prefix + key)
        with answer["Body"] as stream:
            while block := stream.read(BLOCK):
                yield block


def problem_of(key: str, sha256: str, *, whole: bool = False) -> str | None:
    """What is wrong with an object: LOST, CHANGED or None.

    The checksum that the bucket noted when the bytes came is believed, unless all of them are asked for; an object
    without one is read.

    Raises:
        StoreAwayError: the bucket did not answer.
    """
    noted = None if whole else _noted_checksum(key)
    if noted == LOST:
        return LOST
    if noted:
        return None if noted == sha256 else CHANGED
    with open(os.devnull, "wb") as nowhere:
        return fetch(key, sha256, nowhere)


def _noted_checksum(key: str) -> str | None:
    """The checksum that the bucket keeps with an object; LOST without the object, None without a checksum."""
    where = _address()
    try:
        with _talking():
            answer = _client().head_object(Bucket=where.name, Key=where.prefix + key, ChecksumMode="ENABLED")
    except StoreAwayError as said:
        if said.code in _ABSENT:
            return LOST
        raise
    noted = answer.get("ChecksumSHA256")
    if not noted or answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    return base64.b64decode(noted).hex()


def sizes(below: str = "") -> dict[str, int]:
    """The size of every object by its key below the prefix, a thousand in each request.

    Raises:
        StoreAwayError: the bucket did not list all of them.
    """
    where = _address()
    found: dict[str, int] = {}
    with _talking():
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=where.name, Prefix=where.prefix + below)
        for page in pages:
            for entry in page.get("Contents", ()):
                found[entry["Key"].removeprefix(where.prefix)] = entry["Size"]
    return found


def remove(asset: str) -> int:
    """Remove every object of an asset, frames of other compressors included; returns how many there were.

    Raises:
        StoreAwayError: not all of them were removed.
    """
    where = _address()
    keys = list(sizes(folder_of(asset)))
    with _talking():
        for key in keys:
            _client().delete_object(Bucket=where.name, Key=where.prefix + key)
    return len(keys)


def problem() -> str | None:
    """Why the bucket cannot be used, in words for whoever runs the product; None when it answers.

    It is asked every few seconds at most, however often somebody wants to know.
    """
    if time.monotonic() - _rest.asked_at >= ASKED_S:
        _rest.said, _rest.asked_at = _ask(), time.monotonic()
    return _rest.said


def _ask() -> str | None:
    where = _address()
    _rest.until = 0.0
    try:
        with _talking():
            _client().list_objects_v2(Bucket=where.name, Prefix=where.prefix, MaxKeys=1)
    except StoreAwayError as said:
        return f"object storage {'refuses MedGEN' if said.refused else 'unreachable'} ({said.code})"
    return None


def is_open_to_strangers() -> bool:
    """Whether the bucket lists its objects to somebody without keys.

    Raises:
        StoreAwayError: it did not answer.
    """
    from botocore import UNSIGNED

    where = _address()
    try:
        with _talking():
            _made(UNSIGNED).list_objects_v2(Bucket=where.name, Prefix=where.prefix, MaxKeys=1)
    except StoreAwayError as said:
        if said.refused:
            return False
        raise
    return True


def _address() -> Address:
    found = address()
    assert found is not None, "no bucket is set"
    return found


@contextmanager
def _talking() -> Iterator[None]:
    """Turn what the client raises into `StoreAwayError`; after a failure nobody waits for the bucket for a while."""
    from botocore.exceptions import BotoCoreError, ClientError

    if time.monotonic() < _rest.until:
        raise StoreAwayError("resting")
    try:
        yield
    except ClientError as problem:
        code = str(problem.response.get("Error", {}).get("Code", ""))
        status = int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        refused = MOVED <= status < BROKEN and status != HTTPStatus.TOO_MANY_REQUESTS
        if not refused and status != HTTPStatus.NOT_IMPLEMENTED:
            _rest.until = time.monotonic() + REST_S
        raise StoreAwayError(code, refused=refused) from problem
    except BotoCoreError as problem:
        _rest.until = time.monotonic() + REST_S
        raise StoreAwayError(type(problem).__name__) from problem


def _client() -> Any:
    """A client of this process; it may be used by several threads."""
    with _making:
        return _kept(os.getpid(), _endpoint())


@lru_cache(maxsize=4)
def _kept(_process: int, _endpoint: str) -> Any:
    return _made(None)


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")


def _made(signature: Any) -> Any:
    import boto3
    from botocore.config import Config

    style = "path" if _endpoint() else "auto"
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=16,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": style, "payload_signing_enabled": True},
        signature_version=signature,
    )
    return boto3.session.Session().client("s3", config=config)
