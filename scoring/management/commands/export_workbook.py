"""Write the score sheet of a study to an Excel file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.studies.models import Study
from scoring.exports.errors import ExportError
from scoring.exports.services import export_workbook


class Command(BaseCommand):
    help = "The score sheet of a study; letters only until the study is unblinded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", metavar="STUDY")
        parser.add_argument("out", metavar="OUT.xlsx", type=Path)
        parser.add_argument("--blinded", action="store_true", help="letters only, even if the study is unblinded")
        parser.add_argument("--force", action="store_true", help="replace a file that exists")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        study = self._study(options["study"])
        out = self._file(options["out"], force=options["force"])
        try:
            job = export_workbook(study=study, out=out, actor=None, blinded=options["blinded"] or None)
        except ExportError as problem:
            raise CommandError(str(problem), returncode=1) from problem
        size = out.stat().st_size
        if options["json"]:
            said = {
                "study": study.slug,
                "file": str(out),
                "bytes": size,
                "sha256": job.file_sha256,
                "inputs_hash": job.inputs_hash,
                "blinded": job.blinded,
                "preview": not study.is_final,
            }
            self.stdout.write(json.dumps(said, ensure_ascii=False))
            return
        names = "letters only" if job.blinded else "letters and names"
        self.stdout.write(f"{out}: score sheet of {study.slug}, {size:,} bytes, {names}, sha256 {job.file_sha256}")

    def _study(self, slug: str) -> Study:
        study = Study.objects.select_related("release__dataset").filter(slug=slug).first()
        if study is None:
            raise CommandError(f"{slug!r}: no such study", returncode=2)
        return study

    def _file(self, out: Path, *, force: bool) -> Path:
        if out.suffix.lower() != ".xlsx":
            raise CommandError(f"{out}: the file must end in .xlsx", returncode=2)
        if not out.parent.is_dir():
            raise CommandError(f"{out}: the folder {out.parent} does not exist", returncode=2)
        if out.is_dir():
            raise CommandError(f"{out}: is a folder", returncode=2)
        if out.exists() and not force:
            raise CommandError(f"{out}: exists; say --force to replace it", returncode=2)
        return out
