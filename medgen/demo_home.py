"""Is this home the demo? A marker file in the home says so, so that no demo number is taken for a result."""

from django.conf import settings

MARKER = "demo.txt"


def is_demo_home() -> bool:
    """True when the home carries the demo marker."""
    return (settings.MEDGEN_HOME / MARKER).exists()
