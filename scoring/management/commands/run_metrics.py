"""Compute automated metrics that are missing or stale."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.systems.models import Submission
from annotation.work.executor import drain
from annotation.work.models import Job
from annotation.work.progress import progress_of
from annotation.work.services import cancel
from annotation.work.workers import start_one
from scoring.runs.errors import MetricsError
from scoring.runs.services import RunSummary
from scoring.runs.work import ask_for_metrics, summary_of

MOST_WORKERS = 64
WAIT_S = 0.2


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
        parser.add_argument("--workers", type=int, default=1, help="processes that work on it")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["submissions"]) == options["all"]:
            raise CommandError("name submissions, or say --all", returncode=2)
        chosen = (
            list(Submission.objects.all())
            if options["all"]
            else [submission_by_code(code) for code in options["submissions"]]
        )
        if not 1 <= options["workers"] <= MOST_WORKERS:
            raise CommandError(f"--workers: {options['workers']}: must be from 1 to {MOST_WORKERS}", returncode=2)
        codes = [code.strip() for code in options["metrics"].split(",") if code.strip()] or None
        try:
            job = ask_for_metrics(submissions=chosen, actor=None, metrics=codes, force=options["force"])
        except MetricsError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        try:
            self._work(job, options["workers"])
        except KeyboardInterrupt as problem:
            job.refresh_from_db()
            if job.is_open:
                cancel(job, None)
            raise CommandError("stopped; what is stored stays, run it again to go on") from problem
        summary = summary_of(job, chosen)
        self._say(summary, as_json=options["json"])
        job.refresh_from_db()
        if job.state != Job.State.DONE:
            raise CommandError(f"{job.get_state_display()}: {job.failure}")

    def _work(self, job: Job, workers: int) -> None:
        """Here, or in processes of their own, with a bar."""
        with tqdm(unit="output", file=sys.stderr, disable=None) as bar:

            def show() -> None:
                now = progress_of(job)
                bar.total = now.units
                bar.update(now.done_units - bar.n)

            helpers = [start_one(once=True) for _ in range(workers - 1)]
            try:
                while job.is_open:
                    drain(job=job, after=show)
                    job.refresh_from_db()
                    if job.is_open:
                        time.sleep(WAIT_S)
                        show()
            finally:
                for helper in helpers:
                    helper.terminate()
                    helper.wait()

    def _say(self, summary: RunSummary, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summary.__dict__))
            return
        self.stdout.write(
            f"{summary.n_computed:,} outputs computed, {summary.n_current:,} of {summary.n_outputs:,} were current, "
            f"{summary.n_undefined:,} values without a number (each with its reason)"
        )
