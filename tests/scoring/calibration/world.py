"""A graded and measured study for tests of calibration: made once per file, inside a transaction that is undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction

from annotation.grading.models import CriterionScore, Grade
from annotation.studies.models import Criterion, Reading, Study
from annotation.systems.models import Output
from scoring.calibration.models import Judge, Judgment, JudgmentImport
from scoring.runs.models import MetricValue
from scoring.runs.services import present_settings
from tests import factories
from tests.scoring.world import World, build

METRIC = "bleu_4"


@dataclass
class Calibrated:
    """A study whose readers, metric and judge follow one quality of each output, each with its own noise."""

    world: World
    judge: Judge

    @property
    def study(self) -> Study:
        return self.world.study

    def outputs(self) -> list[Output]:
        rows = Output.objects.filter(submission__in=self.world.submissions)
        return list(rows.order_by("revision__item__number", "submission__number"))


def made(*, items: int = 14, systems: int = 3, readers: int = 3, seed: int = 4, **fields: Any) -> Calibrated:
    """Grades of all readers, a metric for all outputs but the first, a judge for all but the last."""
    world = build(items=items, systems=systems, readers=readers, **fields)
    chance = np.random.default_rng(seed)
    outputs = list(Output.objects.order_by("revision__item__number", "submission__number"))
    quality = {output.pk: float(chance.normal(3.2, 1.0)) for output in outputs}
    _grade(world, quality, chance)
    settings = present_settings([METRIC])[METRIC]
    MetricValue.objects.bulk_create(
        MetricValue(settings=settings, output=output, value=0.5 + 0.1 * quality[output.pk] + chance.normal(0, 0.05))
        if place
        else MetricValue(settings=settings, output=output, reason="empty_reference")
        for place, output in enumerate(outputs)
    )
    return Calibrated(world, judge(world, outputs[:-1], quality, chance))


def _grade(world: World, quality: dict[Any, float], chance: np.random.Generator) -> None:
    criterion = Criterion.objects.get(rubric__study_rubrics__study=world.study, code="overall")
    shown = [
        (reading, reading.reading_outputs.all()[0])
        for reading in Reading.objects.filter(study=world.study).prefetch_related("reading_outputs")
    ]
    users = {enrollment.pk: enrollment.user for enrollment in world.readers}
    grades = Grade.objects.bulk_create(
        Grade(reading_output=place, author=users[reading.enrollment_id], submit_key=place.reading_id)
        for reading, place in shown
    )
    CriterionScore.objects.bulk_create(
        CriterionScore(
            grade=grade,
            criterion=criterion,
            value=float(np.clip(round(quality[place.output_id] + chance.normal(0, 0.6)), 1, 5)),
        )
        for grade, (_, place) in zip(grades, shown, strict=True)
    )
    Reading.objects.filter(study=world.study).update(status=Reading.Status.SUBMITTED)


def judge(
    world: World,
    outputs: list[Output],
    quality: dict[Any, float],
    chance: np.random.Generator,
    name: str = "judge-7b",
) -> Judge:
    """A judge on the scale of the readers, half a point too kind."""
    criterion = Criterion.objects.get(rubric__study_rubrics__study=world.study, code="overall")
    made = Judge.objects.create(
        name=name, rubric=criterion.rubric, scale_min=1, scale_max=5, view=Judge.View.WITH_REFERENCE
    )
    batches = {
        submission.pk: JudgmentImport.objects.create(judge=made, submission=submission, file_sha256="f" * 64)
        for submission in world.submissions
    }
    Judgment.objects.bulk_create(
        Judgment(
            batch=batches[output.submission_id],
            judge=made,
            output=output,
            criterion=criterion,
            value=float(np.clip(round(quality[output.pk] + 0.5 + chance.normal(0, 0.7)), 1, 5)),
        )
        for output in outputs
    )
    return made


@contextmanager
def kept(blocker: Any) -> Iterator[None]:
    """A transaction around all tests of a file; what they share is gone after the last."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def analyst_of(study: Study, username: str = "dana", role: str = "analyst") -> Any:
    person = factories.person(username)
    factories.enroll(study, person, role)
    return person
