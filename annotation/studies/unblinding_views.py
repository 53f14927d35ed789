"""The page of the steps from the lock to names, and its acts: ask, withdraw, confirm, freeze again."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.people.models import User
from annotation.studies import freezing, revealing
from annotation.studies.errors import StudyError, StudyStateError
from annotation.studies.models import Study
from annotation.studies.views import signed_in, unblinding_context


def _ask(study: Study, user: User, reason: str) -> str:
    revealing.ask_for_names(study=study, actor=user, reason=reason)
    return "Asked. A second person confirms it on this page."


def _withdraw(study: Study, user: User, reason: str) -> str:
    revealing.withdraw_request(study=study, actor=user)
    return "Withdrawn. The names stay withheld."


def _confirm(study: Study, user: User, reason: str) -> str:
    revealing.confirm(study=study, actor=user)
    return "The study is unblinded. Pages and files name the systems from now on."


def _freeze(study: Study, user: User, reason: str) -> str:
    freezing.freeze_again(study=study, actor=user, reason=reason)
    return "The study is frozen as it is now."


ACTS: dict[str, Callable[[Study, User, str], str]] = {
    "ask": _ask,
    "withdraw": _withdraw,
    "confirm": _confirm,
    "freeze": _freeze,
}


def study_to_unblind(user: User, slug: str, *, act: str = "") -> Study:
    """A study whose numbers this person may see; for an operator one that has no second person; else 404.

    An operator may look and confirm there, and nothing else.
    """
    study = get_object_or_404(Study.objects.select_related("release__dataset"), slug=slug)
    if Study.objects.analyzable_by(user).filter(pk=study.pk).exists():
        return study
    if user.is_operator and act in {"", "confirm"} and revealing.may_confirm(study, revealing.steps_of(study), user):
        return study
    raise Http404("no such study")


@require_safe
def show_unblinding(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, study_to_unblind(signed_in(request), slug))


def _page(request: HttpRequest, study: Study, *, problem: str = "", status: int = 200) -> HttpResponse:
    user = signed_in(request)
    context = {
        "study": study,
        "tab": "unblinding",
        "runs_it": Study.objects.run_by(user).filter(pk=study.pk).exists(),
        "may_analyze": Study.objects.analyzable_by(user).filter(pk=study.pk).exists(),
        "reads_it": not Study.objects.not_read_by(user).filter(pk=study.pk).exists(),
        "problem": problem,
        "typed": request.POST.get("reason", ""),
        **unblinding_context(study, user),
    }
    return render(request, "annotation/studies/study_unblinding.html", context, status=status)


@require_POST
def act_on_names(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    user = signed_in(request)
    study = study_to_unblind(user, slug, act=act)
    try:
        words = ACTS[act](study, user, request.POST.get("reason", ""))
    except StudyStateError as problem:
        return _page(request, study_to_unblind(user, slug, act=act), problem=str(problem), status=409)
    except StudyError as problem:
        return _page(request, study, problem=str(problem), status=422)
    messages.success(request, words)
    if not Study.objects.analyzable_by(user).filter(pk=study.pk).exists():
        return redirect("home")
    return redirect("annotation:study-unblinding", slug)
