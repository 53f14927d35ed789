"""Metric values of a submission, computing them in slices, and the fragment on an item's page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.datasets.models import Item
from annotation.people.models import User
from annotation.systems.models import Output, Submission
from annotation.work.models import Job
from scoring.runs.services import current_values, outputs_to_do, present_settings
from scoring.runs.summaries import metric_matrix, metric_summaries
from scoring.runs.work import KIND, ask_for_metrics


def _submission(request: HttpRequest, pk: UUID) -> Submission:
    visible = Submission.objects.visible_to(request.user).select_related("system_version__system", "release__dataset")
    return get_object_or_404(visible, pk=pk)


@require_safe
def list_metrics(request: HttpRequest, pk: UUID) -> HttpResponse:
    submission = _submission(request, pk)
    context = {"submission": submission, "summaries": metric_summaries(submission), **_progress(submission)}
    return render(request, "scoring/runs/metric_list.html", context)


def _progress(submission: Submission) -> dict[str, object]:
    total = Output.objects.current().filter(submission=submission).count()
    waiting = outputs_to_do([submission], list(present_settings().values())).count()
    job = Job.objects.open().filter(kind=KIND, subject_id=str(submission.pk)).first()
    return {"n_total": total, "n_waiting": waiting, "n_done": total - waiting, "job": job}


@require_POST
def compute_metrics(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask for what is missing as a job, and lead to its page, which shows how far it is."""
    submission = _submission(request, pk)
    assert isinstance(request.user, User)
    return redirect(ask_for_metrics(submissions=[submission], actor=request.user))


@require_safe
def item_metrics(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Values of every system's output for one item; nothing of releases this person still reads."""
    item = get_object_or_404(Item.objects.visible_to(request.user), pk=pk)
    seen = Submission.objects.visible_to(request.user)
    outputs = Output.objects.current().filter(revision=item.current_revision_id, submission__in=seen)
    values = (
        current_values(outputs)
        .exclude(reason="not_applicable")
        .select_related("settings", "output__submission__system_version__system")
        .order_by("settings__tier", "settings__label", "output__submission__number", "-subject")
    )
    context = {"item": item, **metric_matrix(values)}
    return render(request, "scoring/runs/_item_metrics.html", context)
