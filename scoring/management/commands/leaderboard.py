"""The leaderboard of a release, or of one study."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.studies.models import Study
from scoring.leaderboards.services import leaderboard


class Command(BaseCommand):
    help = "Systems ranked with intervals; a preview until the study is locked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("of", metavar="DATASET[@VERSION]")
        parser.add_argument("--study", default="", help="which study, when the release has several")
        parser.add_argument("--by", choices=["format"], help="one board per format")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        board = leaderboard(self._study(options["of"], options["study"]))
        if options["by"] == "format":
            board["systems_by_format"] = {one["format"]: one["systems"] for one in board["formats"]}
        if options["json"]:
            self.stdout.write(json.dumps(board))
            return
        for row in board["systems"]:
            value = "–" if row["composite"] is None else f"{row['composite']:.3f}"
            span = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
            self.stdout.write(
                f"{row['rank'] or '–':>3}  {row['code']:<4} {value}{span}  {row['n_scored']} scored, "
                f"{row['n_failed']} failed, {row['n_missing']} missing, {row['n_vetoed']} vetoed, "
                f"{row['n_refuted']} refuted, {row['n_pending']} flags pending"
            )
        if board["preview"]:
            self.stdout.write("Preview: the study is not locked.")

    def _study(self, name: str, slug: str) -> Study:
        dataset, _, version = name.partition("@")
        studies = Study.objects.filter(release__dataset__slug=dataset)
        if version:
            studies = studies.filter(release__version=version)
        if slug:
            studies = studies.filter(slug=slug)
        found = list(studies.order_by("created_at"))
        if not found:
            raise CommandError(f"{name!r}: no study{f' {slug!r}' if slug else ''} of this release", returncode=2)
        if len(found) > 1:
            names = ", ".join(study.slug for study in found)
            raise CommandError(f"{name!r} has several studies: say --study with one of {names}", returncode=2)
        return found[0]
