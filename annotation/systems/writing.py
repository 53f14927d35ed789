"""From what a line will do to outputs of the database, at most 500 at a time."""

from dataclasses import dataclass
from uuid import uuid4

from django.utils import timezone

from annotation.datasets.bulk import insert_rows
from annotation.datasets.errors import ImportInterruptedError
from annotation.datasets.jobs import OVERTAKEN
from annotation.datasets.models import ImportJob
from annotation.datasets.spool import Row
from annotation.systems.drafting import OutputDraft
from annotation.systems.models import Output, OutputPart, Submission
from annotation.systems.targets import Target

_OUTPUT_FIELDS = (
    "id", "submission_id", "revision_id", "version", "status", "error_text", "is_fixture", "content_hash",
    "superseded_by_id", "created_at",
)  # fmt: skip
_PART_FIELDS = ("output_id", "position", "kind", "text", "asset_id")


@dataclass(slots=True)
class PlannedOutput:
    """What one line will do: its draft, the revision it is for, the output it replaces."""

    draft: OutputDraft
    target: Target
    verdict: str
    replaced: Output | None


def planned_row(plan: PlannedOutput) -> Row:
    """What one line will do, as it is put aside; an unchanged one does nothing."""
    if plan.verdict == "unchanged":
        return {"verdict": plan.verdict}
    draft = plan.draft
    return {
        "verdict": plan.verdict,
        "revision": plan.target.revision_id,
        "replaces": plan.replaced.pk if plan.replaced else None,
        "version": plan.replaced.version + 1 if plan.replaced else 1,
        "status": draft.status,
        "error_text": draft.error_text,
        "is_fixture": draft.record.is_fixture,
        "content_hash": draft.content_hash,
        "quarantined": sum(part.picture is not None and part.picture.in_quarantine for part in draft.parts),
        "parts": [(part.kind, part.text, part.picture.asset_id if part.picture else None) for part in draft.parts],
    }


def write_outputs(job: ImportJob, rows: list[Row]) -> dict[str, int]:
    """Write some lines, inside a transaction: how many were new, changed and unchanged, and images in quarantine.

    Raises:
        ImportInterruptedError: an output to be replaced was replaced by somebody else meanwhile.
    """
    now, submission = timezone.now(), _submission(job)
    counts: dict[str, int] = {}
    replaced, outputs, parts = [], [], []
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        if row["verdict"] == "unchanged":
            continue
        if row.get("quarantined"):
            counts["quarantined"] = counts.get("quarantined", 0) + row["quarantined"]
        output_id = uuid4()
        if row["replaces"] is not None:
            replaced.append(Output(pk=row["replaces"], superseded_by_id=output_id))
        outputs.append(
            (
                output_id, submission.pk, row["revision"], row["version"], row["status"], row["error_text"],
                row["is_fixture"], row["content_hash"], None, now,
            )
        )  # fmt: skip
        parts += [(output_id, position, *part) for position, part in enumerate(row["parts"])]
    still = Output.objects.current().filter(pk__in=[output.pk for output in replaced])
    if still.count() != len(replaced):
        raise ImportInterruptedError(OVERTAKEN)
    Output.objects.bulk_update(replaced, ["superseded_by"])
    insert_rows(Output, _OUTPUT_FIELDS, outputs)
    insert_rows(OutputPart, _PART_FIELDS, parts)
    return counts


def write_missing(job: ImportJob, rows: list[Row]) -> dict[str, int]:
    """A row of status missing for every expected item that has no output."""
    now, submission = timezone.now(), _submission(job)
    wanted = [row["revision"] for row in rows]
    delivered = Output.objects.filter(submission=submission, revision__in=wanted).values_list("revision", flat=True)
    there = {str(revision) for revision in delivered}
    missing = [
        (uuid4(), submission.pk, key, 1, Output.Status.MISSING.value, "", submission.is_fixture, "", None, now)
        for key in wanted
        if key not in there
    ]
    insert_rows(Output, _OUTPUT_FIELDS, missing)
    return {}


def _submission(job: ImportJob) -> Submission:
    return Submission.objects.get(import_job=job)
