"""Write the trail of a study to a file that anybody can check."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.grading.trail import TrailError, export_trail
from annotation.studies.models import Study


class Command(BaseCommand):
    help = "The hash chain of a study with all its grades, for medgen/verify_trail.py (docs/trail.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY")
        parser.add_argument("out", metavar="OUT.jsonl", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a file that exists")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"{options['study']}: there is no such study", returncode=2)
        out: Path = options["out"]
        if out.exists() and not options["force"]:
            raise CommandError(f"{out}: exists already; use --force to replace it", returncode=2)
        try:
            written = export_trail(study=study, out=out, actor=None)
        except TrailError as problem:
            raise CommandError(str(problem), returncode=1) from problem
        if options["json"]:
            self.stdout.write(json.dumps(asdict(written) | {"path": str(out)}))
            return
        self.stdout.write(
            f"{out}: {written.events:,} links and {written.grades:,} grades, up to link {written.sequence} "
            f"{written.hash}\nIt holds what readers wrote. Check it with: python medgen/verify_trail.py {out}"
        )
