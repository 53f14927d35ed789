"""Replacing a reader, letting one in after training, and what training items expect."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotation.people.models import User
from annotation.studies import seats
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.forms import ReplacementForm
from annotation.studies.models import Reading
from annotation.studies.views import coordinated_study, frame, signed_in


@require_http_methods(["GET", "POST"])
def replace_reader(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = signed_in(request)
    study = coordinated_study(user, slug)
    held = get_object_or_404(study.enrollments.select_related("user", "replaced_by"), pk=pk)
    form = ReplacementForm(request.POST or None, study=study)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            person = get_object_or_404(User, username=form.cleaned_data["username"])
            try:
                done = seats.replace_reader(
                    enrollment=held, user=person, actor=user, reason=form.cleaned_data["reason"]
                )
            except StudyError as problem:
                form.add_error(None, str(problem))
                status = 409 if isinstance(problem, StudyStateError) else 422
            else:
                words = f"{done.new.reader_code} has {done.moved} readings of {held.reader_code}; {done.kept} stay."
                messages.success(request, words)
                return redirect("annotation:enrollment-list", study.slug)
    own = held.readings.exclude(status=Reading.Status.VOID)
    context = {
        **frame(request, study, "people"),
        "form": form,
        "held": held,
        "left": own.filter(status__in=Reading.UNSUBMITTED).count(),
        "kept": own.filter(status=Reading.Status.SUBMITTED).count(),
    }
    return render(request, "annotation/studies/reader_replace.html", context, status=status)


@require_POST
def admit_reader(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = signed_in(request)
    study = coordinated_study(user, slug)
    held = get_object_or_404(study.enrollments.all(), pk=pk)
    try:
        seats.admit_reader(enrollment=held, actor=user, reason=request.POST.get("reason", ""))
    except StudyError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{held.reader_code} is admitted.")
    return redirect("annotation:enrollment-list", study.slug)
