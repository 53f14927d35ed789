"""One output of the radar: who meets it, what is shown of it, and asking an adjudicator about it.

An output is there once its grades are in and nobody still reads it, and never for people who read on the dataset.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404

from annotation.adjudication import queue, rules, services, showing
from annotation.adjudication.access import criteria_of
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.assets.models import Asset
from annotation.grading import presentation
from annotation.grading.reading_json import Addresses, content_json
from annotation.people.models import User
from annotation.studies.models import Criterion, Study
from annotation.systems.models import Output
from scoring.calibration.radar import row_key

ONLY_COORDINATORS = "Only coordinators of this study ask for a case."


@dataclass(frozen=True)
class Spot:
    """One output on the radar of a study."""

    study: Study
    output: Output
    letter: str

    @property
    def key(self) -> UUID:
        return row_key(self.study, self.output.pk)


def spot(user: User, slug: str, key: UUID) -> Spot:
    """404 for strangers, readers and adjudicators of the dataset, and for an output that is not there yet."""
    study = get_object_or_404(Study.objects.analyzable_by(user).select_related("release__dataset"), slug=slug)
    shown = study.readings.order_by().values_list("reading_outputs__output_id", flat=True).distinct()
    output = next((pk for pk in shown if pk is not None and row_key(study, pk) == key), None)
    if output is None or output in queue.waiting_outputs(study):
        raise Http404("no such output on the radar")
    if not queue.newest_grades(study, only=output):
        raise Http404("nobody has graded it")
    found = Output.objects.select_related("revision__item").get(pk=output)
    letter = study.study_systems.get(submission=found.submission_id).letter
    return Spot(study, found, letter)


def content(of: Spot, frames: str) -> dict[str, Any]:
    """What readers saw, with the masked texts that they saw.

    Raises:
        PermissionDenied: a picture of it is in quarantine.
    """
    shown = showing.presented(of.output.pk)
    presentation.refuse_shut(shown)
    told = content_json(of.study, shown, presentation.sheet_of(of.study.pk), Addresses(frames, {"study": None}))
    return {name: told[name] for name in showing.SHOWN}


def asset_of(of: Spot, pane: int) -> tuple[Asset, str]:
    """The picture of a pane, and the scope of its validators."""
    shown = showing.presented(of.output.pk)
    presentation.refuse_shut(shown)
    return shown.asset_of(pane), f"radar {of.study.pk} {of.key} {pane}"


def grades_told(of: Spot) -> tuple[Case, list[dict[str, Any]]]:
    """What readers said, under letters drawn for the output."""
    said = tuple(queue.newest_grades(of.study, only=of.output.pk)[of.output.pk])
    manual = Adjudication.Trigger.MANUAL
    case = Case(of.key, of.output.pk, rules.SAFETY, None, manual, "open", said, frozenset())
    return case, showing.grades_told(of.study, case)


def criteria(study: Study) -> dict[str, Criterion]:
    return {f"{one.rubric.code}:{one.code}": one for one in criteria_of(study)}


def ask(of: Spot, *, about: str, reason: str, actor: User) -> Adjudication:
    """Put the output into the queue of adjudication, with the reason of who asks.

    Raises:
        PermissionDenied: the person does not run the study.
        AdjudicationStateError: no acts are taken now, or there is such a case.
        AdjudicationError: about nothing that the study asks, or no reason.
    """
    refuse_whom_it_is_not_for(of.study, actor)
    known = criteria(of.study)
    subject = Adjudication.Subject.CRITERION.value if about in known else about
    return services.request(
        study=of.study, output=of.output, subject=subject, criterion=known.get(about), actor=actor, reason=reason
    )


def runs_it(study: Study, user: User) -> bool:
    return Study.objects.run_by(user).filter(pk=study.pk).exists()


def refuse_whom_it_is_not_for(study: Study, user: User) -> None:
    if not runs_it(study, user):
        raise PermissionDenied(ONLY_COORDINATORS)
