"""Certificates and courtrooms of large studies as queued work: one chunk that computes and keeps the result."""

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from annotation.people.models import User
from annotation.studies.models import ReadingOutput, Study
from annotation.systems.models import datasets_read_by
from annotation.work.kinds import ChunkPlan, Commit, Payload, register
from annotation.work.models import Job
from annotation.work.services import enqueue
from scoring.calibration import services, stored
from scoring.calibration.stored import Result

KIND = "calibration"
LONG = 1_500
"""Above this many outputs a certificate takes longer than a page may."""


def is_long(study: Study) -> bool:
    """Whether numbers of this study are made as a job: one query."""
    shown = ReadingOutput.objects.filter(reading__study=study).order_by()
    return shown.values("output").distinct().count() > LONG


def present(study: Study, what: str, asked: dict[str, str]) -> Result | None:
    """The result, computed now in a small study; None when it has to be asked for as a job."""
    state = stored.state_of(study)
    found = stored.find(study, what, asked, state)
    if found is not None:
        return found | services.heading(study)
    return None if is_long(study) else computed(study, what, asked, state=state)


def computed(study: Study, what: str, asked: dict[str, str], *, state: str = "") -> Result:
    if what == services.COURTROOM:
        return services.courtroom(study, asked["criterion"], state=state)
    return services.certificate(study, asked["measure"], asked["criterion"], state=state)


def ask_for(*, study: Study, what: str, asked: dict[str, str], actor: User) -> Job:
    """Ask for one result; one of the same that is being made for this person is given instead."""
    parameters: dict[str, Any] = {"study": str(study.pk), "what": what, **asked}
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        mine = Job.objects.open().filter(kind=KIND, subject_id=str(study.pk), requested_by=actor)
        waiting = mine.filter(cancel_requested=False, parameters=parameters).first()
        if waiting is not None:
            return waiting
        return enqueue(
            kind=KIND,
            title=f"{what.capitalize()} of {study.name}",
            parameters=parameters,
            requested_by=actor,
            subject=study,
            chunks=[ChunkPlan({}, 1)],
        )


def _run(job: Job, payload: Payload) -> Commit:
    study = Study.objects.select_related("release__dataset").get(pk=job.parameters["study"])
    what = job.parameters["what"]
    asked = {name: job.parameters[name] for name in ("measure", "criterion") if name in job.parameters}
    computed(study, what, asked)
    name = "calibration" if what == services.COURTROOM else "certificate"
    url = f"{reverse(f'scoring:{name}', args=[study.slug])}?{urlencode(asked)}"

    def commit() -> Payload:
        Job.objects.filter(pk=job.pk).update(result={"url": url, "label": f"Show the {what}"})
        return {}

    return commit


def _hidden(user: User) -> Q:
    """Numbers of studies on what this person still reads blind."""
    blind = Study.objects.filter(release__dataset__in=datasets_read_by(user)).values_list("pk", flat=True)
    return Q(subject_id__in=[str(pk) for pk in blind])


register(KIND, run=_run, hidden=_hidden, label="Calibration", unit="results")
