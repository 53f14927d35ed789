"""The folder that holds a home: made for its owner only, checked before anything is read, with its key."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_LENGTH = 32


def prepare(home: Path, setting: str = "MEDGEN_HOME") -> None:
    """Make the folder that a setting names, closed to other accounts of the machine, or use the one that is there.

    Raises:
        ImproperlyConfigured: it cannot be made, or not be written to.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(f"{setting}: {home}: cannot be made ({problem.strerror})") from problem
    if not os.access(home, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{setting}: {home}: cannot be written to; choose a folder of your own")


def secret_key(home: Path, given: str) -> str:
    """The key given by the environment, else one made once and kept in the home, readable by its owner only.

    Raises:
        ImproperlyConfigured: the key is too short to sign anything, or cannot be read.
    """
    if given:
        return _long_enough(given, "SECRET_KEY")
    file = home / "secret.key"
    try:
        if not file.exists():
            _make(file)
        return _long_enough(file.read_text(encoding="ascii").strip(), str(file))
    except (OSError, UnicodeDecodeError) as problem:
        raise ImproperlyConfigured(f"{file}: cannot be read or made ({problem})") from problem


def _long_enough(key: str, source: str) -> str:
    if len(key) < KEY_LENGTH:
        raise ImproperlyConfigured(
            f"{source}: has {len(key)} characters, a key needs {KEY_LENGTH} or more. "
            "Put the right one back; a new key ends all sessions and changes how patients' ids are replaced"
        )
    return key


def _make(file: Path) -> None:
    """Written whole before it gets its name, so that no second process meets half a key."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        with draft.open("w", encoding="ascii") as opened:
            opened.write(secrets.token_urlsafe(50))
            opened.flush()
            os.fsync(opened.fileno())
        file.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
