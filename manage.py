#!/usr/bin/env python
"""Run MedGEN's commands: `python manage.py help` lists them."""

import os
import sys
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from medgen.trouble import trouble_of


def main() -> int:
    """Run the command line; a home that cannot be used is said in words."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medgen.settings")
    for place, word in enumerate(sys.argv):
        if not word.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in word):
            print(f"argument {place}: {word!r}: bytes that are not UTF-8", file=sys.stderr)
            return 2
    try:
        import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        print(problem, file=sys.stderr)
        return 2
    except Exception as problem:
        trouble = trouble_of(problem)
        if trouble is None:
            raise
        print(trouble.words, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
