"""A study from a design file: looked up, made as a draft, and its balance printed before anybody reads."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse

from annotation.studies import services
from annotation.studies.balance import ShownTable, StudyBalance, study_balance
from annotation.studies.design import StudyDesign
from annotation.studies.errors import DesignError, StudyError
from annotation.studies.models import Study


class Command(BaseCommand):
    help = "Make a study from a declarative design (docs/guide/coordinator.md) and print its balance report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.json")
        parser.add_argument("--coordinator", action="append", default=[], metavar="USERNAME", help="who runs it")
        parser.add_argument("--open", action="store_true", help="open it at once: draw and store the readings")
        parser.add_argument("--json", action="store_true", help="machine-readable answer on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        data = self._read(options["file"])
        try:
            study = self._create(data, options)
        except DesignError as problem:
            raise CommandError("\n".join(str(each) for each in problem.problems), returncode=1) from problem
        except StudyError as problem:
            raise CommandError(str(problem), returncode=1) from problem
        balance = study_balance(study)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(study, balance)))
        else:
            self._print(study, balance)

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except OSError as problem:
            raise CommandError(f"{path}: cannot be read: {problem.strerror}", returncode=2) from problem
        except (ValueError, RecursionError) as problem:
            raise CommandError(f"{path}: is not JSON: {problem}", returncode=2) from problem

    @transaction.atomic
    def _create(self, data: Any, options: dict[str, Any]) -> Study:
        design = StudyDesign.from_json(data)
        named = dict.fromkeys([*design.coordinators, *options["coordinator"]])
        study = services.create_study(design=replace(design, coordinators=tuple(named)), actor=None)
        return services.open_study(study=study, actor=None) if options["open"] else study

    def _print(self, study: Study, balance: StudyBalance) -> None:
        self.stdout.write(f"{study.slug}: {study.name}, {study.state}, on {study.release}, seed {study.seed}")
        for warning in balance.warnings:
            self.stdout.write(f"warning: {warning}")
        if balance.without_output:
            self.stdout.write(f"left out, no system has an output to show: {', '.join(balance.without_output)}")
        if balance.in_quarantine:
            self.stdout.write(f"left out, an image is in quarantine: {', '.join(balance.in_quarantine)}")
        if balance.refusal:
            self.stdout.write(balance.refusal)
        if balance.report is not None:
            report = balance.report
            least, most = report.readers_per_item
            self.stdout.write(
                f"{report.n_items} items, {report.n_readings} readings, {least} to {most} readers per item; "
                f"{report.gap_verdict}"
            )
        for table in balance.tables:
            self.stdout.write(f"\n{table.name}: {table.verdict}")
            self._print_table(table)
        where = reverse("annotation:study-balance", args=[study.slug])
        words = "open it there" if study.state == Study.State.DRAFT else "its readers can begin"
        self.stdout.write(f"\nBalance and next act: {where} ({words})")

    def _print_table(self, table: ShownTable) -> None:
        width = max([len(row.name) for row in table.rows], default=0)
        columns = [max(len(column), 5) for column in table.columns]
        heads = "  ".join(f"{column:>{size}}" for column, size in zip(table.columns, columns, strict=True))
        self.stdout.write(f"{'':<{width}}  {heads}")
        for row in table.rows:
            counts = "  ".join(f"{count:>{size}}" for count, size in zip(row.counts, columns, strict=True))
            self.stdout.write(f"{row.name:<{width}}  {counts}")


def _as_json(study: Study, balance: StudyBalance) -> dict[str, Any]:
    report = balance.report
    return {
        "study": study.slug,
        "state": study.state,
        "design_hash": study.design_hash or None,
        "items": study.study_items.count(),
        "readings": None if report is None else report.n_readings,
        "balanced": None if report is None else report.balanced,
        "smallest_gap": None if report is None else report.smallest_gap,
        "refusal": balance.refusal or None,
        "warnings": balance.warnings,
        "without_output": balance.without_output,
        "in_quarantine": balance.in_quarantine,
        "tables": [
            {
                "name": table.name,
                "columns": table.columns,
                "rows": {row.name: row.counts for row in table.rows},
                "verdict": table.verdict,
            }
            for table in balance.tables
        ],
    }
