"""The leaderboard page, its JSON, and the receipt behind every number."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.formats import taxonomy
from annotation.studies.models import Study
from scoring.leaderboards import services
from scoring.leaderboards.charts import axis, dot
from scoring.leaderboards.naming import component_label, system_names

SERIES = {"pixel": "s1", "semantic": "s2", "clinical": "s3"}


def analyzable_study(request: HttpRequest, slug: str) -> Study:
    """A study whose numbers this person may see; everybody else gets 404."""
    studies = Study.objects.analyzable_by(request.user).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


@require_safe
def show_leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    study = analyzable_study(request, slug)
    board = services.leaderboard(study, adjudicated=_adjudicated(request))
    for system in board["systems"]:
        _decorate(system)
        moved = board["rank_stability"].get(system["code"])
        system["moved"] = moved if moved and moved["best"] != moved["worst"] else None
    for one in board["formats"]:
        _decorate_format(one)
    for row in board["disagreements"]:
        row["metric_label"] = component_label(row["metric"])
    context = {
        "study": study,
        "board": board,
        "flags": {
            name: sum(system[name] for system in board["systems"]) for name in ("n_vetoed", "n_refuted", "n_pending")
        },
        "names": system_names(study),
        "axis": axis(0, 1),
        "formats": [(one["format"], one["label"]) for one in board["formats"]],
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/leaderboards/leaderboard.html", context)


def _adjudicated(request: HttpRequest) -> bool:
    """Whether decided values are asked for in place of readers' grades; anything else means readers' own."""
    return request.GET.get("values") == services.ADJUDICATED


def _decorate(system: dict[str, Any]) -> None:
    system["dot"] = dot(system["composite"], (system["low"], system["high"]), low=0, high=1)
    system["formats"] = list(system["components"].items())


def _decorate_format(one: dict[str, Any]) -> None:
    for system in one["systems"]:
        _decorate(system)
    for component in one["components"]:
        component["label"] = component_label(component["code"])
        component["series"] = SERIES[component["tier"]]
        low, high = sorted((component["low"], component["high"]))
        component["axis"] = axis(low, high, 1)
        for row in component["systems"].values():
            row["dot"] = dot(row["mean"], (row["low"], row["high"]), low=low, high=high)
    letters = [system["code"] for system in one["systems"]]
    one["rows"] = [
        (system, [(component, component["systems"][letter]) for component in one["components"]])
        for letter, system in zip(letters, one["systems"], strict=True)
    ]


@require_safe
def leaderboard_json(request: HttpRequest, slug: str) -> JsonResponse:
    board = services.leaderboard(analyzable_study(request, slug), adjudicated=_adjudicated(request))
    return JsonResponse(board, json_dumps_params={"indent": 1, "ensure_ascii": False})


@require_safe
def show_receipt(request: HttpRequest, slug: str, letter: str) -> HttpResponse:
    study = analyzable_study(request, slug)
    name = request.GET.get("format") or None
    try:
        found = services.receipt(study, letter, name, adjudicated=_adjudicated(request))
    except KeyError as problem:
        raise Http404 from problem
    lines = [
        (line, taxonomy.task_label(line.row.task), [(component_label(part.code), part) for part in line.parts])
        for line in found["lines"]
    ]
    context = found | {
        "lines": lines,
        "study": study,
        "letter": letter,
        "name": system_names(study)[letter],
        "format_label": taxonomy.format_label(name) if name else "all formats",
    }
    return render(request, "scoring/leaderboards/receipt.html", context)
