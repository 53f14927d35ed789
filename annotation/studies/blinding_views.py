"""The coordinator's page of unblinding risks: what was found, what was decided, scanning again."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.studies import blinding, unblinding
from annotation.studies.errors import StudyError
from annotation.studies.models import Study, UnblindingRisk
from annotation.studies.views import frame, signed_in, unread_study

PER_PAGE = 50


@require_safe
def show_blinding(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, unread_study(signed_in(request), slug))


def _page(request: HttpRequest, study: Study, *, problem: str = "", status: int = 200) -> HttpResponse:
    risks = study.unblinding_risks.select_related("output__revision__item", "decided_by")
    letters = dict(study.study_systems.values_list("submission_id", "letter")) if study.names_are_open else {}
    page = Paginator(risks, PER_PAGE).get_page(request.GET.get("page", "1"))
    for risk in page:
        risk.letter = letters.get(risk.output.submission_id, "–")  # type: ignore[attr-defined]
    counts = {
        kind.label: (risks.filter(kind=kind).count(), risks.filter(kind=kind, decision="open").count(), kind.value)
        for kind in UnblindingRisk.Kind
    }
    context = {
        **frame(request, study, "blinding"),
        "page": page,
        "page_obj": page,
        "counts": counts,
        "n_open": sum(n for _, n, _ in counts.values()),
        "last": unblinding.last_scan(study),
        "guesses": blinding.guesses_of(study),
        "problem": problem,
    }
    return render(request, "annotation/studies/study_blinding.html", context, status=status)


@require_POST
def scan_blinding(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    n_open = unblinding.scan(study=unread_study(user, slug), actor=user)
    messages.success(
        request, f"Scanned. {n_open} risks wait for a decision." if n_open else "Scanned. Nothing waits."
    )
    return redirect("annotation:study-blinding", slug)


@require_POST
def decide_blinding(request: HttpRequest, slug: str) -> HttpResponse:
    """One risk by its number, or all open ones of a kind."""
    user = signed_in(request)
    study = unread_study(user, slug)
    risks = study.unblinding_risks.filter(decision=UnblindingRisk.Decision.OPEN)
    number, kind = request.POST.get("risk", ""), request.POST.get("kind", "")
    if number.isascii() and number.isdigit() and len(number) < 15:
        risks = study.unblinding_risks.filter(pk=int(number))
    elif kind in UnblindingRisk.Kind.values:
        risks = risks.filter(kind=kind)
    else:
        return _page(request, study, problem="Choose a risk, or a kind of them.", status=422)
    try:
        n = unblinding.decide(
            risks=risks, decision=request.POST.get("decision", ""), reason=request.POST.get("reason", ""), actor=user
        )
    except StudyError as problem:
        return _page(request, study, problem=str(problem), status=422)
    messages.success(request, f"{n} decided.")
    return redirect("annotation:study-blinding", slug)
