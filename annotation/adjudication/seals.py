"""Seals of adjudications: all facts of an act in one checksum, which the event of the act carries."""

from typing import Any

from annotation.adjudication.models import Adjudication
from annotation.audit.links import digest, moment
from annotation.grading import statements

ADJUDICATION = "adjudication"
VERBS = {
    Adjudication.Act.REQUESTED: "adjudication requested",
    Adjudication.Act.DECIDED: "adjudication decided",
    Adjudication.Act.REOPENED: "adjudication reopened",
}


def facts_of(row: Adjudication) -> dict[str, Any]:
    """Facts of an act, whose criterion and rubric are loaded."""
    criterion = row.criterion
    asked = None if criterion is None else [criterion.rubric.code, criterion.rubric.version, criterion.code]
    return {
        "format": 1,
        "id": str(row.pk),
        "study": str(row.study_id),
        "output": str(row.output_id),
        "case": str(row.case_key),
        "version": row.version,
        "act": str(row.act),
        "subject": str(row.subject),
        "criterion": asked,
        "trigger": str(row.trigger),
        "author": str(row.author_id),
        "value": row.value,
        "verdict": str(row.verdict),
        "level": str(row.level),
        "cause": str(row.cause),
        "rationale": row.rationale,
        "inputs": row.inputs,
        "created_at": moment(row.created_at),
    }


def seal_of(row: Adjudication) -> dict[str, str]:
    """What the event carries in `details["seals"]`: key of the row → seal."""
    return {f"{ADJUDICATION} {row.pk}": digest(facts_of(row))}


def register() -> None:
    """Let `verify` and exported trails know this kind of statement."""
    statements.register(
        statements.Kind(
            name=ADJUDICATION,
            rows=lambda: Adjudication._base_manager.select_related("criterion__rubric").order_by("pk"),
            facts=facts_of,
            subject=lambda facts: (ADJUDICATION, facts["id"]),
            study="study",
            token=lambda facts: (ADJUDICATION, facts["id"]),
        ),
        VERBS.values(),
    )
