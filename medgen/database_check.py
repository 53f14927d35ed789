"""Start-up check: a PostgreSQL that cannot be used is said in words, with what to do."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.db import OperationalError, connection

OLDEST_POSTGRESQL = 14
UTF8 = "UTF8"
MAKE = "createdb --owner NAME --encoding UTF8 --locale C.UTF-8 --template template0 NAME"
HINT = f"Make the database anew, and move with backup and restore: {MAKE}."
_HINTS = {
    "password authentication failed": "The user name or password in DATABASE_URL is not right.",
    "does not exist": f"Make it: createuser --pwprompt NAME; {MAKE}.",
    "onnection refused": "Nothing listens at the host and port of DATABASE_URL. Is PostgreSQL started?",
    "timeout expired": "Nothing answers at the host and port of DATABASE_URL. Is a firewall between?",
    "could not translate host name": "The host in DATABASE_URL is not known on this machine.",
    "failed to resolve host": "The host in DATABASE_URL is not known on this machine.",
    "no pg_hba.conf entry": "Let PostgreSQL's pg_hba.conf admit this user from this machine to this database.",
}


@register()
def postgresql_is_usable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reachable, recent and in UTF-8; nothing is asked of SQLite."""
    if connection.vendor != "postgresql":
        return []
    try:
        version, encoding, sorts_alike, folds_alike = _facts()
    except OperationalError as problem:
        said = str(problem).strip()
        hint = next((hint for words, hint in _HINTS.items() if words in said), "DATABASE_URL names the database.")
        return [Error(f"the PostgreSQL database cannot be reached: {said}", hint=hint, id="medgen.E010")]
    found: list[CheckMessage] = []
    if version < OLDEST_POSTGRESQL * 10_000:
        found.append(
            Error(f"PostgreSQL {version // 10_000} is too old; {OLDEST_POSTGRESQL} or newer", id="medgen.E011")
        )
    if encoding != UTF8:
        found.append(Error(f"the database keeps text as {encoding}, not {UTF8}", hint=HINT, id="medgen.E012"))
    if not sorts_alike:
        words = "the database sorts text by the rules of a language; lists differ from those on SQLite"
        found.append(Warning(words, hint=HINT, id="medgen.W010"))
    if not folds_alike:
        words = "the database knows capitals of English letters only; searches miss others"
        found.append(Warning(words, hint=HINT, id="medgen.W011"))
    return found


def _facts() -> tuple[int, str, bool, bool]:
    """Version, encoding, whether capitals come before small letters, whether letters beyond English have capitals."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), 'B' < 'a'"
        )
        version, encoding, sorts = cursor.fetchone()
        folds = True
        if encoding == UTF8:
            cursor.execute("SELECT upper(chr(233)) = chr(201)")
            (folds,) = cursor.fetchone()
    return int(version), str(encoding), bool(sorts), bool(folds)
