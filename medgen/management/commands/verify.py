"""Check every checksum and the trail; or one backup."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.reporting import ProgressBar
from medgen.backups import reading
from medgen.backups.errors import BackupError
from medgen.verification import heads_of_backup, verify

SHOWN = 200


class Command(BaseCommand):
    help = "Check database, assets, releases, handed-out files and trail; exit 1 when anything differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--backup", type=Path, metavar="ARCHIVE", help="check this backup instead of the home")
        parser.add_argument("--since", type=Path, metavar="ARCHIVE", help="a backup whose trail must still be there")
        parser.add_argument(
            "--whole",
            action="store_true",
            help="with object storage, read every byte of it, not only names and sizes",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        said = (
            self._backup(options["backup"])
            if options["backup"]
            else self._home(options["since"], whole=options["whole"])
        )
        if options["json"]:
            self.stdout.write(json.dumps({"findings": said}, ensure_ascii=False))
        elif not said:
            self.stdout.write("Every checksum matched.")
        if said:
            shown = "\n".join(f"{row['area']} {row['subject']}: {row['problem']}" for row in said[:SHOWN])
            more = f"\n… and {len(said) - SHOWN} more; --json has them all" if len(said) > SHOWN else ""
            raise CommandError(f"{len(said)} differ:\n{shown}{more}")

    def _home(self, since: Path | None, *, whole: bool) -> list[dict[str, str]]:
        try:
            known = heads_of_backup(since) if since else []
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        with ProgressBar(sys.stderr) as bar:
            return [finding.as_json() for finding in verify(bar, known, whole=whole)]

    def _backup(self, path: Path) -> list[dict[str, str]]:
        try:
            with reading.opened(path) as (archive, manifest):
                found = reading.problems(archive, manifest)
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        return [{"area": "backup", "subject": path.name, "problem": problem} for problem in found]
