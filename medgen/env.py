"""Typed readers of environment variables; each refuses a value it cannot read."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The variable's value, blanks trimmed, or the default."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    """A switch: 1, true, yes, on against 0, false, no, off."""
    value = text(name).casefold()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}: '{value}' is neither yes nor no")


def path(name: str, default: Path) -> Path:
    """A folder or file, made absolute."""
    value = text(name)
    return Path(value).expanduser().resolve() if value else default


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def choice(name: str, offered: tuple[str, ...]) -> str:
    """One of the offered words, whatever its case; the first when nothing is set."""
    value = text(name, offered[0])
    for word in offered:
        if word.casefold() == value.casefold():
            return word
    raise ImproperlyConfigured(f"{name}: '{value}' is not one of {', '.join(offered)}")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number, not below `least`."""
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name}: '{value}' is not a whole number from {least}")
    return int(value)
