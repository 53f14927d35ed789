"""What a design asks of its readers before it is made: readings and hours, drawn as they would be, nothing stored."""

from collections import Counter
from dataclasses import dataclass, field

from annotation.people.models import User
from annotation.studies import drawing, services
from annotation.studies.allocation import AllocationError
from annotation.studies.design import StudyDesign
from annotation.studies.mixing import pilot_of, training_of
from annotation.studies.models import Study
from annotation.studies.planning import Plan, gradable, lettered, plan, stratum_words
from annotation.systems.models import Submission

SECONDS_PER_OUTPUT = 60
SECONDS_LIMITS = (1, 3_600)
SECOND_STAGE = 0.5
"""What grading again with the reference takes of the time of the first stage."""
FEW = 30
ROLES = ("training", "pilot", "main", "repeat", "attention")


@dataclass(frozen=True)
class ReaderLoad:
    """What one reader has to do."""

    reader: str
    items: int
    readings: dict[str, int]
    outputs: int
    hours: float

    @property
    def total(self) -> int:
        return sum(self.readings.values())


@dataclass(frozen=True)
class Workload:
    """`refusal` names the limit that binds when nothing can be drawn; `few` are tasks below the usual 30 items."""

    readers: list[ReaderLoad] = field(default_factory=list)
    refusal: str = ""
    items: dict[str, int] = field(default_factory=dict)
    few: list[str] = field(default_factory=list)
    seconds: int = SECONDS_PER_OUTPUT

    @property
    def hours(self) -> float:
        return sum(one.hours for one in self.readers)

    @property
    def most_hours(self) -> float:
        return max((one.hours for one in self.readers), default=0.0)


def workload(design: StudyDesign, *, actor: User | None, seconds: int = SECONDS_PER_OUTPUT) -> Workload:
    """Draw a design without making it.

    Raises:
        DesignError: it names what does not exist or does not fit.
    """
    made = plan(design, actor=actor)
    study = services.unsaved_study(made, actor)
    inputs = _inputs(study, made)
    roles = Counter(row.role for row in inputs.items.values())
    tasks = Counter("/".join(item.stratum.split("/")[:2]) for item in made.items if item.aside is None)
    few = [f"{stratum_words(task)}: {n}" for task, n in sorted(tasks.items()) if n < FEW]
    try:
        drawn = drawing.draw(study, inputs).readings
        training, pilot = training_of(study, inputs, readers=list(inputs.readers)), pilot_of(study, inputs)
    except AllocationError as problem:
        return Workload(refusal=f"This cannot be drawn: {problem}.", items=dict(roles), few=few, seconds=seconds)
    stages = 1 + SECOND_STAGE * (study.stages - 1)
    loads = []
    for code, planned in drawn.items():
        own = [*training[code], *pilot[code], *planned]
        outputs = sum(len(one.placements) for one in own)
        counts = Counter(one.role for one in own)
        loads.append(
            ReaderLoad(
                reader=code,
                items=len({one.item for one in planned if one.role == "main"}),
                readings={role: counts[role] for role in ROLES},
                outputs=outputs,
                hours=outputs * stages * seconds / 3600,
            )
        )
    return Workload(readers=loads, items=dict(roles), few=few, seconds=seconds)


def _inputs(study: Study, made: Plan) -> drawing.Inputs:
    """As `drawing.inputs_of`, of a study that is not stored."""
    items = {item.revision.item.code: services.unsaved_item(study, item) for item in made.items}
    code_of = {row.partner.pk: row.partner.item.code for row in items.values() if row.partner is not None}
    code_of |= {row.revision.pk: code for code, row in items.items()}
    letters = {submission.pk: letter for letter, submission in lettered(_submissions(made), seed=study.seed)}
    shown: dict[str, dict[str, str]] = {code: {} for code in code_of.values()}
    rows = gradable(_submissions(made)).filter(revision__in=code_of).values_list("submission_id", "revision_id")
    for submission, revision in rows:
        code, letter = code_of[revision], letters[submission]
        shown[code][letter] = f"{code}/{letter}"
    readers = services.unsaved_readers(study, made)
    return drawing.Inputs(items, {str(row.reader_code): row for row in readers}, {}, shown, {})


def _submissions(made: Plan) -> list[Submission]:
    return [submission for _, submission in made.lettered]
