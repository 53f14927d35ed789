"""Who meets which cases: asked before every page and answer, by pages and programs alike.

Adjudicators and coordinators of the study, and nobody who still has something to read on its dataset. A case whose
readers still read is not there yet; one about an output that the person graded is for somebody else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404

from annotation.adjudication import queue, rules
from annotation.adjudication.queue import Case
from annotation.people.models import User
from annotation.studies.models import Criterion, Enrollment, ReadingOutput, Study
from annotation.systems.models import Output

OWN = "You graded this output, or were given it to grade; somebody else decides about it."
CASES_KEPT = 4096


@dataclass(frozen=True)
class Part:
    """What a person may do about the cases of a study."""

    study: Study
    user: User
    decides: bool
    runs_it: bool


def part_in(user: User, slug: str) -> Part:
    """404 for a stranger and for whoever still reads on the dataset, 403 for whoever only reads or analyzes."""
    study = get_object_or_404(Study.objects.visible_to(user).select_related("release__dataset"), slug=slug)
    roles = set(study.enrollments.filter(user=user, active=True).values_list("role", flat=True))
    decides, runs_it = Enrollment.Role.ADJUDICATOR in roles, Enrollment.Role.COORDINATOR in roles
    if not (decides or runs_it):
        raise PermissionDenied("Only adjudicators and coordinators of this study see its cases.")
    if not Study.objects.flags_open_to(user).filter(pk=study.pk).exists():
        raise Http404("You still read outputs of this dataset.")
    return Part(study, user, decides, runs_it)


def cases_for(part: Part) -> tuple[list[Case], dict[str, int]]:
    """The cases this person meets, and the counts over all of them."""
    cases = queue.cases_of(part.study)
    own = queue.own_outputs(part.user)
    shown = [case for case in cases if case.state != "waiting" and case.output not in own]
    return shown, queue.counted(cases)


def case_for(part: Part, key: UUID) -> Case:
    """One case; 404 for none and for one that is not there yet, 403 for one about an own output."""
    case = queue.find_case(part.study, key)
    if case is None or case.state == "waiting":
        raise Http404("no such case")
    refuse_own(part, case.output)
    return case


def refuse_own(part: Part, output: UUID) -> None:
    if output in queue.own_outputs(part.user):
        raise PermissionDenied(OWN)


def output_of_case(part: Part, key: UUID) -> UUID:
    """The output of a case, for its pictures: the key is made of it, so an answer once found holds."""
    output = _known_output(part.study.pk, key)
    refuse_own(part, output)
    if output in queue.waiting_outputs(part.study):
        raise Http404("no such case")
    return output


@lru_cache(maxsize=CASES_KEPT)
def _known_output(study: UUID, key: UUID) -> UUID:
    case = queue.find_case(Study.objects.get(pk=study), key)
    if case is None:
        raise Http404("no such case")
    return case.output


def next_open(cases: Sequence[Case], after: UUID | None = None) -> Case | None:
    """The next case to decide: after the given one in order, or else the first."""
    keys = [case.key for case in cases]
    start = keys.index(after) + 1 if after in keys else 0
    turned = [*cases[start:], *cases[:start]]
    return next((case for case in turned if case.is_undecided and case.key != after), None)


def output_read(study: Study, reader: str, position: int, label: str) -> Output:
    """The output that a reader met at a place: how a coordinator names one without knowing its system.

    Raises:
        LookupError: there is none.
    """
    place = (
        ReadingOutput.objects.filter(
            reading__study=study, reading__enrollment__reader_code=reader, reading__position=position, label=label
        )
        .select_related("output")
        .first()
    )
    if place is None:
        raise LookupError(f"{reader} met no output {label} in reading {position}")
    return place.output


def criteria_of(study: Study) -> list[Criterion]:
    """What the study asks, in order."""
    return list(
        Criterion.objects.filter(rubric__study_rubrics__study=study)
        .select_related("rubric")
        .prefetch_related("anchors")
        .order_by("rubric__study_rubrics__position", "position")
    )


def by_subject(cases: Sequence[Case]) -> dict[str, int]:
    """How many undecided cases there are of each subject."""
    counts = Counter(case.subject for case in cases if case.is_undecided)
    return {subject: counts[subject] for subject in (rules.SAFETY, rules.REFERENCE, rules.CRITERION)}
