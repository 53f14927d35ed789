"""Restore a backup into an empty home."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.reporting import ProgressBar
from medgen.backups.errors import BackupError
from medgen.backups.restoring import restore


class Command(BaseCommand):
    help = (
        "Restore a backup into this home and its database, both empty: MEDGEN_HOME and DATABASE_URL say which. "
        "A backup of one kind of database can be restored into the other."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("archive", type=Path)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ProgressBar(sys.stderr) as bar:
                manifest = restore(options["archive"], progress=bar)
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        n_rows = sum(table["rows"] for table in manifest["tables"])
        if options["json"]:
            said = {"made_at": manifest["made_at"], "version": manifest["version"], "rows": n_rows}
            self.stdout.write(json.dumps(said | {"files": len(manifest["files"])}))
            return
        self.stdout.write(
            f"Restored {n_rows:,} rows and {len(manifest['files']):,} files as they were on {manifest['made_at']}; "
            "every checksum matched. Sessions are not restored: everybody signs in again."
        )
        if manifest["key"] == "in the environment":
            self.stdout.write("Start the product with the SECRET_KEY of the old home.")
