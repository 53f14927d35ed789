"""Serve the product on an own or empty home."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from annotation.people.models import User
from medgen.schema import schema_problem


class Command(BaseCommand):
    help = "Bring the database up to date and serve the product (home: MEDGEN_HOME, default var/)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        from medgen.server import AddressError, check_address, serve

        try:
            check_address(options["host"], options["port"])
        except AddressError as problem:
            raise CommandError(str(problem)) from problem
        unfit = schema_problem(may_migrate=True)
        if unfit:
            raise CommandError(unfit)
        call_command("migrate", verbosity=0, interactive=False)
        if not User.objects.filter(is_operator=True, is_active=True).exists():
            self.stdout.write(
                "Nobody can sign in yet. In another terminal, make the first operator:\n\n"
                "    .venv/bin/python manage.py people add YOUR-NAME --operator --curator --study-creator\n"
            )
        self.stdout.write(f"MedGEN on http://{options['host']}:{options['port']}/  (Ctrl+C stops it)")
        self.stdout.flush()
        connection.close()
        serve(host=options["host"], port=options["port"])
