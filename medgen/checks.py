"""Start-up checks: what is missing is said in words, with the command that mends it."""

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def home_is_writable(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The home holds the database, the assets and the key."""
    home = settings.MEDGEN_HOME
    home.mkdir(parents=True, exist_ok=True)
    if os.access(home, os.W_OK):
        return []
    return [Error(f"{home} is not writable", hint="Set MEDGEN_HOME to a folder you own.", id="medgen.E001")]
