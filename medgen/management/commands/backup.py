"""Make a backup while the product runs."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.reporting import ProgressBar
from medgen.backups.errors import BackupError
from medgen.backups.writing import make_backup


class Command(BaseCommand):
    help = "Write database, assets, score sheets and key into one archive, while people work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("out", type=Path, help="the archive, or a folder in which it gets a name with the time")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ProgressBar(sys.stderr) as bar:
                made = make_backup(options["out"], progress=bar)
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        n_rows = sum(table["rows"] for table in made["tables"])
        if options["json"]:
            said = {name: made[name] for name in ("path", "size", "sha256", "made_at", "version", "key", "chains")}
            self.stdout.write(json.dumps(said | {"rows": n_rows, "files": len(made["files"])}))
            return
        self.stdout.write(
            f"{made['path']}: {n_rows:,} rows of {len(made['tables'])} tables and {len(made['files']):,} files, "
            f"{made['size']:,} bytes\nsha256 {made['sha256']}"
        )
        if made["missing"]:
            self.stdout.write(
                f"{len(made['missing']):,} files of pictures are not in it, because the bucket has not got them "
                "whole; `verify` names them."
            )
        if made["key"] == "in the environment":
            self.stdout.write("SECRET_KEY comes from the environment: keep it with this backup, it is not inside.")
        else:
            self.stdout.write("The home's key is inside: keep the archive where only operators can read it.")
