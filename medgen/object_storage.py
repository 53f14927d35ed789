"""Where the bucket is, from the environment: s3://BUCKET or s3://BUCKET/PREFIX."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from annotation.assets.bucket import Address

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*")


def address(text: str) -> Address | None:
    """The bucket named by MEDGEN_OBJECT_STORAGE; None when it is not set.

    Raises:
        ImproperlyConfigured: it cannot be read as a bucket with an optional prefix.
    """
    if not text:
        return None
    parts = urlsplit(text)
    prefix = parts.path.strip("/")
    if parts.scheme != "s3" or parts.query or parts.fragment or not _NAME.fullmatch(parts.netloc):
        raise ImproperlyConfigured(
            "MEDGEN_OBJECT_STORAGE: is not s3://BUCKET or s3://BUCKET/PREFIX; keys and endpoint belong into "
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
        )
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ImproperlyConfigured(f"MEDGEN_OBJECT_STORAGE: '{prefix}' has letters that are no good in a key")
    return Address(parts.netloc, f"{prefix}/" if prefix else "")
