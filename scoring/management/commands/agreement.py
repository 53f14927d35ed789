"""Agreement between the readers of a study."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.studies.models import Study
from scoring.agreement.services import agreement


class Command(BaseCommand):
    help = "Every agreement coefficient with interval, n and the number missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="slug")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = Study.objects.get(slug=options["study"])
        except Study.DoesNotExist as problem:
            raise CommandError(f"study: {options['study']!r}: unknown", returncode=2) from problem
        found = agreement(study)
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for row in found["criteria"]:
            alpha = row["alpha"]
            said = alpha["reason"] if alpha["value"] is None else f"{alpha['value']:.3f}"
            if alpha["low"] is not None:
                said += f" [{alpha['low']:.3f}, {alpha['high']:.3f}]"
            self.stdout.write(f"{row['code']:<40} alpha ({found['level']}) {said}   n {row['n_shared']}")
