"""Pages of the radar: the list, one output with its pictures, and asking an adjudicator about it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotation.adjudication import showing
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError
from annotation.adjudication.services import closed_words
from annotation.assets import serving
from scoring.calibration import radar_access, services
from scoring.calibration.errors import UnknownMeasureError
from scoring.calibration.forms import CaseForm
from scoring.calibration.radar import PRAISED, SIDES, side_of
from scoring.calibration.radar_access import Spot
from scoring.calibration.views import analyzed, criteria_offered, head, is_graded, person

PER_PAGE = 25
WIDTH = 100


@require_safe
def show_radar(request: HttpRequest, slug: str) -> HttpResponse:
    study = analyzed(request, slug)
    criterion = request.GET.get("criterion", "")
    side = request.GET.get("side", PRAISED)
    side = side if side in SIDES else PRAISED
    try:
        found = services.tier_radar(study, criterion)
    except UnknownMeasureError as problem:
        raise Http404(str(problem)) from problem
    page = Paginator(side_of(found["rows"], side), PER_PAGE).get_page(request.GET.get("page", "1"))
    for row in page:
        row["bar"] = bar(row["readers"], row["praise"])
    context = head(request, study, "radar") | {
        "found": found,
        "graded": is_graded(study),
        "page_obj": page,
        "asked": {"criterion": criterion, "side": side},
        "criteria": criteria_offered(study),
        "counts": {name: len(side_of(found["rows"], name)) for name in SIDES},
    }
    return render(request, "scoring/calibration/radar.html", context)


def bar(readers: float, praise: float) -> dict[str, float]:
    """Places of both sides on a line of 100 pixels with a margin of 6."""
    low, high = (round(6 + share * (WIDTH - 12), 1) for share in sorted((readers, praise)))
    return {
        "readers": round(6 + readers * (WIDTH - 12), 1),
        "praise": round(6 + praise * (WIDTH - 12), 1),
        "low": low,
        "high": high,
    }


@require_safe
def show_output(request: HttpRequest, slug: str, row: UUID) -> HttpResponse:
    return _output(request, radar_access.spot(person(request), slug, row))


def _output(
    request: HttpRequest, spot: Spot, *, form: CaseForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    study = spot.study
    case, told = radar_access.grades_told(spot)
    rows = {one["key"]: one for one in services.tier_radar(study)["rows"]}
    place: dict[str, Any] | None = rows.get(str(spot.key))
    criteria = radar_access.criteria(study)
    reason, about = "", next((code for code in criteria if code.endswith(":overall")), "")
    if place is not None:
        reason = (
            f"Radar of tier disagreement: by metrics in place {place['praise']:.2f} of 1, by readers in place "
            f"{place['readers']:.2f} (mean {place['mean']:.2f})."
        )
    context = head(request, study, "radar") | {
        "spot": spot,
        "row": place,
        "content": radar_access.content(spot, reverse("scoring:radar-frames", args=[study.slug, spot.key, 0])),
        "grades": told,
        "lines": showing.compared(study, case, told),
        "closed": closed_words(study),
        "problem": problem,
        "form": form or CaseForm(initial={"reason": reason, "about": about}, criteria=list(criteria.values())),
    }
    return render(request, "scoring/calibration/radar_detail.html", context, status=status)


@require_POST
def ask_for_case(request: HttpRequest, slug: str, row: UUID) -> HttpResponse:
    user = person(request)
    spot = radar_access.spot(user, slug, row)
    radar_access.refuse_whom_it_is_not_for(spot.study, user)
    form = CaseForm(request.POST, criteria=list(radar_access.criteria(spot.study).values()))
    if not form.is_valid():
        return _output(request, spot, form=form, status=422)
    try:
        radar_access.ask(spot, actor=user, **form.cleaned_data)
    except AdjudicationError as problem:
        return _output(request, spot, form=form, problem=str(problem), status=422)
    except AdjudicationStateError as problem:
        return _output(request, spot, form=form, problem=str(problem), status=409)
    messages.success(request, "Asked for. An adjudicator who did not grade this output decides.")
    return redirect("scoring:radar-detail", slug, row)


@require_safe
def send_frames_header(request: HttpRequest, slug: str, row: UUID, pane: int) -> HttpResponse:
    asset, scope = radar_access.asset_of(radar_access.spot(person(request), slug, row), pane)
    data_url = reverse("scoring:radar-data", args=[slug, row, pane])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=scope)


@require_safe
def send_frames_data(request: HttpRequest, slug: str, row: UUID, pane: int) -> HttpResponseBase:
    asset, scope = radar_access.asset_of(radar_access.spot(person(request), slug, row), pane)
    return serving.frames_data_response(request, asset, etag_scope=scope)
