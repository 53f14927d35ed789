"""Freeze a release of a dataset."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.datasets.models import Dataset
from annotation.releases import services
from annotation.releases.errors import FreezeError


class Command(BaseCommand):
    help = "Freeze the accepted items of a dataset into a release that never changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("version")
        parser.add_argument("--check", action="store_true", help="only report what stands in the way")
        parser.add_argument("--validated-elsewhere", default="", metavar="SOURCE", help="who validated the dataset")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dataset = Dataset.objects.get(slug=options["slug"])
        except Dataset.DoesNotExist as problem:
            raise CommandError(f"dataset: {options['slug']!r}: unknown", returncode=2) from problem
        elsewhere = options["validated_elsewhere"]
        if options["check"]:
            found = services.blockers(dataset=dataset, version=options["version"], validated_elsewhere=elsewhere)
            if options["json"]:
                self.stdout.write(json.dumps({"blockers": found}))
            elif not found:
                self.stdout.write("Nothing stands in the way.")
            if found:
                raise CommandError("\n".join(found))
            return
        try:
            release = services.freeze_release(
                dataset=dataset, version=options["version"], actor=None, validated_elsewhere=elsewhere
            )
        except FreezeError as problem:
            raise CommandError("\n".join(problem.blockers)) from problem
        n = release.release_items.count()
        if options["json"]:
            self.stdout.write(json.dumps({"release": str(release), "items": n, "content_hash": release.content_hash}))
        else:
            self.stdout.write(
                f"{release}: {n:,} items, {release.validation_words}\ncontent hash {release.content_hash}"
            )
