"""A small graded study for tests of numbers: two systems, two readers, text and image items."""

from dataclasses import dataclass
from typing import Any

from annotation.releases.models import Release
from annotation.studies.models import Enrollment, Study
from annotation.systems.models import Output, Submission
from scoring.runs.models import MetricValue
from scoring.runs.services import present_settings
from tests import factories


@dataclass
class World:
    release: Release
    study: Study
    submissions: list[Submission]
    readers: list[Enrollment]

    def outputs(self, place: int) -> list[Output]:
        return list(self.submissions[place].outputs.order_by("revision__item__number"))


def build(*, items: int = 12, format: str = "vqa", systems: int = 2, readers: int = 2, **fields: Any) -> World:
    """`items` items of one format, each output in one reading per reader, nothing graded yet."""
    task = {"vqa": "question-answering", "image_editing": "noise-reconstruction"}[format]
    for _ in range(items):
        factories.item(format=format, task=task, reference_image=format != "vqa")
    release = factories.release()
    submissions = [factories.submission(release, slug) for slug in ("aurora", "borealis", "cygnus")[:systems]]
    study = factories.study(release, submissions=submissions, state="running", **fields)
    enrolled = [factories.enroll(study, factories.person(f"reader{n}")) for n in range(readers)]
    world = World(release, study, submissions, enrolled)
    for enrollment in enrolled:
        for study_item in study.study_items.all():
            for submission in submissions:
                factories.reading(enrollment, study_item, [submission.outputs.get(revision=study_item.revision)])
    return world


def grade_all(world: World, values: dict[int, float], **fields: Any) -> None:
    """Every reader gives every output of a system the system's value (place → value)."""
    for enrollment in world.readers:
        for reading in enrollment.readings.all():
            shown = reading.reading_outputs.get()
            place = world.submissions.index(shown.output.submission)
            if place in values:
                factories.grade(shown, scores={"overall": values[place]}, **fields)


def measure(output: Output, metric: str, value: float | None, *, reason: str = "", subject: str = "output") -> None:
    settings = present_settings([metric])[metric]
    MetricValue.objects.update_or_create(
        settings=settings, output=output, subject=subject, defaults={"value": value, "reason": reason}
    )
