"""The coordinator's page of the leak scan: what was searched, what was found, what tells systems apart."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.grading import work
from annotation.studies.errors import StudyError
from annotation.studies.models import Study
from annotation.studies.views import frame, signed_in, unread_study
from annotation.work.models import Job
from annotation.work.views import progress_context


@require_safe
def show_leaks(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, unread_study(signed_in(request), slug))


def _page(request: HttpRequest, study: Study, *, problem: str = "", status: int = 200) -> HttpResponse:
    running = Job.objects.open().filter(kind=work.KIND, subject_id=str(study.pk)).first()
    seen = running if running is not None and Job.objects.visible_to(request.user).filter(pk=running.pk) else None
    context = {
        **frame(request, study, "blinding"),
        "last": work.last_report(study),
        "running": running,
        **(progress_context(seen) if seen is not None else {}),
        "n_readings": study.readings.exclude(status="void").count(),
        "sample": work.SAMPLE,
        "typed": request.POST.get("words", ""),
        "problem": problem,
    }
    return render(request, "annotation/studies/blinding_leaks.html", context, status=status)


@require_POST
def scan_leaks(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    study = unread_study(user, slug)
    try:
        words = work.read_words(request.POST.get("words", ""))
        sample = {"all": None, "sample": work.SAMPLE}.get(request.POST.get("which", "sample"), work.SAMPLE)
        work.ask_for_scan(study=study, actor=user, sample=sample, words=words)
    except StudyError as problem:
        return _page(request, study, problem=str(problem), status=422)
    return redirect("annotation:blinding-leaks", slug)
