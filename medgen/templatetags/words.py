"""Small words and numbers for pages: rounding happens here and in workbooks, nowhere earlier."""

import json
from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def number(value: float | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals; nothing is shown as an en dash, never as 0."""
    return "–" if value is None else f"{value:.{digits}f}"


@register.filter
def percent(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f} %"


@register.filter
def count(value: int | None) -> str:
    """12345 as 12,345."""
    return "–" if value is None else f"{value:,}"


@register.filter
def duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "–"
    return str(timedelta(seconds=round(milliseconds / 1000)))


@register.simple_tag
def query(request_get: Any, **changes: Any) -> str:
    """The present query string with some parameters changed; None removes one."""
    parameters = request_get.copy()
    for key, value in changes.items():
        if value is None:
            parameters.pop(key, None)
        else:
            parameters[key] = value
    return f"?{parameters.urlencode()}"


@register.filter
def badge(state: str, label: str = "") -> SafeString:
    """A state as a badge: its word is always there, color is never the only sign."""
    return format_html('<span class="badge {}">{}</span>', state.replace("_", "-"), label or state.replace("_", " "))


@register.filter
def as_json(value: Any) -> str:
    """For a `data-` attribute that a script reads; the template escapes it."""
    return json.dumps(value)
