"""The quarantine of a dataset and the page of one picture: look, confirm, or mask."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from annotation.assets import serving
from annotation.assets.models import Asset, PixelVerdict
from annotation.curation import quarantine
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.quarantine_forms import HELD, MASK, TAKE, VerdictForm
from annotation.curation.views import curators_only
from annotation.datasets.guards import person
from annotation.datasets.models import Dataset, ItemImage
from annotation.datasets.services import refuse_unless_member

PAGE = 50
REASONS = (
    "No text is in the picture.",
    "The text identifies nobody: laterality, scale, settings.",
    "It named the patient.",
    "It named the institution or a person.",
    "It showed a date or a number of the examination.",
)


def _dataset(request: HttpRequest, slug: str) -> Dataset:
    dataset = get_object_or_404(Dataset.objects.visible_to(person(request)), slug=slug)
    refuse_unless_member(person(request), dataset)
    return dataset


def _asset(dataset: Dataset, pk: UUID) -> Asset:
    return get_object_or_404(quarantine.used_in(dataset), pk=pk)


@curators_only
@require_safe
def list_quarantine(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = _dataset(request, slug)
    shown = ItemImage.objects.filter(revision__current_of__dataset=dataset).select_related("revision__item")
    waiting = quarantine.waiting(dataset).prefetch_related(Prefetch("item_images", shown, to_attr="places"))
    page = Paginator(waiting, PAGE).get_page(request.GET.get("page"))
    first = page.object_list[0] if page.object_list else None
    context = {"dataset": dataset, "page_obj": page, "first": first, "masked": PixelVerdict.Kind.MASKED}
    return render(request, "annotation/curation/quarantine_list.html", context)


@curators_only
@require_http_methods(["GET", "POST"])
def judge_image(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    dataset = _dataset(request, slug)
    asset = _asset(dataset, pk)
    form = VerdictForm(request.POST or None, label_suffix="")
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _decide(request, dataset, asset, form.cleaned_data)
            except ReviewError as problem:
                for field, words in problem.problems:
                    form.add_error(field if field in form.fields else None, words)
            except StaleRevisionError as problem:
                form.add_error(None, str(problem))
                status = 409
    context = _context(dataset, asset, form)
    return render(request, "annotation/curation/quarantine_detail.html", context, status=status)


def _context(dataset: Dataset, asset: Asset, form: VerdictForm) -> dict[str, Any]:
    verdicts = list(asset.verdicts.select_related("reviewer").order_by("-number"))
    newest = verdicts[0] if verdicts else None
    shown = ItemImage.objects.filter(asset=asset, revision__current_of__dataset=dataset)
    return {
        "dataset": dataset,
        "asset": asset,
        "form": form,
        "verdicts": verdicts,
        "newest": newest,
        "seen": newest.number if newest else 0,
        "takes_place": asset.masks_of.exists(),
        "is_masked": newest is not None and newest.kind == PixelVerdict.Kind.MASKED,
        "in_quarantine": Asset.objects.in_quarantine().filter(pk=asset.pk).exists(),
        "places": list(shown.select_related("revision__item").order_by("revision__item__number")),
        "n_waiting": quarantine.waiting(dataset).count(),
        "reasons": REASONS,
    }


def _decide(request: HttpRequest, dataset: Dataset, asset: Asset, said: dict[str, Any]) -> HttpResponse:
    judgment = quarantine.Judgment(asset, dataset, person(request), said["reason"], said["seen"])
    if said["act"] == MASK:
        verdict = quarantine.mask_image(judgment, rectangles=said["rectangles"])
        messages.success(request, "Masked. This is what is stored now; the unmasked pixels were removed.")
        assert verdict.replacement is not None
        return redirect("annotation:quarantine-detail", dataset.slug, quarantine.standing(verdict.replacement).pk)
    if said["act"] == TAKE:
        items = quarantine.take_masked(judgment)
        messages.success(request, f"{len(items)} items show the masked image now.")
    else:
        quarantine.judge_image(judgment, kind=said["act"])
        words = "It stays in quarantine." if said["act"] == HELD else "The image left the quarantine."
        messages.success(request, words)
    following = quarantine.waiting(dataset).exclude(pk=asset.pk).first()
    if following is None:
        return redirect("annotation:quarantine-list", dataset.slug)
    return redirect("annotation:quarantine-detail", dataset.slug, following.pk)


def _scope(pk: UUID) -> str:
    return f"quarantine:{pk}"


@curators_only
@require_safe
def image_frames(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    asset = _asset(_dataset(request, slug), pk)
    data_url = reverse("annotation:quarantine-data", args=[slug, pk])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=_scope(pk))


@curators_only
@require_safe
def image_data(request: HttpRequest, slug: str, pk: UUID) -> HttpResponseBase:
    return serving.frames_data_response(request, _asset(_dataset(request, slug), pk), etag_scope=_scope(pk))


@curators_only
@require_safe
def image_thumbnail(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse:
    return serving.thumbnail_response(_asset(_dataset(request, slug), pk), etag_scope=_scope(pk))
