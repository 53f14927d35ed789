"""The declared composite of a study: what it is made of, and a form for other weights."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.studies.models import Study
from scoring.composites import services
from scoring.composites.errors import CompositeError
from scoring.composites.models import Composite, CompositeComponent


@require_http_methods(["GET", "POST"])
def edit_composite(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.analyzable_by(request.user), slug=slug)
    runs_it = Study.objects.run_by(request.user).filter(pk=study.pk).exists()
    composite = services.present_composite(study)
    components = list(composite.components.order_by("format", "position"))
    typed: dict[int, str] = {}
    errors: dict[str, str] = {}
    if request.method == "POST":
        typed = {row.pk: request.POST.get(f"weight-{row.pk}", "") for row in components}
        errors = _change(request, study, typed)
        if not errors:
            messages.success(request, "The weights are declared as a new version.")
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
    }
    return render(request, "scoring/composites/composite.html", context, status=422 if errors else 200)


def _change(request: HttpRequest, study: Study, typed: dict[int, str]) -> dict[str, str]:
    """Declare what was typed; returns problems by field."""
    if not Study.objects.run_by(request.user).filter(pk=study.pk).exists():
        raise PermissionDenied("Declaring the composite is the coordinator's act.")
    assert isinstance(request.user, User)
    weights, errors = {}, {}
    for key, text in typed.items():
        try:
            weights[key] = float(text.replace(",", "."))
        except ValueError:
            errors[f"weight-{key}"] = f"{text[:20]!r} is not a number"
    if errors:
        return errors
    try:
        services.change_composite(
            study=study, weights=weights, weighting=request.POST.get("weighting", ""), actor=request.user
        )
    except CompositeError as problem:
        return dict(problem.problems)
    return {}


def _groups(
    components: list[CompositeComponent], typed: dict[int, str], errors: dict[str, str]
) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for row in components:
        group = groups.setdefault(
            row.format,
            {"label": taxonomy.format_label(row.format), "error": errors.get(row.format, ""), "rows": []},
        )
        field = f"weight-{row.pk}"
        value = typed.get(row.pk, f"{row.weight:.6g}")
        group["rows"].append({"component": row, "field": field, "value": value, "error": errors.get(field, "")})
    return list(groups.values())
