"""Import items: `import_items PATH --dataset SLUG [--format auto|…] [--images DIR] [--dry-run] [--json]`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.datasets.importing import import_items
from annotation.formats import LAYOUTS
from annotation.management.reporting import ProgressBar, finish, run_import


class Command(BaseCommand):
    help = "Read benchmark items from a file or folder into a dataset, which is made when it is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a JSONL or parquet file, or a folder of them")
        parser.add_argument("--dataset", required=True, metavar="SLUG")
        parser.add_argument("--format", default="auto", choices=LAYOUTS, dest="layout")
        parser.add_argument("--images", type=Path, metavar="DIR", help="where the images are, if not beside")
        parser.add_argument("--dry-run", action="store_true", help="read, decode and match; write nothing")
        parser.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        with ProgressBar(sys.stderr) as progress:
            summary = run_import(
                lambda: import_items(
                    path=options["path"],
                    dataset_slug=options["dataset"],
                    actor=None,
                    layout=options["layout"],
                    images=options["images"],
                    dry_run=options["dry_run"],
                    progress=progress,
                )
            )
        finish(
            summary,
            target=f"dataset {options['dataset']}",
            as_json=options["json"],
            dry_run=options["dry_run"],
            out=self.stdout,
        )
