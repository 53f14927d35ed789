"""Which values both databases keep unchanged.

| value | SQLite alone | PostgreSQL alone | here, on both |
|---|---|---|---|
| NUL in a text or in JSON | stored | DataError | refused |
| half a character (a lone surrogate) | UnicodeEncodeError | UnicodeEncodeError | refused |
| text over `max_length` | stored | DataError | refused |
| whole number over the column's range | stored | DataError | refused |
| NaN | stored as NULL | stored | refused |
| infinity | stored | stored | refused |
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import DataError, models
from django.db.backends.base.operations import BaseDatabaseOperations

PATTERN_LIMIT = 10_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_RANGES = BaseDatabaseOperations.integer_field_ranges


class UnstorableValueError(DataError):
    """A value that not both databases keep as it is; the message names the field, the value and the rule."""


@dataclass(frozen=True)
class Limits:
    """What a column takes."""

    name: str
    max_length: int | None
    whole: tuple[int, int] | None
    is_json: bool


@cache
def limits_of(field: "models.Field[Any, Any]") -> Limits:
    """The limits of a field; a foreign key has those of the key it points to."""
    target: Any = field
    while target.is_relation:
        target = target.target_field
    kind = target.get_internal_type()
    return Limits(
        name=f"{field.model._meta.verbose_name}: {field.verbose_name}",
        max_length=target.max_length if isinstance(target, models.CharField) else None,
        whole=_RANGES.get(kind),
        is_json=isinstance(target, models.JSONField),
    )


def check(field: "models.Field[Any, Any]", value: Any) -> None:
    """Refuse a value that not both databases keep as it is.

    Raises:
        UnstorableValueError: with field, value and rule in words.
    """
    if isinstance(value, str):
        limits = limits_of(field)
        if rule := _text_rule(value, limits.max_length):
            raise UnstorableValueError(f"{limits.name}: {_shown(value)}: {rule}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        limits = limits_of(field)
        if rule := _number_rule(value, limits.whole):
            raise UnstorableValueError(f"{limits.name}: {value}: {rule}")
    elif isinstance(value, dict | list) and limits_of(field).is_json and (rule := _json_rule(value)):
        raise UnstorableValueError(f"{limits_of(field).name}: {rule}")


def matches_nothing(value: Any) -> bool:
    """Whether no stored value can equal, hold or start with this one."""
    if isinstance(value, str):
        return len(value) > PATTERN_LIMIT or _UNSTORABLE.search(value) is not None
    return isinstance(value, float) and not math.isfinite(value)


def _text_rule(text: str, max_length: int | None = None) -> str:
    if found := _UNSTORABLE.search(text):
        return "must not hold NUL" if found.group() == "\0" else "must not hold half a character (a lone surrogate)"
    if max_length is not None and len(text) > max_length:
        return f"has {len(text):,} characters, the limit is {max_length:,}"
    return ""


def _number_rule(number: float, whole: tuple[int, int] | None) -> str:
    if isinstance(number, float) and not math.isfinite(number):
        return "must be a finite number"
    if whole is not None and not whole[0] <= number <= whole[1]:
        return f"must be from {whole[0]} to {whole[1]}"
    return ""


def _json_rule(value: Any) -> str:
    """The first rule that something inside breaks; depth costs no stack."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            waiting += [*inner.keys(), *inner.values()]
        elif isinstance(inner, list | tuple):
            waiting += inner
        elif isinstance(inner, str):
            if rule := _text_rule(inner):
                return f"{_shown(inner)}: {rule}"
        elif isinstance(inner, float) and (rule := _number_rule(inner, None)):
            return f"{inner}: {rule}"
    return ""


def _shown(text: str) -> str:
    visible = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:41])
    return visible if len(text) <= 40 else f"{visible[:40]}…"
