"""Import judgments: `import_judgments PATH --submission ID --judge ID --rubric CODE@V --scale 1-10 --view VIEW`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from annotation.systems.models import Submission
from scoring.calibration.declaring import Declaration
from scoring.calibration.errors import JudgmentError
from scoring.calibration.importing import JudgmentSummary, import_judgments, kept_problems
from scoring.calibration.models import Judge

SHOWN = 200


class Command(BaseCommand):
    help = "Read the scores of a VLM judge or an external metric about a submission, as one more source of values."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a JSONL file, one line per output")
        parser.add_argument("--submission", required=True, metavar="ID", help="SU-0001, or its key")
        parser.add_argument("--judge", default="", metavar="ID", help="who judged: a model with its version")
        parser.add_argument("--rubric", default="", metavar="CODE@V", help="the rubric the judge was given")
        parser.add_argument("--scale", default="", metavar="MIN-MAX", help="the scale the judge was told")
        parser.add_argument("--view", default="", metavar="VIEW", help=" or ".join(Judge.View.values))
        parser.add_argument("--prompt", default="", metavar="ID", help="checksum or name of the prompt")
        parser.add_argument("--dry-run", action="store_true", help="read and match; write nothing")
        parser.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        said = Declaration(**{name: options[name] for name in ("judge", "rubric", "scale", "view", "prompt")})
        submission = self._submission(options["submission"])
        try:
            summary = import_judgments(
                path=options["path"],
                submission=submission,
                declaration=said,
                actor=None,
                dry_run=options["dry_run"],
            )
        except JudgmentError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        for one in summary.problems[:SHOWN]:
            sys.stderr.write(f"{one}\n" if one.fatal else f"note: {one}\n")
        if len(summary.problems) > SHOWN:
            sys.stderr.write(f"… and {len(summary.problems) - SHOWN} more; --json has them\n")
        told = _as_json(summary, submission, dry_run=options["dry_run"])
        self.stdout.write(json.dumps(told, ensure_ascii=False) if options["json"] else _in_words(told))
        if summary.refused:
            raise SystemExit(1)

    def _submission(self, said: str) -> Submission:
        known = Submission.objects.all()
        try:
            found = known.filter(pk=UUID(said)).first()
        except ValueError:
            number = said.upper().removeprefix("SU-")
            found = known.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        if found is None:
            raise CommandError(f"submission: {said[:80]!r}: unknown; give its code (SU-0001) or key", returncode=2)
        return found


def _as_json(summary: JudgmentSummary, submission: Submission, *, dry_run: bool) -> dict[str, Any]:
    return {
        "submission": submission.code,
        "dry_run": dry_run,
        "import": str(summary.batch.pk) if summary.batch else None,
        "lines": summary.lines,
        **summary.counts(),
        "values": summary.n_values,
        "coerced": summary.n_coerced,
        "reasons": dict(sorted(summary.reasons.items())),
        "not_judged": summary.n_not_judged,
        "problems": kept_problems(summary.problems),
    }


def _in_words(told: dict[str, Any]) -> str:
    counts = ", ".join(f"{told[name]} {name}" for name in ("new", "changed", "unchanged", "refused"))
    reasons = ", ".join(f"{n} {reason}" for reason, n in told["reasons"].items()) or "none"
    lead = "Dry run, nothing was written. " if told["dry_run"] else ""
    return (
        f"{lead}{told['submission']}: {counts} ({told['lines']} lines)\n"
        f"{told['values']} values, {told['coerced']} of them read out of words; without a value: {reasons}; "
        f"{told['not_judged']} outputs not judged"
    )
