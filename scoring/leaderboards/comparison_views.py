"""The comparison page of a study, its JSON, and long tables for other programs."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.studies.models import Study
from scoring.agreement.charts import around
from scoring.leaderboards.charts import axis, dot, groups_plot
from scoring.leaderboards.comparison import COMPOSITE, ComparisonError, comparison
from scoring.leaderboards.long_tables import long_table
from scoring.leaderboards.naming import system_names
from scoring.leaderboards.views import analyzable_study


def _asked(request: HttpRequest) -> dict[str, str]:
    return {
        "measure": request.GET.get("measure") or COMPOSITE,
        "format_name": request.GET.get("format", ""),
    }


@require_safe
def show_comparison(request: HttpRequest, slug: str) -> HttpResponse:
    study, refused = analyzable_study(request, slug), ""
    try:
        found = comparison(study, **_asked(request))
    except ComparisonError as problem:
        found, refused = comparison(study), str(problem)
    context = {
        "study": study,
        "found": found,
        "refused": refused,
        "names": system_names(study),
        "rows": _rows(found, system_names(study)),
        "plot": groups_plot(found["systems"], found["groups"]),
        "facets": _facets(found),
        "label": next(one["label"] for one in found["measures"] if one["code"] == found["measure"]),
        "is_composite": found["measure"] == COMPOSITE,
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/leaderboards/comparison.html", context, status=422 if refused else 200)


def _rows(found: dict[str, Any], names: dict[str, str]) -> list[dict[str, Any]]:
    """Systems with their words, groups and rank stability."""
    rows = []
    for one in found["systems"]:
        moved = found["stability"].get(one["code"])
        rows.append(
            one
            | {
                "name": names.get(one["code"], one["code"]),
                "groups": [at for at, run in enumerate(found["groups"], start=1) if one["code"] in run],
                "moved": moved if moved and moved["best"] != moved["worst"] else None,
            }
        )
    return rows


def _facets(found: dict[str, Any]) -> dict[str, Any] | None:
    """The severity-adjusted board with charts beside plain means; None for the composite."""
    facets = found["facets"]
    if facets is None or facets["reason"]:
        return facets if facets is None else dict(facets)
    ends = [row[end] for row in facets["systems"] for end in ("low", "high", "adjusted")]
    low, high = around(ends, found["low"], found["high"])
    sign = -1.0 if found["higher_is_better"] else 1.0
    systems = sorted(facets["systems"], key=lambda one: sign * one["adjusted"])
    return dict(facets) | {
        "axis": axis(low, high),
        "systems": [
            one | {"dot": dot(one["adjusted"], (one["low"], one["high"]), low=low, high=high)} for one in systems
        ],
    }


@require_safe
def comparison_json(request: HttpRequest, slug: str) -> JsonResponse:
    study = analyzable_study(request, slug)
    try:
        found = comparison(study, **_asked(request))
    except ComparisonError as problem:
        return JsonResponse({"error": str(problem)}, status=422)
    return JsonResponse(found, json_dumps_params={"indent": 1, "ensure_ascii": False})


@require_safe
def imrmc_csv(request: HttpRequest, slug: str) -> HttpResponse:
    return _long_csv(request, slug, "imrmc")


@require_safe
def mrmcaov_csv(request: HttpRequest, slug: str) -> HttpResponse:
    return _long_csv(request, slug, "mrmcaov")


def _long_csv(request: HttpRequest, slug: str, layout: str) -> HttpResponse:
    study = analyzable_study(request, slug)
    try:
        text = long_table(study, layout=layout, measure=request.GET.get("measure", ""))
    except ComparisonError as problem:
        return HttpResponse(str(problem), status=422, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{study.slug}-{layout}.csv"'
    return answer
