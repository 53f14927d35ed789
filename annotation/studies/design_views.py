"""The designer beside its form: workload while it is filled in, designs as files, and what training expects."""

import json

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.people.models import User
from annotation.studies import services
from annotation.studies.design_fields import DesignFileForm
from annotation.studies.design_files import design_of, read_design
from annotation.studies.errors import DesignError, StudyStateError
from annotation.studies.forms import StudyForm
from annotation.studies.views import offered_releases, signed_in, unread_study
from annotation.studies.workload import SECONDS_LIMITS, SECONDS_PER_OUTPUT, Workload, workload


def creator(request: HttpRequest) -> User:
    """404 for whoever does not see items, 403 for whoever makes no studies."""
    user = signed_in(request)
    if not user.may_see_items:
        raise Http404("no such page")
    if not user.may_create_studies:
        raise PermissionDenied("Only study creators make studies.")
    return user


@require_POST
def show_workload(request: HttpRequest) -> HttpResponse:
    """A fragment of the form: hours by reader of what is typed so far; a page of its own without scripts."""
    user = creator(request)
    chosen = request.POST.get("of_release", "")
    release = next((each for each in offered_releases(user) if str(each) == chosen), None)
    name = "_workload.html" if request.headers.get("HX-Request") else "study_workload.html"
    page = f"annotation/studies/{name}"
    if release is None:
        problems = [f"Release: {chosen[:100] or 'none'}: is no release that you can make a study of"]
        return render(request, page, {"workload": None, "problems": problems}, status=422)
    typed = request.POST.copy()
    typed["name"] = typed.get("name", "").strip() or "Preview"
    typed["slug"] = ""
    form = StudyForm(typed, release=release, user=user)
    found, problems = _drawn(form, user, _seconds(typed.get("seconds", "")))
    return render(request, page, {"workload": found, "problems": problems})


def _seconds(typed: str) -> int:
    low, high = SECONDS_LIMITS
    return min(max(int(typed), low), high) if typed.isdecimal() and len(typed) < 6 else SECONDS_PER_OUTPUT


def _drawn(form: StudyForm, user: User, seconds: int) -> tuple[Workload | None, list[str]]:
    """The workload, or what is still missing, in words."""
    design = form.design() if form.is_valid() else None
    if design is not None:
        design = form.unnamed(design)
        try:
            return workload(design, actor=user, seconds=seconds), []
        except DesignError as problem:
            form.add_problems(problem)
    labels = {name: str(field.label or name.replace("_", " ").capitalize()) for name, field in form.fields.items()}
    return None, [
        f"{labels[name]}: {error}" if name in labels else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]


@require_http_methods(["GET", "POST"])
def import_design(request: HttpRequest) -> HttpResponse:
    """A study from a design file, as `create_study` reads it."""
    user = creator(request)
    form = DesignFileForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            design = read_design(form.cleaned_data["file"].read())
            study = services.create_study(design=design, actor=user)
        except DesignError as problem:
            problems = [str(each) for each in problem.problems]
        else:
            messages.success(request, f"{study} is made as a draft. Look at its balance, then open it.")
            return redirect("annotation:study-balance", study.slug)
    context = {"form": form, "problems": problems}
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/studies/design_import.html", context, status=status)


@require_safe
def send_design(request: HttpRequest, slug: str) -> HttpResponse:
    study = unread_study(signed_in(request), slug)
    try:
        data = design_of(study)
    except StudyStateError as problem:
        return JsonResponse({"error": str(problem)}, status=409)
    response = HttpResponse(json.dumps(data, indent=2, ensure_ascii=False), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{study.slug}.design.json"'
    return response
