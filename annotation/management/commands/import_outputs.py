"""Import outputs: `import_outputs PATH --dataset SLUG [--release V] --system SLUG [--system-version V] …`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.formats import LAYOUTS
from annotation.management.reporting import ProgressBar, finish, run_import
from annotation.systems.coverage import coverage, total
from annotation.systems.importing import import_outputs
from annotation.systems.models import System


class Command(BaseCommand):
    help = "Read what a system generated into its submission for a release, and show what it covers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a JSONL file of results, or a folder of them")
        parser.add_argument("--dataset", required=True, metavar="SLUG")
        parser.add_argument("--release", metavar="VERSION", help="without it: the current revisions, metrics only")
        parser.add_argument("--system", required=True, metavar="SLUG")
        parser.add_argument("--system-name", default="", metavar="NAME")
        parser.add_argument("--system-version", default="", metavar="V")
        parser.add_argument("--system-kind", choices=System.Kind.values, help="of a new system; default unified")
        parser.add_argument("--format", default="auto", choices=LAYOUTS, dest="layout")
        parser.add_argument("--images", type=Path, metavar="DIR", help="where the images are, if not beside")
        parser.add_argument("--dry-run", action="store_true", help="read, decode and match; write nothing")
        parser.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        known = System.objects.filter(slug=options["system"]).first()
        kind = options["system_kind"] or (known.kind if known else System.Kind.UNIFIED.value)
        with ProgressBar(sys.stderr) as progress:
            summary = run_import(
                lambda: import_outputs(
                    path=options["path"],
                    dataset_slug=options["dataset"],
                    release_version=options["release"],
                    system_slug=options["system"],
                    system_name=options["system_name"],
                    system_version=options["system_version"],
                    system_kind=kind,
                    actor=None,
                    layout=options["layout"],
                    images=options["images"],
                    dry_run=options["dry_run"],
                    progress=progress,
                )
            )
        finish(
            summary,
            target=f"system {options['system']}",
            as_json=options["json"],
            dry_run=options["dry_run"],
            out=self.stdout,
            covered=total(coverage(summary.submission)) if summary.submission else None,
        )
