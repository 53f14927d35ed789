"""The demo world: load it into its own home and serve it."""

import shutil
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from medgen.demo_home import MARKER, is_demo_home

OWN_FILES = ("medgen.sqlite3", "medgen.sqlite3-wal", "medgen.sqlite3-shm", "assets")
NOTE = "This home holds MedGEN's demo world. Its grades are invented. `manage.py demo --reset` makes it anew.\n"


class Command(BaseCommand):
    help = "Load the demo world (real images, three invented systems, invented grades) and serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="only load")
        parser.add_argument("--reset", action="store_true", help="remove the demo's database and assets first")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        from medgen.server import AddressError, check_address, serve

        home = settings.MEDGEN_HOME
        self._refuse_foreign_home(home)
        if not options["no_serve"]:
            try:
                check_address(options["host"], options["port"])
            except AddressError as problem:
                raise CommandError(str(problem)) from problem
        home.mkdir(parents=True, exist_ok=True)
        (home / MARKER).write_text(NOTE, encoding="utf-8")
        if options["reset"]:
            self._reset(home)
        self._load()
        self._say_who(options)
        if not options["no_serve"]:
            self.stdout.flush()
            connection.close()
            serve(host=options["host"], port=options["port"])

    def _refuse_foreign_home(self, home: Path) -> None:
        """A home with a database that is not the demo's is somebody's work."""
        if is_demo_home() or not any((home / name).exists() for name in OWN_FILES):
            return
        raise CommandError(
            f"{home} holds data that is not the demo's; nothing was changed. Choose another folder for the demo: "
            "MEDGEN_HOME=/path/to/folder python manage.py demo"
        )

    def _reset(self, home: Path) -> None:
        connection.close()
        for name in OWN_FILES:
            path = home / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _load(self) -> None:
        from medgen.demo.load import load

        started = time.monotonic()
        call_command("migrate", verbosity=0, interactive=False)

        def say(step: str) -> None:
            self.stderr.write(f"  {time.monotonic() - started:5.1f} s  {step}")

        load(say)
        say("ready")

    def _say_who(self, options: dict[str, Any]) -> None:
        from medgen.demo.cast import CAST, PASSWORD

        self.stdout.write("The demo world is ready. Its grades are invented.\n\n")
        for member in CAST:
            self.stdout.write(f"  {member.username:<12} {member.does}")
        self.stdout.write(f"\nEverybody's password is  {PASSWORD}\n")
        if not options["no_serve"]:
            self.stdout.write(f"\nOpen http://{options['host']}:{options['port']}/  (Ctrl+C stops it)\n")
