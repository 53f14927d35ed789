"""The page of preferences of a study."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.studies.models import Study
from scoring.leaderboards.charts import axis, dot
from scoring.leaderboards.naming import system_names
from scoring.preferences import services

WIDEST = 6.0


def analyzed_study(request: HttpRequest, slug: str) -> Study:
    """A study whose numbers this person may see; everybody else gets 404."""
    return get_object_or_404(Study.objects.analyzable_by(request.user).select_related("release__dataset"), slug=slug)


@require_safe
def show_preferences(request: HttpRequest, slug: str) -> HttpResponse:
    study = analyzed_study(request, slug)
    found = services.preferences(study)
    shown = _chosen(request.GET.get("criterion", ""), found)
    low, high = (0.0, 1.0) if found["mode"] == "rank" else _span(shown)
    for system in shown["systems"]:
        system["dot"] = dot(system["value"], (system["low"], system["high"]), low=low, high=high)
    context = {
        "study": study,
        "found": found,
        "shown": shown,
        "names": system_names(study),
        "axis": axis(low, high),
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/preferences/preferences.html", context)


def _chosen(asked: str, found: dict[str, Any]) -> dict[str, Any]:
    """The numbers of the criterion asked for, or overall; of a study that grades, none."""
    by_code: dict[str, dict[str, Any]] = {one["code"]: one for one in found["criteria"]}
    return by_code.get(asked) or next(iter(by_code.values()), {"n": 0, "systems": [], "pairs": []})


def _span(shown: dict[str, Any]) -> tuple[float, float]:
    """Limits of the axis: whole numbers around all intervals, with 0 in the middle."""
    ends = [abs(system[name]) for system in shown["systems"] for name in ("value", "low", "high") if system[name]]
    widest = min(WIDEST, float(int(max(ends, default=0.0)) + 1))
    return -widest, widest


@require_safe
def preferences_json(request: HttpRequest, slug: str) -> JsonResponse:
    found = services.preferences(analyzed_study(request, slug))
    return JsonResponse(found, json_dumps_params={"indent": 1})
