"""What readers who compare say about single outputs: harm, errors, and whether the reference is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from annotation.preferences.board import newest
from annotation.preferences.models import PreferenceError, PreferenceFlag
from annotation.studies.models import Reading, ReadingOutput, Study
from annotation.studies.states import Role

NONE = "none"


@dataclass(frozen=True)
class Remark:
    """What one newest preference says about one of the outputs it compares.

    Attributes:
        preference: its key.
        output: key of the output.
        label: under which the reader met it.
        reader: key of the enrollment.
        place: position of the reading.
        version: of the preference.
        safety: harm if the output were believed.
        reference_wrong: whether the reader calls the reference wrong.
        rationale: words, which are about all outputs of the reading.
        submitted_at: when.
        errors: code, label and whether it has no place, of errors named on this output.
    """

    preference: UUID
    output: UUID
    label: str
    reader: int
    place: int
    version: int
    safety: str
    reference_wrong: bool
    rationale: str
    submitted_at: datetime
    errors: tuple[tuple[str, str, bool], ...] = ()


def remarks(study: Study, *, only: UUID | None = None) -> list[Remark]:
    """Remarks of main readings that were not voided, on all outputs or only one: six queries."""
    said = newest(study).filter(reading__role=Role.MAIN).exclude(reading__status=Reading.Status.VOID)
    rows = {row.reading_id: row for row in said.select_related("reading").order_by()}
    places = ReadingOutput.objects.filter(reading__in=list(rows))
    if only is not None:
        places = places.filter(output=only)
    keys = [row.pk for row in rows.values()]
    flags = {
        (preference, place): safety
        for preference, place, safety in PreferenceFlag.objects.filter(preference__in=keys).values_list(
            "preference_id", "reading_output_id", "safety"
        )
    }
    errors = _errors(keys)
    return [
        Remark(
            preference=row.pk,
            output=place.output_id,
            label=place.label,
            reader=row.reading.enrollment_id,
            place=row.reading.position,
            version=row.version,
            safety=flags.get((row.pk, place.pk), NONE),
            reference_wrong=row.reference_wrong,
            rationale=row.rationale,
            submitted_at=row.submitted_at,
            errors=tuple(errors.get((row.pk, place.pk), ())),
        )
        for place in places.order_by("reading", "position")
        for row in [rows[place.reading_id]]
    ]


def _errors(keys: Iterable[UUID]) -> dict[tuple[UUID, int], list[tuple[str, str, bool]]]:
    found: dict[tuple[UUID, int], list[tuple[str, str, bool]]] = {}
    rows = PreferenceError.objects.filter(preference__in=list(keys)).order_by("position")
    for preference, place, code, label, nowhere in rows.values_list(
        "preference_id", "reading_output_id", "error_code_id", "error_code__label", "nowhere"
    ):
        found.setdefault((preference, place), []).append((code, label, nowhere))
    return found
