"""Pages of studies: the list, the form, the coordinator's board, people, balance, and the rubrics."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.people.models import User
from annotation.releases.models import Release
from annotation.studies import balance, freezing, progress, reminding, revealing, services
from annotation.studies.errors import DesignError, StudyError, StudyStateError
from annotation.studies.forms import EnrollmentForm, ReleaseForm, StudyForm
from annotation.studies.models import Enrollment, Rubric, Study, StudyItem
from annotation.systems.models import Submission

ACTS = {
    "pilot": (services.pilot_study, "The pilot runs. What is graded now enters no result."),
    "open": (services.open_study, "The study is open. Its readings are drawn and stored."),
    "pause": (services.pause_study, "The study is paused. Drafts are kept."),
    "resume": (services.resume_study, "The study runs again."),
    "lock": (services.lock_study, "The study is locked and its numbers are frozen. Two people unblind it."),
}


def signed_in(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def coordinated_study(user: User, slug: str) -> Study:
    """404 for a stranger to the study, 403 for whoever is in it and does not run it."""
    study = get_object_or_404(Study.objects.visible_to(user).select_related("release__dataset"), slug=slug)
    if not Study.objects.run_by(user).filter(pk=study.pk).exists():
        raise PermissionDenied("Only coordinators of this study see its board.")
    return study


def unread_study(user: User, slug: str) -> Study:
    """A study this person runs and whose outputs they do not read blind themselves; else 404."""
    study = coordinated_study(user, slug)
    if not Study.objects.not_read_by(user).filter(pk=study.pk).exists():
        raise Http404("You read outputs of this dataset blind.")
    return study


def study_with_open_flags(user: User, slug: str) -> Study:
    """A study this person runs and may see others' grades of; 403 while own readings wait."""
    study = coordinated_study(user, slug)
    if not Study.objects.flags_open_to(user).filter(pk=study.pk).exists():
        raise PermissionDenied("You read here yourself: what others said opens when all your readings are submitted.")
    return study


