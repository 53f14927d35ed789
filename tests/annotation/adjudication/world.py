"""A study with grades that leave something open, and an adjudicator."""

from dataclasses import dataclass
from typing import Any

from annotation.adjudication import queue, services
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.adjudication.services import Decision
from annotation.people.models import User
from annotation.studies.models import Reading
from tests import factories
from tests.scoring import world as scoring_world


@dataclass
class World:
    graded: scoring_world.World
    adjudicator: User

    @property
    def study(self) -> Any:
        return self.graded.study

    def case(self, place: int = 0, subject: str = "safety") -> Case:
        """The case about this subject of the first item's output of one system."""
        output = self.graded.outputs(place)[0].pk
        return next(one for one in queue.cases_of(self.study) if (one.output, one.subject) == (output, subject))

    def decide(self, case: Case, **fields: Any) -> Adjudication:
        entry = {"cause": "reader_error", "rationale": "Looked again.", "seen": case.seen} | fields
        decision = Decision(**entry)
        return services.decide(study=self.study, key=case.key, actor=self.adjudicator, decision=decision)

    def confirm(self, case: Case, level: str = "severe") -> Adjudication:
        return self.decide(case, verdict="confirmed", level=level)


def build(*, items: int = 1, systems: int = 2, **fields: Any) -> World:
    """Two readers, nothing graded yet; the adjudicator reads nothing."""
    graded = scoring_world.build(items=items, systems=systems, **fields)
    adjudicator = factories.person("adjudicator")
    factories.enroll(graded.study, adjudicator, "adjudicator")
    return World(graded, adjudicator)


def grade(world: World, values: tuple[float, float] = (4, 4), *, place: int = 0, **fields: Any) -> None:
    """Each reader's grade of the first item's output of one system; `fields` go to the first reader's."""
    output = world.graded.outputs(place)[0]
    for number, enrollment in enumerate(world.graded.readers):
        reading = enrollment.readings.get(reading_outputs__output=output)
        own = fields if number == 0 else {}
        factories.grade(reading.reading_outputs.get(), scores={"overall": values[number]}, **own)
    submit_all(world)


def submit_all(world: World) -> None:
    """Everybody is done."""
    Reading.objects.filter(study=world.study).update(status=Reading.Status.SUBMITTED)
