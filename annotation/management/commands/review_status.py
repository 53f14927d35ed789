"""Where the curation of a dataset stands."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.curation.services import review_status
from annotation.datasets.models import Dataset


class Command(BaseCommand):
    help = "Curation counts of a dataset by state and reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dataset = Dataset.objects.get(slug=options["dataset"])
        except Dataset.DoesNotExist as problem:
            raise CommandError(f"dataset: {options['dataset']!r}: unknown", returncode=2) from problem
        status = review_status(dataset)
        if options["json"]:
            self.stdout.write(json.dumps(status))
            return
        self.stdout.write(f"{dataset.slug}: {status['items']} items")
        if status["in_quarantine"]:
            self.stdout.write(f"  {'images in quarantine':<20} {status['in_quarantine']:>8,}")
        for heading in ("states", "reasons"):
            for word, n in status[heading].items():
                self.stdout.write(f"  {word:<20} {n:>8,}")
