"""Links of a chain: the canonical form of facts, its checksum, and the checksum of one event. Pure.

A chain is a line of events in which each carries the checksum of the one before, so that a row that is altered,
removed, added or moved is seen by whoever computes the checksums again. `medgen/verify_trail.py` does the same
with nothing but Python; `docs/trail.md` defines the form for any other language.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SITE = "site"
"""The chain of everything that belongs to no study."""
FACTS = ("chain", "sequence", "at", "actor", "verb", "subject_type", "subject_id", "details", "previous_hash")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, without spaces, ASCII only, whole numbers without a fraction.

    Both databases give numbers back in their own ways (PostgreSQL returns 1e22 as a whole number), hence the last.

    Raises:
        ValueError: NaN or an infinity.
        TypeError: something that is not JSON.
    """
    plain = json.loads(json.dumps(value, allow_nan=False))
    return json.dumps(_whole(plain), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def moment(at: datetime) -> str:
    """UTC to the microsecond: `2026-03-01T08:15:00.000000+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def link_hash(facts: Mapping[str, Any]) -> str:
    """Checksum of one event.

    Args:
        facts: the nine `FACTS`; `at` as a moment with time zone or already in words, the first link follows "".
    """
    named = {name: facts[name] for name in FACTS}
    if isinstance(named["at"], datetime):
        named["at"] = moment(named["at"])
    return digest(named)
