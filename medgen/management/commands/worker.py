"""Do queued work: metrics, score sheets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.work.workers import Stop, keep_running, work_here
from medgen.schema import schema_problem

MOST = 64


class Command(BaseCommand):
    help = "Do queued work until stopped. `serve` brings one worker along; start more for more processors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=1)
        parser.add_argument("--once", action="store_true", help="end when nothing waits")
        parser.add_argument("--with-parent", action="store_true", help="end when the starting process does")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["processes"] <= MOST:
            raise CommandError(f"--processes: {options['processes']}: must be from 1 to {MOST}", returncode=2)
        problem = schema_problem()
        if problem:
            raise CommandError(problem)
        if options["processes"] == 1 or options["once"]:
            done = work_here(once=options["once"], with_parent=options["with_parent"])
            self.stdout.write(f"{done:,} parts done.")
            return
        self.stdout.write(f"{options['processes']} workers (Ctrl+C stops them after their part)")
        self.stdout.flush()
        keep_running(options["processes"], Stop(with_parent=options["with_parent"]))
