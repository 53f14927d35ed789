"""Preferences of a study that compares."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandError

from annotation.studies.models import Study
from scoring.management.study_command import StudyCommand
from scoring.preferences.services import preferences


class Command(StudyCommand):
    help = "Wins, ties and strengths of the systems that readers compare, with intervals, n and the number missing."

    def find(self, study: Study) -> dict[str, Any]:
        if not study.compares:
            raise CommandError(f"study: {study.slug}: its readers grade; nothing is compared", returncode=1)
        return preferences(study)

    def tell(self, found: dict[str, Any]) -> None:
        self.stdout.write(f"{found['n_submitted']} of {found['n_assigned']} submitted, by letters")
        for one in found["criteria"]:
            for line in lines_of(one, found["mode"]):
                self.stdout.write(line)


def lines_of(one: Mapping[str, Any], mode: str) -> Iterator[str]:
    """The numbers of one criterion, a line for each system, pair and effect."""
    unit = "best" if mode == "rank" else "strength"
    for row in one["systems"]:
        yield f"{one['code']:<34} {row['system']:<8} {unit} {_number(row)}   n {row['n']}"
    for row in one.get("pairs", ()):
        pair = f"{row['first']} : {row['second']}"
        counts = f"{row['first_wins']} : {row['second_wins']}, ties {row['ties']}, neither usable {row['both_bad']}"
        yield f"{one['code']:<34} {pair:<8} {counts}   n {row['n']}, missing {row['n_missing']}"
    if side := one.get("side_effect"):
        yield f"{one['code']:<34} {'side':<8} effect {_number(side)}"


def _number(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return str(row.get("reason") or "–")
    limits = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{limits}"
