"""Pages of calibration: the courtroom, one certificate, and stating a limit."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotation.grading.models import Grade
from annotation.people.models import User
from annotation.studies.models import Study
from scoring.agreement.charts import bland_altman
from scoring.calibration import services, work
from scoring.calibration.courtroom import sorted_groups
from scoring.calibration.errors import LimitError, UnknownMeasureError
from scoring.calibration.forms import LimitForm
from scoring.calibration.limits import present_limit, state_limit
from scoring.calibration.measures import listed
from scoring.calibration.models import StatedLimit
from scoring.calibration.stored import Result

HEAT_STEPS = 7
HEAT_LOW, HEAT_HIGH = -0.1, 0.95
BY = (("task", "Task"), ("modality", "Modality"), ("both", "Task and modality"))
LINES = ("lower", "bias", "upper")


def analyzed(request: HttpRequest, slug: str) -> Study:
    """A study whose numbers this person may see; everybody else gets 404."""
    studies = Study.objects.analyzable_by(request.user).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


def person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def head(request: HttpRequest, study: Study, here: str) -> dict[str, Any]:
    """What the head of every page of calibration needs."""
    return {
        "study": study,
        "place": here,
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
        "limit": present_limit(study),
    }


@require_safe
def show_courtroom(request: HttpRequest, slug: str) -> HttpResponse:
    study = analyzed(request, slug)
    criterion = request.GET.get("criterion", "")
    found = _found(study, services.COURTROOM, {"criterion": criterion})
    return render(request, "scoring/calibration/courtroom.html", _court(request, study, criterion, found))


def _court(
    request: HttpRequest, study: Study, criterion: str, found: Result | None, *, form: LimitForm | None = None
) -> dict[str, Any]:
    limit = present_limit(study)
    initial = {name: getattr(limit, name) for name in ("kind", "scope", "limit", "passes_from")}
    context = head(request, study, "courtroom") | {
        "asked": {"criterion": criterion, "by": request.GET.get("by", "task"), "sort": request.GET.get("sort", "")},
        "by": BY,
        "criteria": criteria_offered(study),
        "form": form or LimitForm(initial=initial),
        "statements": StatedLimit.objects.filter(study=study).select_related("stated_by"),
        "what": services.COURTROOM,
    }
    return context | (_table(request, found) if found is not None else {})


def _table(request: HttpRequest, found: Result) -> dict[str, Any]:
    """Rows in the order asked for, with the shade of every cell."""
    by = request.GET.get("by", "task")
    by = by if by in {name for name, _ in BY} else "task"
    sort = request.GET.get("sort", "")
    keys = [one["key"] for one in found["measures"]]
    place = keys.index(sort.lstrip("-")) if sort.lstrip("-") in keys else None
    falling = sort.startswith("-")
    everything = [group for group in found["groups"] if group["kind"] == "all"]
    rows = [*everything, *sorted_groups(found["groups"], by, place, falling=falling)]
    for row in rows:
        for one, cell in zip(found["measures"], row["cells"], strict=True):
            cell |= {"step": shade(cell["value"]), "label": one["label"], "key": one["key"]}
    for one in found["measures"]:
        one["next_sort"] = one["key"] if sort == f"-{one['key']}" else f"-{one['key']}"
        one["sorted"] = {one["key"]: "ascending", f"-{one['key']}": "descending"}.get(sort, "")
    n_refused = sum(cell["value"] is None for row in rows for cell in row["cells"])
    return {
        "court": found,
        "rows": rows,
        "n_refused": n_refused,
        "any": any(group["n_graded"] for group in everything),
        "chosen_by": by,
    }


def shade(value: float | None) -> int | None:
    """Step of the heat map, 0 to 6; None without a value."""
    if value is None:
        return None
    share = (value - HEAT_LOW) / (HEAT_HIGH - HEAT_LOW)
    return min(HEAT_STEPS - 1, max(0, int(share * HEAT_STEPS)))


def criteria_offered(study: Study) -> list[tuple[str, str]]:
    rows = study.study_rubrics.order_by("position").values_list(
        "rubric__code", "rubric__criteria__code", "rubric__criteria__label"
    )
    listed = [(f"{rubric}:{code}", f"{rubric}: {label}") for rubric, code, label in rows if code]
    return [*listed, ("safety", "Harm if believed")]


def _found(study: Study, what: str, asked: dict[str, str]) -> Result | None:
    try:
        return work.present(study, what, asked)
    except UnknownMeasureError as problem:
        raise Http404(str(problem)) from problem


@require_safe
def show_certificate(request: HttpRequest, slug: str) -> HttpResponse:
    study = analyzed(request, slug)
    measures = listed(study)
    measure = request.GET.get("measure") or (measures[0].key if measures else "")
    criterion = request.GET.get("criterion", "")
    asked = {"measure": measure, "criterion": criterion}
    graded = is_graded(study)
    found = _found(study, services.CERTIFICATE, asked) if measure and graded else None
    context = head(request, study, "certificate") | {
        "asked": asked,
        "measures": measures,
        "criteria": criteria_offered(study),
        "graded": graded,
        "found": found,
        "what": services.CERTIFICATE,
        "plot": plot(found) if found is not None else None,
    }
    if found is not None:
        context["limits"] = [
            (name, found["limits"].get(key), found["limits"].get(f"{key}_low"), found["limits"].get(f"{key}_high"))
            for key, name in (("bias", "Bias"), ("lower", "Lower limit"), ("upper", "Upper limit"))
        ]
    return render(request, "scoring/calibration/certificate.html", context)


def is_graded(study: Study) -> bool:
    return Grade.objects.filter(reading_output__reading__study=study).exists()


def plot(found: Result) -> dict[str, Any] | None:
    """Coordinates of the Bland–Altman plot; None where there are no limits."""
    limits = found["limits"]
    if limits["bias"] is None:
        return None
    lines = {
        name: {"value": limits[name], "low": limits[f"{name}_low"], "high": limits[f"{name}_high"]} for name in LINES
    }
    low, high = found["criterion"]["scale"]
    points = [[center, apart, n] for center, apart, _, n in found["points"]]
    return bland_altman({"points": points, **lines}, low=low, high=high)


@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """State what a correlation has to reach from now on."""
    study = analyzed(request, slug)
    form = LimitForm(request.POST)
    if form.is_valid():
        try:
            state_limit(study=study, actor=person(request), **form.cleaned_data)
        except LimitError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Stated. Every certificate of this study is held against it.")
            return redirect("scoring:calibration", slug)
    found = _found(study, services.COURTROOM, {"criterion": ""})
    context = _court(request, study, "", found, form=form)
    return render(request, "scoring/calibration/courtroom.html", context, status=422)


@require_POST
def compute(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a large result made as a job; its page shows how far it is and leads back."""
    study = analyzed(request, slug)
    what = request.POST.get("what", "")
    if what not in {services.COURTROOM, services.CERTIFICATE}:
        raise BadRequest("what: choose courtroom or certificate")
    names = ("criterion",) if what == services.COURTROOM else ("measure", "criterion")
    asked = {name: request.POST.get(name, "")[:200] for name in names}
    return redirect(work.ask_for(study=study, what=what, asked=asked, actor=person(request)))
