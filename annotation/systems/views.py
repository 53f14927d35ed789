"""Pages of systems and submissions, and the pictures of outputs.

A reader of a study that is not locked gets 404 for everything about its release's systems: the querysets say so.
"""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.assets.quarantine import refuse_quarantined
from annotation.datasets.guards import items_visible, person
from annotation.datasets.selections import UNMAPPED
from annotation.datasets.services import may_curate
from annotation.systems import quarantine
from annotation.systems.coverage import CoverageRow, coverage, missing_codes, total
from annotation.systems.forms import OutputFilterForm
from annotation.systems.models import Output, OutputPart, Submission, System

PAGE = 50
MISSING_SHOWN = 200


@items_visible
@require_safe
def list_systems(request: HttpRequest) -> HttpResponse:
    seen = Q(versions__submissions__in=Submission.objects.visible_to(person(request)))
    systems = System.objects.visible_to(person(request)).annotate(
        n_versions=Count("versions", distinct=True),
        n_submissions=Count("versions__submissions", filter=seen, distinct=True),
    )
    return render(request, "annotation/systems/system_list.html", {"systems": systems})


@items_visible
@require_safe
def show_system(request: HttpRequest, slug: str) -> HttpResponse:
    system = get_object_or_404(System.objects.visible_to(person(request)), slug=slug)
    submissions = Submission.objects.visible_to(person(request)).filter(system_version__system=system)
    current = Q(outputs__superseded_by=None)
    submissions = submissions.select_related("system_version", "dataset", "release__dataset").annotate(
        n_expected=Count("outputs", filter=current),
        n_ok=Count("outputs", filter=current & Q(outputs__status=Output.Status.OK)),
        n_missing=Count("outputs", filter=current & Q(outputs__status=Output.Status.MISSING)),
    )
    context = {"system": system, "submissions": submissions.order_by("-created_at")}
    return render(request, "annotation/systems/system_detail.html", context)


@items_visible
@require_safe
def show_submission(request: HttpRequest, pk: UUID) -> HttpResponse:
    visible = Submission.objects.visible_to(person(request))
    related = visible.select_related("system_version__system", "dataset", "release__dataset", "import_job")
    submission = get_object_or_404(related, pk=pk)
    rows = coverage(submission)
    form = OutputFilterForm(request.GET, tasks=_choices(rows, "task"), modalities=_choices(rows, "modality"))
    valid = form.is_valid()
    outputs = _outputs(submission, form.cleaned_data) if valid else Output.objects.none()
    missing = missing_codes(submission)
    context = {
        "submission": submission,
        "system": submission.system_version.system,
        "rows": rows,
        "whole": total(rows),
        "missing": missing[:MISSING_SHOWN],
        "n_missing_more": max(0, len(missing) - MISSING_SHOWN),
        "form": form,
        "page_obj": Paginator(outputs, PAGE).get_page(request.GET.get("page")),
        "shown": _shown_output(request, submission),
        "n_quarantined": quarantine.waiting(submission).count(),
        "may_curate": may_curate(person(request), submission.dataset),
    }
    return render(request, "annotation/systems/submission_detail.html", context, status=200 if valid else 422)


def _choices(rows: list[CoverageRow], name: str) -> list[tuple[str, str]]:
    found = {getattr(row, name) or UNMAPPED: getattr(row, f"{name}_label") for row in rows}
    return sorted(found.items(), key=lambda pair: pair[1])


def _outputs(submission: Submission, wanted: dict[str, Any]) -> QuerySet[Output]:
    outputs = Output.objects.current().filter(submission=submission)
    if wanted["status"]:
        outputs = outputs.filter(status=wanted["status"])
    if wanted["task"]:
        outputs = outputs.filter(revision__task=wanted["task"])
    if wanted["modality"]:
        modality = "" if wanted["modality"] == UNMAPPED else wanted["modality"]
        outputs = outputs.filter(revision__modality=modality)
    related = outputs.select_related("revision__item").prefetch_related("parts")
    return related.order_by("revision__item__number")


def _shown_output(request: HttpRequest, submission: Submission) -> Output | None:
    """The output chosen by `?output=` to be looked at beside its item, or None."""
    chosen = request.GET.get("output", "")
    try:
        wanted = UUID(chosen)
    except ValueError:
        if chosen:
            raise Http404("No such output.") from None
        return None
    outputs = Output.objects.filter(submission=submission).select_related("revision__item")
    return get_object_or_404(outputs.prefetch_related("parts", "revision__images"), pk=wanted)


def _asset(request: HttpRequest, pk: UUID, index: int) -> Asset:
    """The picture of an output at this position of its parts."""
    submissions = Submission.objects.visible_to(person(request))
    parts = OutputPart.objects.filter(output__submission__in=submissions, output=pk, kind=OutputPart.Kind.IMAGE)
    part = get_object_or_404(parts.select_related("asset", "output__submission__dataset"), position=index)
    assert part.asset is not None
    refuse_quarantined(part.asset, curates=may_curate(person(request), part.output.submission.dataset))
    return part.asset


def _scope(pk: UUID, index: int) -> str:
    return f"output:{pk}:{index}"


@items_visible
@require_safe
def output_frames(request: HttpRequest, pk: UUID, index: int) -> HttpResponse:
    asset = _asset(request, pk, index)
    data_url = reverse("annotation:output-data", args=[pk, index])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=_scope(pk, index))


@items_visible
@require_safe
def output_data(request: HttpRequest, pk: UUID, index: int) -> HttpResponseBase:
    return serving.frames_data_response(request, _asset(request, pk, index), etag_scope=_scope(pk, index))