@require_safe
def list_studies(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {"rows": progress.my_studies(user), "may_create": user.may_create_studies}
    return render(request, "annotation/studies/study_list.html", context)


@require_http_methods(["GET", "POST"])
def create_study(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if not user.may_see_items:
        raise Http404("no such page")
    if not user.may_create_studies:
        raise PermissionDenied("Only study creators make studies.")
    releases = offered_releases(user)
    chosen = request.GET.get("release", "")
    release = next((each for each in releases if str(each) == chosen), None)
    if release is None:
        form = ReleaseForm({"release": chosen} if chosen else None, releases=releases)
        context = {"form": form, "releases": releases, "step": 1}
        return render(request, "annotation/studies/study_form.html", context, status=422 if chosen else 200)
    return _second_step(request, user, release)


def offered_releases(user: User) -> list[Release]:
    submissions = Submission.objects.visible_to(user).filter(is_fixture=False, release__state=Release.State.FROZEN)
    releases = Release.objects.visible_to(user).filter(pk__in=submissions.values("release")).select_related("dataset")
    return list(releases.order_by("dataset__slug", "-frozen_at"))


def _second_step(request: HttpRequest, user: User, release: Release) -> HttpResponse:
    form = StudyForm(request.POST if request.method == "POST" else None, release=release, user=user)
    if request.method == "POST" and form.is_valid() and (design := form.design()) is not None:
        try:
            study = services.create_study(design=design, actor=user)
        except DesignError as problem:
            form.add_problems(problem)
        else:
            messages.success(request, f"{study} is made as a draft. Look at its balance, then open it.")
            return redirect("annotation:study-balance", study.slug)
    context = {"form": form, "release": release, "step": 2}
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/studies/study_form.html", context, status=status)


@require_safe
def show_study(request: HttpRequest, slug: str) -> HttpResponse:
    """The coordinator's board; others are led to the numbers, the cases or the worklist."""
    user = signed_in(request)
    study = get_object_or_404(Study.objects.visible_to(user), slug=slug)
    if Study.objects.run_by(user).filter(pk=study.pk).exists():
        return _board(request, coordinated_study(user, slug))
    if Study.objects.analyzable_by(user).filter(pk=study.pk).exists():
        return redirect("scoring:preferences" if study.compares else "scoring:leaderboard", slug)
    own = study.enrollments.filter(user=user, active=True)
    if not own.filter(role=Enrollment.Role.READER).exists() and own.filter(role=Enrollment.Role.ADJUDICATOR).exists():
        return redirect("annotation:adjudication-list", slug)
    return redirect("annotation:reading-list", slug)


def frame(request: HttpRequest, study: Study, tab: str) -> dict[str, Any]:
    """What the head and the tabs of every page of a study need."""
    opened = study.state != Study.State.DRAFT
    may_analyze = opened and Study.objects.analyzable_by(signed_in(request)).filter(pk=study.pk).exists()
    unread = Study.objects.not_read_by(signed_in(request)).filter(pk=study.pk).exists()
    return {"study": study, "tab": tab, "runs_it": True, "may_analyze": may_analyze, "reads_it": not unread}


def unblinding_context(study: Study, user: User) -> dict[str, Any]:
    """The steps from the lock to names, and which of them this person may do."""
    steps = revealing.steps_of(study)
    analyzes = study.is_final and Study.objects.analyzable_by(user).filter(pk=study.pk).exists()
    locked = study.state == Study.State.LOCKED
    return {
        "steps": steps,
        "pending": "0" if steps.frozen is None else steps.frozen.facts.get(freezing.PENDING, "0"),
        "may_ask": locked and analyzes and steps.frozen is not None and steps.asked is None,
        "may_withdraw": locked and analyzes and steps.asked is not None,
        "may_freeze": locked and analyzes,
        "may_confirm": revealing.may_confirm(study, steps, user),
        "needs_operator": revealing.needs_operator(study, steps),
    }


def _board(request: HttpRequest, study: Study, *, problem: str = "", status: int = 200) -> HttpResponse:
    done = progress.overall(study)
    systems = balance.system_names(study, signed_in(request))
    readers = progress.by_reader(study)
    context = {
        **frame(request, study, "board"),
        "problem": problem,
        "done": done,
        "readers": readers,
        "strata": progress.by_stratum(study),
        "pace": progress.pace(study),
        "reminders": reminding.behind(
            study,
            address=request.build_absolute_uri(reverse("annotation:reading-list", args=[study.slug])),
            rows=readers,
        ),
        "next_act": progress.next_act(study, done),
        "systems": systems,
        "system_words": balance.systems_in_words(study, signed_in(request)),
        "rubrics": [row.rubric for row in study.study_rubrics.select_related("rubric")],
        "n_items": study.study_items.filter(role=StudyItem.Role.MAIN).count(),
        "warnings": balance.reader_warnings(study),
        **unblinding_context(study, signed_in(request)),
        "flags_open": Study.objects.flags_open_to(signed_in(request)).filter(pk=study.pk).exists(),
    }
    return render(request, "annotation/studies/study_detail.html", context, status=status)


@require_safe
def show_balance(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    study = coordinated_study(user, slug)
    context = {
        **frame(request, study, "balance"),
        "balance": balance.study_balance(study),
        "systems": balance.system_names(study, user),
    }
    return render(request, "annotation/studies/study_balance.html", context)


@require_POST
def move_study(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    user = signed_in(request)
    study = coordinated_study(user, slug)
    service, words = ACTS[act]
    try:
        service(study=study, actor=user)
    except StudyStateError as problem:
        return _board(request, coordinated_study(user, slug), problem=str(problem), status=409)
    except StudyError as problem:
        return _board(request, coordinated_study(user, slug), problem=str(problem), status=422)
    messages.success(request, words)
    return redirect(study)


@require_http_methods(["GET", "POST"])
def list_people(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    study = coordinated_study(user, slug)
    form = EnrollmentForm(request.POST if request.method == "POST" else None, study=study)
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        person = get_object_or_404(User, username=data["username"])
        try:
            held = services.enroll_person(study=study, user=person, role=data["role"], cap=data["cap"], actor=user)
        except StudyError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, f"{person} is {held.get_role_display()} of this study.")
            return redirect("annotation:enrollment-list", study.slug)
    return _people_page(request, study, form, status=422 if request.method == "POST" else 200)


def _people_page(request: HttpRequest, study: Study, form: EnrollmentForm, *, status: int) -> HttpResponse:
    context = {
        **frame(request, study, "people"),
        "form": form,
        "enrollments": study.enrollments.select_related("user", "replaced_by").order_by(
            "role", "reader_code", "user__username"
        ),
        "warnings": balance.reader_warnings(study),
    }
    return render(request, "annotation/studies/enrollment_list.html", context, status=status)


@require_POST
def change_enrollment(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a role that is held, take one up again that was ended."""
    user = signed_in(request)
    study = coordinated_study(user, slug)
    held = get_object_or_404(Enrollment.objects.select_related("user"), study=study, pk=pk)
    try:
        if held.active:
            services.end_enrollment(enrollment=held, actor=user)
        else:
            services.enroll_person(study=study, user=held.user, role=held.role, actor=user)
    except StudyError as problem:
        form = EnrollmentForm({}, study=study)
        form.full_clean()
        form.errors.clear()
        form.add_error(None, str(problem))
        return _people_page(request, study, form, status=422)
    messages.success(request, "Saved.")
    if held.user_id == user.pk and not Study.objects.run_by(user).filter(pk=study.pk).exists():
        return redirect("annotation:study-list")
    return redirect("annotation:enrollment-list", study.slug)


@require_safe
def show_rubric(request: HttpRequest, code: str, version: str) -> HttpResponse:
    rubric = get_object_or_404(Rubric, code=code, version=version)
    criteria = list(rubric.criteria.prefetch_related("anchors"))
    return render(request, "annotation/studies/rubric_detail.html", {"rubric": rubric, "criteria": criteria})
