"""Reading as a reader before anybody reads: the same JSON, nothing saved.

The n-th item is shown as the first reader who has it meets it: from the stored readings, or before opening from a
trial drawing of the same seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from annotation.grading import presentation
from annotation.grading.presentation import Presentation
from annotation.grading.reading_json import Addresses, content_json
from annotation.studies import drawing
from annotation.studies.allocation import AllocationError, Design, PlannedReading
from annotation.studies.models import ReadingOutput, Study, StudyItem

UNDRAWN = (Study.State.DRAFT, Study.State.PILOT)


@dataclass(frozen=True)
class PreviewedItem:
    number: int
    of: int
    shown: Presentation


def previewed(study: Study, number: int) -> PreviewedItem:
    """The n-th item of a study, counted from 1; 404 outside, and when a draft cannot be drawn.

    Raises:
        PermissionDenied: a picture of it is in quarantine.
    """
    items = study.study_items.order_by("revision__item__number")
    of = items.count()
    if not 1 <= number <= of:
        raise Http404("no such item")
    item = items.select_related("revision__item", "partner", "stand_in")[number - 1]
    labeled = _stored(item) or (_trial(study, item) if study.state in UNDRAWN else [])
    if not labeled:
        raise Http404("this item has nothing to show")
    shown = presentation.present_item(item, presentation.parts_of_outputs(labeled))
    presentation.refuse_shut(shown)
    return PreviewedItem(number, of, shown)


def _stored(item: StudyItem) -> list[tuple[str, UUID]]:
    places = ReadingOutput.objects.filter(reading__study_item=item)
    first = places.order_by("reading__enrollment__reader_code", "reading__position").first()
    if first is None:
        return []
    return list(places.filter(reading=first.reading_id).order_by("position").values_list("label", "output_id"))


def _trial(study: Study, item: StudyItem) -> list[tuple[str, UUID]]:
    inputs = drawing.inputs_of(study)
    try:
        design = drawing.draw(study, inputs)
        first = drawing.draw_first(study, inputs, pilot=True)
    except AllocationError:
        return []
    code = item.revision.item.code
    planned = _first_reading(design, code) or next(
        (one for own in first.values() for one in own if one.item == code), None
    )
    return [] if planned is None else [(each.label, inputs.outputs[each.output]) for each in planned.placements]


def _first_reading(design: Design, code: str) -> PlannedReading | None:
    return next((one for planned in design.readings.values() for one in planned if one.item == code), None)


def page_addresses(study: Study, number: int, of: int) -> Addresses:
    """Where the pages of a preview are."""
    following = number + 1 if number < of else None
    return Addresses(
        frames=reverse("annotation:preview-frames", args=[study.slug, number, 0]),
        urls={
            "self": _to("preview-json", study, number),
            "page": _to("preview-detail", study, number),
            "draft": None,
            "submit": None,
            "skip": None,
            "guess": None,
            "next": _to("preview-json", study, following),
            "next_page": _to("preview-detail", study, following),
            "previous_page": _to("preview-detail", study, number - 1 or None),
            "study": reverse("annotation:study-detail", args=[study.slug]),
            "home": reverse("home"),
        },
    )


def preview_json(
    study: Study, number: int, addresses_of: Callable[[Study, int, int], Addresses] = page_addresses
) -> dict[str, Any]:
    """The workstation's JSON of the n-th item; 404 as in `previewed`."""
    item = previewed(study, number)
    addresses = addresses_of(study, number, item.of)
    return {
        "id": f"preview-{number}",
        "position": number,
        "of": item.of,
        "submitted": 0,
        "status": "queued",
        "locked_reason": "This is a preview; nothing is saved.",
        "preview": True,
        **content_json(study, item.shown, presentation.sheet_of(study.pk), addresses),
        "draft": None,
        "grade": None,
        "stage": None,
        "training": False,
        "feedback": None,
        "guess": False,
        "urls": addresses.urls,
    }


def _to(name: str, study: Study, number: int | None) -> str | None:
    return None if number is None else reverse(f"annotation:{name}", args=[study.slug, number])
