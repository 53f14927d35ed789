"""What commands that print the numbers of one study have in common."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.studies.models import Study


class StudyCommand(BaseCommand):
    """Takes a study and `--json`; a subclass finds the numbers and tells them in words."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="slug")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = Study.objects.get(slug=options["study"])
        except Study.DoesNotExist as problem:
            raise CommandError(f"study: {options['study']!r}: unknown", returncode=2) from problem
        found = self.find(study)
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.tell(found)

    def find(self, study: Study) -> dict[str, Any]:
        raise NotImplementedError

    def tell(self, found: dict[str, Any]) -> None:
        raise NotImplementedError
