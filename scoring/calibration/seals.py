"""Seals of imported judgments and of stated limits: all their facts in one checksum, which their event carries."""

from typing import Any

from annotation.audit.links import digest, moment
from annotation.grading import statements
from scoring.calibration.models import JudgmentImport, StatedLimit

IMPORT, LIMIT = "judgment import", "stated limit"
IMPORTED, STATED = "judgments imported", "calibration limit stated"


def import_facts(row: JudgmentImport) -> dict[str, Any]:
    """Facts of an import, whose judge and rubric are loaded: two queries, for its values."""
    judge = row.judge
    values = row.judgments.order_by("output", "criterion", "version").values_list(
        "output_id", "criterion__code", "version", "value", "reason", "raw", "coerced"
    )
    return {
        "format": 1,
        "id": str(row.pk),
        "submission": str(row.submission_id),
        "judge": [str(judge.pk), judge.name, str(judge.rubric), judge.scale_min, judge.scale_max, judge.view,
                  judge.prompt],
        "file_sha256": row.file_sha256,
        "counts": [row.new, row.changed, row.unchanged, row.refused],
        "reasons": row.reasons,
        "problems": digest(row.problems),
        "requested_by": str(row.requested_by_id or ""),
        "created_at": moment(row.created_at),
        "values": digest([[str(output), *rest] for output, *rest in values]),
    }  # fmt: skip


def limit_facts(row: StatedLimit) -> dict[str, Any]:
    return {
        "format": 1,
        "id": str(row.pk),
        "study": str(row.study_id),
        "kind": row.kind,
        "scope": row.scope,
        "limit": row.limit,
        "passes_from": row.passes_from,
        "n_grades": row.n_grades,
        "stated_by": str(row.stated_by_id or ""),
        "created_at": moment(row.created_at),
    }


def seal_of_import(row: JudgmentImport) -> dict[str, str]:
    """What the event carries in `details["seals"]`."""
    return {f"{IMPORT} {row.pk}": digest(import_facts(row))}


def seal_of_limit(row: StatedLimit) -> dict[str, str]:
    return {f"{LIMIT} {row.pk}": digest(limit_facts(row))}


def register() -> None:
    """Let `verify` and exported trails know these kinds of statements."""
    statements.register(
        statements.Kind(
            name=IMPORT,
            rows=lambda: JudgmentImport._base_manager.select_related("judge__rubric").order_by("pk"),
            facts=import_facts,
            subject=lambda facts: ("judgmentimport", facts["id"]),
            study="submission__study_systems__study",
            token=lambda facts: (IMPORT, facts["id"]),
        ),
        [IMPORTED],
    )
    statements.register(
        statements.Kind(
            name=LIMIT,
            rows=lambda: StatedLimit._base_manager.order_by("pk"),
            facts=limit_facts,
            subject=lambda facts: ("statedlimit", facts["id"]),
            study="study",
            token=lambda facts: (LIMIT, facts["id"]),
        ),
        [STATED],
    )
