"""Pages of adjudication: the queue, one case with its decision, reopening, and requests of coordinators."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.adjudication import access, services, showing
from annotation.adjudication.access import Part
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError, OwnGradeError
from annotation.adjudication.forms import DecisionForm, ReopenForm, RequestForm
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.grading import presentation
from annotation.grading.answers import workstation
from annotation.studies.views import frame, signed_in
from annotation.systems.models import Output

PER_PAGE = 50


@require_safe
def list_cases(request: HttpRequest, slug: str) -> HttpResponse:
    return _queue(request, access.part_in(signed_in(request), slug))


def _queue(request: HttpRequest, part: Part, *, form: RequestForm | None = None, status: int = 200) -> HttpResponse:
    cases, counts = access.cases_for(part)
    asked = {"state": request.GET.get("state", "undecided"), "subject": request.GET.get("subject", "")}
    shown = [case for case in cases if _fits(case, asked)]
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page", "1"))
    revisions = Output.objects.select_related("revision").in_bulk([case.output for case in page])
    if form is None:
        form = RequestForm(study=part.study, criteria=access.criteria_of(part.study))
    context = {
        **_head(request, part),
        "rows": [
            {
                "case": case,
                "revision": revisions[case.output].revision,
                "subject": showing.subject_words(case),
                "trigger": showing.trigger_words(case),
                "decision": showing.decision_words(case.decision),
            }
            for case in page
        ],
        "page_obj": page,
        "counts": counts,
        "own": counts["all"] - counts["waiting"] - len(cases),
        "asked": asked,
        "states": ["undecided", "open", "reopened", "decided", "all"],
        "subjects": Adjudication.Subject.choices,
        "by_subject": access.by_subject(cases),
        "next_case": access.next_open(cases) if part.decides else None,
        "form": form,
    }
    return render(request, "annotation/adjudication/case_list.html", context, status=status)


def _fits(case: Case, asked: dict[str, str]) -> bool:
    state, subject = asked["state"], asked["subject"]
    of_state = state == "all" or (case.is_undecided if state == "undecided" else case.state == state)
    return of_state and (not subject or case.subject == subject)


def _head(request: HttpRequest, part: Part) -> dict[str, Any]:
    return {
        **frame(request, part.study, "adjudication"),
        "runs_it": part.runs_it,
        "decides": part.decides,
        "closed": services.closed_words(part.study),
    }


@require_POST
def ask_for_case(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    part = access.part_in(user, slug)
    if not part.runs_it:
        raise PermissionDenied("Only coordinators of this study ask for a case.")
    criteria = access.criteria_of(part.study)
    form = RequestForm(request.POST, study=part.study, criteria=criteria)
    if form.is_valid():
        data = form.cleaned_data
        criterion = next((one for one in criteria if str(one.pk) == data["about"]), None)
        try:
            services.request(
                study=part.study,
                output=access.output_read(part.study, data["reader"], data["reading"], data["label"].strip()),
                subject=data["about"] if criterion is None else Adjudication.Subject.CRITERION,
                criterion=criterion,
                actor=user,
                reason=data["reason"],
            )
        except (LookupError, AdjudicationError, AdjudicationStateError) as problem:
            form.add_error(None, str(problem.args[0]))
        else:
            messages.success(request, "The case is asked for; it opens when all readers of the output are done.")
            return redirect("annotation:adjudication-list", slug)
    return _queue(request, part, form=form, status=422)


@require_http_methods(["GET", "POST"])
def show_case(request: HttpRequest, slug: str, key: UUID) -> HttpResponse:
    user = signed_in(request)
    part = access.part_in(user, slug)
    case = access.case_for(part, key)
    if request.method != "POST":
        return _case(request, part, case)
    if not part.decides:
        raise PermissionDenied("Only adjudicators of this study decide.")
    form = DecisionForm(request.POST, case=case)
    if not form.is_valid():
        return _case(request, part, case, form=form, status=422)
    try:
        services.decide(study=part.study, key=key, actor=user, decision=form.entered())
    except AdjudicationError as problem:
        return _case(request, part, case, form=form, problem=str(problem), status=422)
    except AdjudicationStateError as problem:
        return _case(request, part, access.case_for(part, key), form=form, problem=str(problem), status=409)
    except OwnGradeError as problem:
        raise PermissionDenied(str(problem)) from problem
    messages.success(request, "Decided. The grades stay as they are.")
    following = access.next_open(access.cases_for(part)[0], after=key)
    if following is None:
        return redirect("annotation:adjudication-list", slug)
    return redirect("annotation:adjudication-detail", slug, following.key)


@require_POST
def reopen_case(request: HttpRequest, slug: str, key: UUID) -> HttpResponse:
    user = signed_in(request)
    part = access.part_in(user, slug)
    case = access.case_for(part, key)
    form = ReopenForm(request.POST)
    if not form.is_valid():
        return _case(request, part, case, reopening=form, status=422)
    data = form.cleaned_data
    try:
        services.reopen(study=part.study, key=key, actor=user, reason=data["reason"], seen=data["seen"])
    except AdjudicationError as problem:
        return _case(request, part, case, reopening=form, problem=str(problem), status=422)
    except AdjudicationStateError as problem:
        return _case(request, part, case, reopening=form, problem=str(problem), status=409)
    messages.success(request, "Reopened. The first decision stays in the chain.")
    return redirect("annotation:adjudication-detail", slug, key)


def _case(
    request: HttpRequest,
    part: Part,
    case: Case,
    *,
    form: DecisionForm | None = None,
    reopening: ReopenForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    study = part.study
    told = showing.grades_told(study, case)
    cases, counts = access.cases_for(part)
    frames = reverse("annotation:adjudication-frames", args=[study.slug, case.key, 0])
    context = {
        **_head(request, part),
        "case": case,
        "subject": showing.subject_words(case),
        "trigger": showing.trigger_words(case),
        "content": showing.content(study, case, frames),
        "grades": told,
        "lines": showing.compared(study, case, told),
        "acts": showing.acts_told(case),
        "decision": showing.decision_words(case.decision),
        "form": form or DecisionForm(case=case),
        "reopening": reopening or ReopenForm(initial={"seen": case.seen}),
        "next_case": access.next_open(cases, after=case.key),
        "n_left": counts["open"] + counts["reopened"],
        "problem": problem,
    }
    return render(request, "annotation/adjudication/case_detail.html", context, status=status)


def _pane_asset(request: HttpRequest, slug: str, key: UUID, pane: int) -> tuple[Asset, str]:
    part = access.part_in(signed_in(request), slug)
    shown = showing.presented(access.output_of_case(part, key))
    presentation.refuse_shut(shown)
    return shown.asset_of(pane), f"adjudication {part.study.pk} {key} {pane}"


@workstation
@require_safe
def send_frames_header(request: HttpRequest, slug: str, key: UUID, pane: int) -> HttpResponse:
    asset, scope = _pane_asset(request, slug, key, pane)
    data_url = reverse("annotation:adjudication-data", args=[slug, key, pane])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=scope)


@workstation
@require_safe
def send_frames_data(request: HttpRequest, slug: str, key: UUID, pane: int) -> HttpResponseBase:
    asset, scope = _pane_asset(request, slug, key, pane)
    return serving.frames_data_response(request, asset, etag_scope=scope)
