"""Addresses of the interface for programs, by name."""

from typing import Any

from django.conf import settings
from django.urls import reverse


def api_address(name: str, *args: Any) -> str:
    return reverse(name, urlconf=settings.MEDGEN_API_URLCONF, args=args)
