"""The cases of a study, derived from the newest grades and the acts on them: never stored, so never stale."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from annotation.adjudication import rules
from annotation.adjudication.models import Adjudication
from annotation.adjudication.rules import Last, Said, Veto
from annotation.audit.links import digest
from annotation.grading.models import CriterionScore, Grade
from annotation.people.models import User
from annotation.preferences.flags import remarks
from annotation.studies.models import Criterion, Reading, ReadingOutput, Study

STATES = ("open", "reopened", "decided", "waiting")
UNDECIDED = ("open", "reopened")
Asked = tuple[str, int | None]


@dataclass(frozen=True)
class Case:
    """One question about one output.

    Attributes:
        key: its address.
        output: key of the output; never shown.
        subject: safety, reference or criterion.
        criterion: which one, with rubric; None for the others.
        trigger: why it is a case.
        state: waiting (readers of the output still read), open, reopened or decided.
        said: the newest grades of the output.
        asking: those of them that make the case.
        acts: what was done, oldest first.
    """

    key: UUID
    output: UUID
    subject: str
    criterion: Criterion | None
    trigger: str
    state: str
    said: tuple[Said, ...]
    asking: frozenset[UUID]
    acts: tuple[Adjudication, ...] = field(default=())

    @property
    def is_severe(self) -> bool:
        return self.subject == rules.SAFETY and any(one.safety == "severe" for one in self.said)

    @property
    def level(self) -> str:
        """The gravest harm flagged, where the case is about harm."""
        if self.is_severe:
            return "severe"
        return "moderate" if self.subject == rules.SAFETY and self.asking else ""

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def decision(self) -> Adjudication | None:
        """The newest decision, also one that was reopened since."""
        return next((one for one in reversed(self.acts) if one.act == Adjudication.Act.DECIDED), None)

    @property
    def seen(self) -> str:
        """What an act was based on: another value means that grades or acts came in between."""
        return digest([len(self.acts), sorted(str(one.grade) for one in self.said)])[:24]


def cases_of(study: Study, *, only: UUID | None = None) -> list[Case]:
    """All cases of a study, severe ones first and otherwise in a drawn order: five queries.

    Args:
        study: the study.
        only: the key of an output, when the others do not matter.
    """
    said = newest_grades(study, only=only)
    acts = acts_by_case(study)
    waiting = waiting_outputs(study)
    criteria = Criterion.objects.filter(rubric__study_rubrics__study=study).select_related("rubric").in_bulk()
    found = []
    for output, asked in _asked(said, acts, only).items():
        for (subject, criterion), asking in asked.items():
            key = rules.case_key(study.pk, output, subject, criterion)
            own = tuple(acts.get(key, ()))
            ready = output not in waiting
            found.append(
                Case(
                    key=key,
                    output=output,
                    subject=subject,
                    criterion=None if criterion is None else criteria[criterion],
                    trigger=_trigger(subject, asking, own),
                    state=rules.state_of(last_of(own), asking, ready=ready),
                    said=tuple(said.get(output, ())),
                    asking=asking,
                    acts=own,
                )
            )
    return sorted(found, key=lambda case: (not case.is_severe, _drawn(study, case.output), _rank(case)))


def find_case(study: Study, key: UUID) -> Case | None:
    return next((case for case in cases_of(study) if case.key == key), None)


def own_outputs(user: User) -> set[UUID]:
    """Outputs that this person graded, or was given to grade, in any study."""
    shown = ReadingOutput.objects.filter(reading__enrollment__user=user).exclude(reading__status=Reading.Status.VOID)
    graded = Grade.objects.filter(author=user)
    return set(shown.values_list("output", flat=True)) | set(graded.values_list("reading_output__output", flat=True))


def _in_results(study: Study) -> QuerySet[Grade]:
    """Grades of main readings, with the reference: training, pilot, checks and repeats leave no case open."""
    return Grade.objects.filter(
        reading_output__reading__study=study,
        reading_output__reading__role=Reading.Role.MAIN,
        stage=Grade.Stage.WITH,
    )


def newest_grades(study: Study, *, only: UUID | None = None) -> dict[UUID, list[Said]]:
    """Output → the newest grade of every reading of it: two queries; of comparisons, what was said of the output."""
    if study.compares:
        return _remarked(study, only)
    grades = _in_results(study)
    scored = CriterionScore.objects.filter(grade__reading_output__reading__study=study, value__isnull=False)
    if only is not None:
        grades = grades.filter(reading_output__output=only)
        scored = scored.filter(grade__reading_output__output=only)
    rows = grades.exclude(reading_output__reading__status=Reading.Status.VOID).order_by("version")
    newest: dict[int, tuple[Any, ...]] = {row[0]: row[1:] for row in rows.values_list(
        "reading_output_id", "pk", "reading_output__output_id", "reading_output__reading__enrollment_id",
        "reading_output__reading__position", "safety", "reference_wrong",
    )}  # fmt: skip
    scores: dict[UUID, dict[int, float]] = defaultdict(dict)
    for grade, criterion, value in scored.order_by().values_list("grade_id", "criterion_id", "value"):
        if value is not None:
            scores[grade][criterion] = value
    found: dict[UUID, list[Said]] = defaultdict(list)
    for grade, output, reader, place, safety, wrong in newest.values():
        found[output].append(Said(grade, reader, place, safety, wrong, scores.get(grade, {})))
    return dict(found)


def _remarked(study: Study, only: UUID | None) -> dict[UUID, list[Said]]:
    """Output → what readers who compare said of it: harm and the reference, no values."""
    found: dict[UUID, list[Said]] = defaultdict(list)
    for one in remarks(study, only=only):
        found[one.output].append(Said(one.preference, one.reader, one.place, one.safety, one.reference_wrong))
    return dict(found)


def acts_by_case(study: Study) -> dict[UUID, list[Adjudication]]:
    """Case → its acts, oldest first: one query."""
    found: dict[UUID, list[Adjudication]] = defaultdict(list)
    rows = Adjudication.objects.filter(study=study).select_related("author", "criterion__rubric")
    for act in rows.order_by("case_key", "version"):
        found[act.case_key].append(act)
    return dict(found)


def waiting_outputs(study: Study) -> set[UUID]:
    """Outputs that somebody who takes part still has to read; none once grading is over."""
    if study.is_final:
        return set()
    places = ReadingOutput.objects.filter(
        reading__study=study, reading__role=Reading.Role.MAIN, reading__enrollment__active=True
    )
    waiting = places.filter(reading__status__in=[Reading.Status.QUEUED, Reading.Status.IN_PROGRESS])
    return set(waiting.values_list("output_id", flat=True))


def last_of(acts: Sequence[Adjudication]) -> Last | None:
    """The newest act, as the rules know it."""
    if not acts:
        return None
    newest = acts[-1]
    seen = frozenset(UUID(one["grade"]) for one in newest.inputs)
    return Last(newest.act, newest.verdict, newest.level, seen)


def letters_of(study: Study, case: Case) -> dict[int, str]:
    """Reader → letter, drawn anew for every output: letters tell nothing about codes, nor who is who elsewhere."""
    return rules.letters((_drawn(study, f"{case.output} {one.reader}"), one.reader) for one in case.said)


def vetoes(study: Study) -> dict[UUID, Veto]:
    """Output → what its safety does to a composite, of outputs where it does something: two queries."""
    flags: dict[UUID, list[Said]] = defaultdict(list)
    grades = _in_results(study).order_by("version")
    rows = grades.exclude(reading_output__reading__status=Reading.Status.VOID).values_list(
        "reading_output_id", "pk", "reading_output__output_id", "safety"
    )
    newest: dict[int, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
    for grade, output, safety in newest.values():
        if safety in rules.GRAVE:
            flags[output].append(Said(grade, 0, 0, safety, False))
    acts: dict[UUID, list[Adjudication]] = defaultdict(list)
    safety_acts = Adjudication.objects.filter(study=study, subject=Adjudication.Subject.SAFETY)
    for act in safety_acts.order_by("version"):
        acts[act.output_id].append(act)
    states = {
        output: rules.veto_of(flags.get(output, []), last_of(acts.get(output, []))) for output in {*flags, *acts}
    }
    return {output: state for output, state in states.items() if state is not None}


def adjudicated_values(study: Study) -> dict[tuple[UUID, int], float]:
    """(output, criterion) → the decided value, where the newest act is a decision. Only for analyses that say so."""
    found = {}
    for acts in acts_by_case(study).values():
        newest = acts[-1]
        if newest.act == Adjudication.Act.DECIDED and newest.criterion_id is not None and newest.value is not None:
            found[newest.output_id, newest.criterion_id] = newest.value
    return found


def counted(cases: Iterable[Case]) -> dict[str, int]:
    """How many cases are in which state, and how many safety cases were confirmed, refuted or wait for a decision."""
    listed = list(cases)
    states = Counter(case.state for case in listed)
    safety = [case for case in listed if case.subject == rules.SAFETY]
    verdicts = Counter(
        case.decision.verdict for case in safety if case.state == "decided" and case.decision is not None
    )
    return {name: states[name] for name in STATES} | {
        "all": len(listed),
        "confirmed": verdicts[Adjudication.Verdict.CONFIRMED],
        "refuted": verdicts[Adjudication.Verdict.REFUTED],
        "pending": sum(case.state != "decided" for case in safety if case.is_severe),
    }


def _asked(
    said: Mapping[UUID, Sequence[Said]], acts: Mapping[UUID, Sequence[Adjudication]], only: UUID | None
) -> dict[UUID, dict[Asked, frozenset[UUID]]]:
    found: dict[UUID, dict[Asked, frozenset[UUID]]] = {output: rules.questions(own) for output, own in said.items()}
    for own in acts.values():
        first = own[0]
        if only is None or first.output_id == only:
            found.setdefault(first.output_id, {}).setdefault((first.subject, first.criterion_id), frozenset())
    return found


def _trigger(subject: str, asking: frozenset[UUID], acts: Sequence[Adjudication]) -> str:
    """The grades' own, or that of the first act when no grade asks (any more)."""
    if not asking and acts:
        return acts[0].trigger
    return {rules.SAFETY: "safety", rules.REFERENCE: "reference"}.get(subject, "spread")


def _drawn(study: Study, what: Any) -> str:
    return salted_hmac("annotation.adjudication", f"{study.pk} {what}").hexdigest()


def _rank(case: Case) -> tuple[int, int]:
    order = (rules.SAFETY, rules.REFERENCE, rules.CRITERION)
    return order.index(case.subject), 0 if case.criterion is None else case.criterion.pk
