"""The page on which a coordinator says what training items expect."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotation.studies import training
from annotation.studies.errors import DesignError, StudyStateError
from annotation.studies.models import Study
from annotation.studies.views import frame, signed_in, unread_study


@require_http_methods(["GET", "POST"])
def show_training(request: HttpRequest, slug: str) -> HttpResponse:
    user = signed_in(request)
    study = unread_study(user, slug)
    problems: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            expected, problems = _typed(request, study)
            if not problems:
                code, feedback = request.POST.get("item", ""), request.POST.get("feedback", "")
                training.expect(study=study, code=code, expected=expected, feedback=feedback, actor=user)
                messages.success(request, f"{code} is saved.")
                return redirect("annotation:study-training", study.slug)
            status = 422
        except DesignError as problem:
            problems, status = [str(each) for each in problem.problems], 422
        except StudyStateError as problem:
            problems, status = [str(problem)], 409
    return _page(request, study, problems, status)


def _typed(request: HttpRequest, study: Study) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Label → criterion → [lowest, highest] of the fields that are filled; one number alone counts for both."""
    found: dict[str, dict[str, Any]] = {}
    problems = []
    for name in request.POST:
        label, _, criterion = name.partition(".")
        if not criterion or label in ("", "csrfmiddlewaretoken"):
            continue
        words = [each.strip() for each in request.POST.getlist(name)[:2]]
        words = [each for each in words if each]
        if not words:
            continue
        try:
            numbers = [float(each.replace(",", ".")) for each in words]
        except ValueError:
            problems.append(f"{criterion} of {label}: {' to '.join(words)[:40]}: must be numbers")
            continue
        found.setdefault(label, {})[criterion] = [numbers[0], numbers[-1]]
    return found, problems


def _page(request: HttpRequest, study: Study, problems: list[str], status: int) -> HttpResponse:
    criteria = training.criteria_of(study)
    rows = [
        {
            "one": one,
            "outputs": [
                (label, [(criterion, one.expected[label].get(criterion.code, ["", ""])) for criterion in criteria])
                for label in one.letters
            ],
        }
        for one in training.training_items(study)
    ]
    context = {
        **frame(request, study, "training"),
        "rows": rows,
        "problems": problems,
        "is_draft": study.state == Study.State.DRAFT,
    }
    return render(request, "annotation/studies/study_training.html", context, status=status)
