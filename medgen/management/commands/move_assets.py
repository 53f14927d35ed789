"""Take all pictures into the bucket, or back into the folder."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.assets import bucket
from annotation.management.reporting import ProgressBar
from medgen import asset_moves

SHOWN = 200


class Command(BaseCommand):
    help = (
        "Copy the files of all pictures from the folder MEDGEN_ASSETS into the bucket MEDGEN_OBJECT_STORAGE, or "
        "back. Every file is compared with its checksum, nothing is removed, what is there already is left alone: "
        "run it again after it was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("direction", choices=["to-bucket", "to-folder"])
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if bucket.address() is None:
            raise CommandError(
                "No bucket is set: name one in MEDGEN_OBJECT_STORAGE, in both directions.", returncode=2
            )
        back = options["direction"] == "to-folder"
        if back and settings.MEDGEN_ASSETS_LIMIT:
            raise CommandError("The folder has a limit: take MEDGEN_ASSETS_LIMIT away first.", returncode=2)
        with ProgressBar(sys.stderr) as bar:
            moved = (asset_moves.to_folder if back else asset_moves.to_bucket)(bar)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(moved)))
        else:
            where = "folder" if back else "bucket"
            self.stdout.write(
                f"{moved.copied:,} files copied ({moved.copied_bytes:,} bytes), {moved.there:,} were in the {where}."
            )
        if moved.problems:
            shown = "\n".join(moved.problems[:SHOWN])
            more = f"\n… and {len(moved.problems) - SHOWN:,} more" if len(moved.problems) > SHOWN else ""
            raise CommandError(f"{len(moved.problems):,} files are nowhere whole:\n{shown}{more}")
