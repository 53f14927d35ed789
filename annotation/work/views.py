"""Pages of jobs: what was asked for, how far it is, stopping it and letting it go on."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.people.models import User
from annotation.work import services
from annotation.work.errors import WorkError
from annotation.work.models import Chunk, Job
from annotation.work.poking import n_workers
from annotation.work.progress import progress_of

PER_PAGE = 50
SHOWN_FAILURES = 100


def _job(request: HttpRequest, pk: UUID) -> Job:
    return get_object_or_404(Job.objects.visible_to(request.user).select_related("requested_by"), pk=pk)


@require_safe
def list_jobs(request: HttpRequest) -> HttpResponse:
    jobs = Job.objects.visible_to(request.user).select_related("requested_by")
    page = Paginator(jobs, PER_PAGE).get_page(request.GET.get("page", "1"))
    context = {"page": page, "page_obj": page, "n_workers": n_workers()}
    return render(request, "annotation/work/job_list.html", context)


def progress_context(job: Job) -> dict[str, Any]:
    """What the progress fragment shows; other rooms include it on their own pages."""
    return {"job": job, "progress": progress_of(job), "no_worker": job.is_open and not n_workers()}


@require_safe
def show_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, _job(request, pk))


def _page(request: HttpRequest, job: Job, *, problem: str = "", status: int = 200) -> HttpResponse:
    failed = job.chunks.filter(state=Chunk.State.FAILED)
    context = {
        **progress_context(job),
        "failed": failed[:SHOWN_FAILURES],
        "n_failed": failed.count(),
        "problem": problem,
        "may_act": _may_act(request, job),
    }
    return render(request, "annotation/work/job_detail.html", context, status=status)


def _may_act(request: HttpRequest, job: Job) -> bool:
    user = request.user
    return isinstance(user, User) and (user.is_operator or job.requested_by_id == user.pk)


@require_safe
def show_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    return render(request, "annotation/work/_job_progress.html", progress_context(_job(request, pk)))


@require_POST
def cancel_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _act(request, pk, services.cancel, "The job stops; what is done stays.")


@require_POST
def resume_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _act(request, pk, services.resume, "The job goes on where it stopped.")


def _act(request: HttpRequest, pk: UUID, act: Any, words: str) -> HttpResponse:
    job = _job(request, pk)
    assert isinstance(request.user, User)
    try:
        act(job, request.user)
    except WorkError as problem:
        return _page(request, job, problem=f"{problem}.", status=409)
    messages.success(request, words)
    return redirect(job)
