"""Seals of preferences: all facts of a submission in one checksum, which the event of the act carries."""

from typing import Any

from django.db.models import QuerySet

from annotation.audit.links import digest, moment
from annotation.grading import statements
from annotation.preferences.models import Preference

PREFERENCE = "preference"
SUBMITTED, AMENDED = "preference submitted", "preference amended"
OWN = ("choice", "strength", "rationale", "reference_wrong", "reason_for_change", "active_ms", "idle_ms", "viewing")


def sealed_rows() -> QuerySet[Preference]:
    """Preferences with everything that their facts need, in the order of their keys."""
    rows = Preference._base_manager.select_related(
        "chosen", "reading__enrollment", "reading__study_item__revision__item"
    )
    return rows.prefetch_related(
        "choices__criterion__rubric", "choices__chosen", "flags__reading_output", "errors__reading_output",
        "reading__reading_outputs",
    ).order_by("pk")  # fmt: skip


def facts_of(row: Preference) -> dict[str, Any]:
    """What was said and about what, of a row of `sealed_rows`."""
    reading = row.reading
    places = sorted(reading.reading_outputs.all(), key=lambda place: place.position)
    choices = [
        [one.criterion.rubric.code, one.criterion.rubric.version, one.criterion.code, one.choice, one.chosen_label]
        for one in row.choices.all()
    ]
    errors = [[one.reading_output.label, one.position, one.error_code_id, one.nowhere] for one in row.errors.all()]
    return {
        "format": 1,
        "id": str(row.pk),
        "study": str(reading.study_id),
        "reading": str(reading.pk),
        "position": reading.position,
        "reader": reading.enrollment.reader_code,
        "item": reading.study_item.revision.item.number,
        "revision": str(reading.study_item.revision_id),
        "shown": [[place.label, place.position, str(place.output_id)] for place in places],
        "version": row.version,
        "author": str(row.author_id),
        "chosen": row.chosen_label,
        "choices": sorted(choices, key=lambda one: [str(part) for part in one]),
        "flags": sorted([one.reading_output.label, one.safety] for one in row.flags.all()),
        "errors": sorted(errors),
        "client_time": None if row.client_time is None else moment(row.client_time),
        "submit_key": str(row.submit_key),
        "submitted_at": moment(row.submitted_at),
    } | {name: getattr(row, name) for name in OWN}


def seal_of(preference: Preference) -> dict[str, str]:
    """What the event carries in `details["seals"]`: key of the stored row → seal."""
    row = sealed_rows().get(pk=preference.pk)
    return {f"{PREFERENCE} {row.pk}": digest(facts_of(row))}


def register() -> None:
    """Let `verify` and exported trails know this kind of statement."""
    statements.register(
        statements.Kind(
            name=PREFERENCE,
            rows=sealed_rows,
            facts=facts_of,
            subject=lambda facts: ("reading", facts["reading"]),
            study="reading__study",
            token=lambda facts: (PREFERENCE, facts["id"]),
        ),
        (SUBMITTED, AMENDED),
    )
