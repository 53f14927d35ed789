"""The declared composite of a study with a form for another one, and grades combined with metrics."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.studies import naming
from annotation.studies.models import Study
from scoring.agreement import charts
from scoring.composites import services
from scoring.composites.charts import simplex_plot
from scoring.composites.combination import combination
from scoring.composites.errors import CompositeError
from scoring.composites.models import Composite, CompositeComponent

OUTCOMES = {
    "Missing, empty, declined, unreadable, error": "0 in the headline; left out of “only scored”",
    "Lacks a tier": "left out and counted, by reason",
    "Severe flag confirmed": "0 under any weights (veto)",
    "Moderate flag confirmed": "clinical part at most 0.25",
    "Severe flag pending": "both outcomes are printed",
    "Severe flag refuted": "its value, counted as refuted",
    "Identical to the reference": "top of the declared range in the composite; no number in the metric's own mean",
}


@require_http_methods(["GET", "POST"])
def edit_composite(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.analyzable_by(request.user), slug=slug)
    runs_it = Study.objects.run_by(request.user).filter(pk=study.pk).exists()
    composite = services.present_composite(study)
    components = list(composite.components.order_by("format", "position"))
    typed: dict[str, str] = {}
    errors: dict[str, str] = {}
    if request.method == "POST":
        typed = _typed(request, components)
        errors = _change(request, study, typed)
        if not errors:
            messages.success(request, "The composite is declared as a new version.")
            return redirect("scoring:composite", slug)
    context = {
        "study": study,
        "composite": composite,
        "formats": _groups(components, typed, errors),
        "weightings": Composite.Weighting.choices,
        "weighting": request.POST.get("weighting", composite.weighting),
        "versions": study.composites.order_by("-version").select_related("created_by"),
        "errors": errors,
        "runs_it": runs_it,
        "may_change": runs_it and not study.is_final,
        "states": [(state, OUTCOMES[state]) for state in OUTCOMES],
    }
    return render(request, "scoring/composites/composite.html", context, status=422 if errors else 200)


def _typed(request: HttpRequest, components: list[CompositeComponent]) -> dict[str, str]:
    """What was typed by field; a transform that was not sent stays as it is."""
    typed = {f"weight-{row.pk}": request.POST.get(f"weight-{row.pk}", "") for row in components}
    for row in components:
        for end, value in (("low", row.low), ("high", row.high)):
            typed[f"{end}-{row.pk}"] = request.POST.get(f"{end}-{row.pk}", f"{value:.6g}")
    return typed


def _change(request: HttpRequest, study: Study, typed: dict[str, str]) -> dict[str, str]:
    """Declare what was typed; returns problems by field."""
    if not Study.objects.run_by(request.user).filter(pk=study.pk).exists():
        raise PermissionDenied("Declaring the composite is the coordinator's act.")
    assert isinstance(request.user, User)
    numbers, errors = {}, {}
    for field, text in typed.items():
        try:
            numbers[field] = float(text.replace(",", "."))
        except ValueError:
            errors[field] = f"{text[:20]!r} is not a number"
    if errors:
        return errors
    keys = [int(field.removeprefix("weight-")) for field in numbers if field.startswith("weight-")]
    try:
        services.change_composite(
            study=study,
            weights={key: numbers[f"weight-{key}"] for key in keys},
            transforms={key: (numbers[f"low-{key}"], numbers[f"high-{key}"]) for key in keys},
            weighting=request.POST.get("weighting", ""),
            actor=request.user,
        )
    except CompositeError as problem:
        return dict(problem.problems)
    return {}


def _groups(
    components: list[CompositeComponent], typed: dict[str, str], errors: dict[str, str]
) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for row in components:
        group = groups.setdefault(
            row.format,
            {"label": taxonomy.format_label(row.format), "error": errors.get(row.format, ""), "rows": []},
        )
        fields = [
            {
                "name": f"{end}-{row.pk}",
                "label": f"{words} {row.source}",
                "value": typed.get(f"{end}-{row.pk}", f"{value:.6g}"),
                "error": errors.get(f"{end}-{row.pk}", ""),
            }
            for end, words, value in (
                ("low", "Raw value worth 0 of", row.low),
                ("high", "Raw value worth 1 of", row.high),
                ("weight", "Weight of", row.weight),
            )
        ]
        group["rows"].append({"component": row, "fields": fields})
    return list(groups.values())


@require_safe
def show_combination(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.analyzable_by(request.user), slug=slug)
    found = combination(study)
    context = {
        "study": study,
        "found": found,
        "formats": [_with_charts(one) for one in found["formats"]],
        "simplex": simplex_plot(found["simplex"]),
        "names": naming.system_names(study),
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/composites/combination.html", context)


def _with_charts(one: dict[str, Any]) -> dict[str, Any]:
    """A format with two dots per system: grades alone, and grades with metrics."""
    if one["low"] is None:
        return one
    shown = [row for row in one["systems"] if row["estimate"] is not None]
    ends = [row[end] for row in shown for end in ("low", "high", "plain_low", "plain_high")]
    low, high = charts.around(ends, *sorted((one["low"], one["high"])))
    systems = [
        row
        | {
            "dot": charts.dot(row["estimate"], (row["low"], row["high"]), low=low, high=high),
            "plain_dot": charts.dot(row["plain"], (row["plain_low"], row["plain_high"]), low=low, high=high),
        }
        if row["estimate"] is not None
        else row
        for row in one["systems"]
    ]
    return one | {
        "systems": systems,
        "axis": charts.axis(low, high),
        "any": any(row["estimate"] is not None for row in systems),
    }


@require_safe
def combination_json(request: HttpRequest, slug: str) -> JsonResponse:
    study = get_object_or_404(Study.objects.analyzable_by(request.user), slug=slug)
    return JsonResponse(combination(study), json_dumps_params={"indent": 1, "ensure_ascii": False})
