#!/usr/bin/env python
"""Run MedGEN's commands: `python manage.py help` lists them."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError


def main() -> int:
    """Run the command line; a home without tables is said in words."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as problem:
        if "no such table" not in str(problem) and "no such column" not in str(problem):
            raise
        print(
            "The database of this home is not set up, or older than this program. Bring it up to date with:\n\n"
            "    python manage.py migrate",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
