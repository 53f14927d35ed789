"""Print metric values of a submission or of all submissions of a dataset."""

import json
from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from annotation.datasets.models import Dataset, ItemAlias
from annotation.systems.models import Output
from scoring.management.commands.run_metrics import submission_by_code
from scoring.runs.services import current_values


class Command(BaseCommand):
    help = "One row per output and metric, with value or reason, also for missing outputs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("of", metavar="SUBMISSION|DATASET")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        outputs = self._outputs(options["of"])
        items = dict(outputs.values_list("pk", "revision__item_id"))
        aliases: dict[Any, list[str]] = defaultdict(list)
        for item, alias in ItemAlias.objects.filter(item__in=set(items.values())).values_list("item_id", "value"):
            aliases[item].append(alias)
        rows = []
        for value in current_values(outputs).order_by("output__revision__item__number", "settings__metric"):
            row: dict[str, Any] = {
                "output": str(value.output_id),
                "item_aliases": aliases[items[value.output_id]],
                "metric": value.settings.metric,
                "settings": value.settings.parameters | {"hash": value.settings.settings_hash},
                "region": "whole",
                "subject": value.subject,
            }
            row |= {"value": value.value} if value.value is not None else {"reason": value.reason}
            rows.append(row)
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            said = row["value"] if "value" in row else f"({row['reason']})"
            name = next(iter(row["item_aliases"]), row["output"])
            self.stdout.write(f"{name}\t{row['metric']}\t{row['subject']}\t{said}")

    def _outputs(self, name: str) -> QuerySet[Output]:
        dataset = Dataset.objects.filter(slug=name).first()
        if dataset is not None:
            return Output.objects.current().filter(submission__dataset=dataset)
        try:
            return Output.objects.current().filter(submission=submission_by_code(name))
        except CommandError as problem:
            raise CommandError(
                f"{name!r} is neither a dataset nor a submission such as SU-0001", returncode=2
            ) from problem
