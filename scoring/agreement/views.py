"""The agreement page of a study."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.formats import taxonomy
from annotation.studies.models import Study
from scoring.agreement import charts, services
from scoring.agreement.selection import NAMES, SelectionError

STAGE_WORDS = {"without_reference": "without the reference", "with_reference": "with the reference (final)"}


def _study(request: HttpRequest, slug: str) -> Study:
    studies = Study.objects.analyzable_by(request.user).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in NAMES if request.GET.get(name)}


@require_safe
def show_agreement(request: HttpRequest, slug: str) -> HttpResponse:
    study, refused = _study(request, slug), ""
    try:
        found = services.agreement(study, _asked(request))
    except SelectionError as problem:
        found, refused = services.agreement(study), str(problem)
    criteria = {one["code"]: one for one in found["criteria"]}
    chosen = request.GET.get("criterion", "")
    if chosen and chosen not in criteria:
        refused = f"criterion: {chosen[:60]!r} is not in this study; there is {', '.join(criteria)}"
    detail = criteria.get(chosen) or found["criteria"][0]
    estimators = {one["icc_a1"]["estimator"] for one in found["criteria"] if one["icc_a1"]["value"] is not None}
    context = {
        "study": study,
        "agreement": found,
        "refused": refused,
        "fields": _fields(found, detail["code"]),
        "narrowed": bool(_asked(request)) and not refused,
        "any": any(one["n_values"] for one in found["criteria"]),
        "coverages": _coverages(found),
        "estimator": estimators.pop() if len(estimators) == 1 else "",
        "detail": _decorated(detail),
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/agreement/agreement.html", context, status=422 if refused else 200)


def _coverages(found: dict[str, Any]) -> list[str]:
    said = {one[key].get("coverage") for one in found["criteria"] for key in ("alpha", "icc_a1")}
    return sorted(words for words in said if words)


def _fields(found: dict[str, Any], criterion: str) -> list[dict[str, Any]]:
    """The choices of the filter: name, label, options with their words, what is chosen."""
    labels = {"task": "Task", "modality": "Modality", "stage": "Stage", "first": "Reader", "second": "and reader"}
    words: dict[str, Callable[[str], str]] = {
        "task": taxonomy.task_label,
        "modality": taxonomy.modality_label,
        "stage": lambda code: STAGE_WORDS.get(code, code),
    }
    fields: list[dict[str, Any]] = [
        {
            "name": "criterion",
            "label": "Criterion in detail",
            "options": [(one["code"], one["label"]) for one in found["criteria"]],
            "chosen": criterion,
            "all": "",
        }
    ]
    for name, label in labels.items():
        options = found["choices"][name]
        if len(options) < 2:
            continue
        say = words.get(name, str)
        fields.append(
            {
                "name": name,
                "label": label,
                "options": [(code, say(code)) for code in options],
                "chosen": found["selection"][name],
                "all": "" if name == "stage" else "all",
            }
        )
    return fields


def _decorated(detail: dict[str, Any]) -> dict[str, Any]:
    """The chosen criterion with the coordinates of its charts."""
    levels = detail["categories"]
    low, high = levels[0], levels[-1]
    shares = [n / one["n"] for one in detail["severity"] if one["n"] for n in one["counts"]]
    top = max(shares, default=1.0)
    found = detail | {
        "heat": charts.heat_map(detail["pairs"], [one["reader"] for one in detail["severity"]]),
        "axis": charts.axis(low, high, 1),
        "levels": [charts.tidy(level) for level in levels],
        "severity": [
            one
            | {
                "dot": charts.dot(one["mean"], (one["low"], one["high"]), low=low, high=high),
                "bars": charts.distribution(one["counts"], levels, top=top),
            }
            for one in detail["severity"]
        ],
    }
    plotted = detail["bland_altman"]
    if plotted:
        found["plot"] = charts.bland_altman(plotted, low=low, high=high)
        found["limits"] = [(words, plotted[name]) for name, words in charts.LINES.items() if name in plotted]
    return found


@require_safe
def agreement_json(request: HttpRequest, slug: str) -> JsonResponse:
    study = _study(request, slug)
    try:
        found = services.agreement(study, _asked(request))
    except SelectionError as problem:
        return JsonResponse({"error": str(problem)}, status=422)
    return JsonResponse(found, json_dumps_params={"indent": 1})
