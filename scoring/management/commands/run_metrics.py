"""Compute automated metrics that are missing or stale."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.systems.models import Submission
from scoring.runs.errors import MetricsError
from scoring.runs.services import run_metrics


def submission_by_code(code: str) -> Submission:
    """A submission by its code (SU-0001) or id.

    Raises:
        CommandError: there is none.
    """
    digits = code.upper().removeprefix("SU-")
    found = Submission.objects.filter(number=int(digits)).first() if digits.isdecimal() else None
    if found is None:
        raise CommandError(f"submission: {code!r}: unknown; codes look like SU-0001", returncode=2)
    return found


class Command(BaseCommand):
    help = "Compute what is missing or stale; stop it whenever you like, the next run goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("submissions", nargs="*", metavar="SUBMISSION", help="codes such as SU-0001")
        parser.add_argument("--all", action="store_true", help="every submission")
        parser.add_argument("--metrics", default="", help="codes, separated by commas; default: all")
        parser.add_argument("--force", action="store_true", help="compute present values again")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["submissions"]) == options["all"]:
            raise CommandError("name submissions, or say --all", returncode=2)
        chosen = (
            list(Submission.objects.all())
            if options["all"]
            else [submission_by_code(code) for code in options["submissions"]]
        )
        codes = [code.strip() for code in options["metrics"].split(",") if code.strip()] or None
        bar = tqdm(unit="output", file=sys.stderr, disable=None)

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            summary = run_metrics(submissions=chosen, metrics=codes, force=options["force"], progress=progress)
        except MetricsError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        finally:
            bar.close()
        if options["json"]:
            self.stdout.write(json.dumps(summary.__dict__))
            return
        self.stdout.write(
            f"{summary.n_computed:,} outputs computed, {summary.n_current:,} of {summary.n_outputs:,} were current, "
            f"{summary.n_undefined:,} values without a number (each with its reason)"
        )
