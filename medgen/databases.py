"""Where the rows are kept: a SQLite file in the home, or the PostgreSQL database that `DATABASE_URL` names."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE, POSTGRESQL = "medgen.engines.sqlite", "medgen.engines.postgresql"
_KINDS = {"django.db.backends.sqlite3": SQLITE, "django.db.backends.postgresql": POSTGRESQL}
KEPT_OPEN_SECONDS = 60
LOCK_SECONDS = 20
CONNECT_SECONDS = 5
SHAPE = "postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:////FOLDER/FILE.sqlite3"
LIMITS = {
    "statement_timeout": "120s",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "idle_in_transaction_session_timeout": "300s",
    "timezone": "UTC",
}


def database(url: str, *, home: Path) -> dict[str, Any]:
    """The entry of DATABASES for an address; none means the SQLite file of the home.

    Raises:
        ImproperlyConfigured: the address cannot be read, names another kind of database, or names no database.
    """
    if not url:
        return _sqlite(home / "medgen.sqlite3")
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError as problem:
        raise ImproperlyConfigured(
            f"DATABASE_URL: cannot be read; it has the shape {SHAPE}, with any of %:/?#@ in a password written as "
            "%25 %3A %2F %3F %23 %40"
        ) from problem
    engine = _KINDS.get(parsed["ENGINE"])
    if engine is None:
        kind = url.partition(":")[0]
        raise ImproperlyConfigured(f"DATABASE_URL: {kind}: MedGEN runs on PostgreSQL or SQLite, as {SHAPE}")
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL: names no database; it has the shape {SHAPE}")
    if engine == SQLITE:
        return _sqlite(Path(parsed["NAME"]), timeout=_timeout(parsed.get("OPTIONS", {})))
    return _postgresql(parsed)


def _timeout(options: dict[str, Any]) -> float:
    """How long SQLite waits for a lock, `?timeout=` seconds: the one parameter that its address takes."""
    if options.keys() - {"timeout"} or not str(options.get("timeout", LOCK_SECONDS)).isdecimal():
        raise ImproperlyConfigured("DATABASE_URL: a SQLite file takes only ?timeout=SECONDS, a whole number")
    return float(options.get("timeout", LOCK_SECONDS))


def _sqlite(file: Path, *, timeout: float = LOCK_SECONDS) -> dict[str, Any]:
    return {
        "ENGINE": SQLITE,
        "NAME": file,
        "CONN_MAX_AGE": KEPT_OPEN_SECONDS,
        "OPTIONS": {
            "timeout": timeout,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA recursive_triggers=ON;"
                "PRAGMA mmap_size=134217728;PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-20000;"
            ),
        },
        "TEST": {"NAME": ":memory:"},
    }


def _postgresql(parsed: dict[str, Any]) -> dict[str, Any]:
    """Limits are given at the start of a connection; those in the address come later and win."""
    given = parsed.get("OPTIONS", {})
    limits = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    options = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "application_name": "medgen",
        **given,
        "options": f"{limits} {given.get('options', '')}".strip(),
    }
    kept = {"ENGINE": POSTGRESQL, "CONN_MAX_AGE": KEPT_OPEN_SECONDS, "CONN_HEALTH_CHECKS": True}
    return {**parsed, **kept, "OPTIONS": options}
