"""Pages of datasets and items, and the pictures on them."""

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.assets.quarantine import held_among, refuse_quarantined
from annotation.datasets.forms import ItemFilterForm
from annotation.datasets.guards import items_visible, person
from annotation.datasets.known import INPUT_NAMES
from annotation.datasets.models import Dataset, ImportJob, Item, ItemImage, ItemRevision
from annotation.datasets.selections import ItemFilter, filtered_items, shows_quarantined, tallies, unmapped_terms
from annotation.datasets.services import may_curate
from annotation.formats import NOTES, ordered_sections

PAGE = 50
RISKS = {
    "burned_in_text": "The file says that text is drawn into the pixels.",
    "burned_in_unknown": "The file does not say whether text is drawn into the pixels; its kind often has some.",
    "face_possible": "A face could be rebuilt from this volume.",
}


@items_visible
@require_safe
def list_datasets(request: HttpRequest) -> HttpResponse:
    accepted = Count("items", filter=Q(items__state=Item.State.ACCEPTED))
    datasets = Dataset.objects.visible_to(person(request)).annotate(n_items=Count("items"), n_accepted=accepted)
    return render(request, "annotation/datasets/dataset_list.html", {"datasets": datasets})


@items_visible
@require_safe
def show_dataset(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = get_object_or_404(Dataset.objects.visible_to(person(request)), slug=slug)
    counted = tallies(dataset)
    curates = may_curate(person(request), dataset)
    by_state = {tally.code: tally.n for tally in counted["state"]}
    context = {
        "dataset": dataset,
        "tallies": counted,
        "n_items": sum(by_state.values()),
        "n_open": by_state.get("imported", 0) + by_state.get("in_review", 0),
        "n_fix": by_state.get("needs_fix", 0),
        "n_accepted": by_state.get("accepted", 0),
        "unmapped": unmapped_terms(dataset),
        "may_curate": curates,
        "n_quarantined": dataset.items.filter(shows_quarantined()).count() if curates else 0,
        "n_members": dataset.members.count() if dataset.members_only else 0,
        "jobs": dataset.import_jobs.filter(kind=ImportJob.Kind.ITEMS).select_related("requested_by")[:10],
    }
    return render(request, "annotation/datasets/dataset_detail.html", context)


@items_visible
@require_safe
def list_items(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = get_object_or_404(Dataset.objects.visible_to(person(request)), slug=slug)
    form = ItemFilterForm(request.GET)
    valid = form.is_valid()
    wanted = form.wanted() if valid else ItemFilter()
    items = filtered_items(dataset, wanted) if valid else filtered_items(dataset, wanted).none()
    page = Paginator(items, PAGE).get_page(request.GET.get("page"))
    context = {"dataset": dataset, "form": form, "wanted": wanted, "page_obj": page}
    context["may_curate"] = may_curate(person(request), dataset)
    return render(request, "annotation/datasets/item_list.html", context, status=200 if valid else 422)


@items_visible
@require_safe
def show_item(request: HttpRequest, pk: UUID) -> HttpResponse:
    visible = Item.objects.visible_to(person(request)).select_related("dataset", "current_revision")
    item = get_object_or_404(visible, pk=pk)
    revision = item.current_revision
    if revision is None:
        raise Http404("The item has no revision.")
    images = list(revision.images.select_related("asset"))
    shut = held_among(image.asset_id for image in images)
    curates = may_curate(person(request), item.dataset)
    for image in images:
        image.in_quarantine = image.asset_id in shut  # type: ignore[attr-defined]
        image.is_shown = curates or image.asset_id not in shut  # type: ignore[attr-defined]
    context = {
        "item": item,
        "may_curate": curates,
        "n_quarantined": len(shut),
        "revision": revision,
        "images": images,
        "risks": _risks(images),
        "sections": ordered_sections(revision.reference_sections) if revision.reference_sections else None,
        "notes": [NOTES.get(note, note) for note in revision.notes],
        "raw_terms": [(name, value) for name, value in revision.raw_terms.items() if name != INPUT_NAMES],
        "revisions": item.revisions.select_related("author").order_by("-number"),
        "aliases": item.aliases.all(),
        "case_items": _same_case(item),
    }
    return render(request, "annotation/datasets/item_detail.html", context)


def _risks(images: list[ItemImage]) -> list[str]:
    """What a person should look for in the pixels, which no cleaning of headers removes."""
    flags = {flag for image in images for flag in image.asset.flags}
    return [words for flag, words in RISKS.items() if flag in flags]


def _same_case(item: Item) -> list[Item]:
    """Other items of the case, at most twenty."""
    if not item.case_key:
        return []
    return list(item.dataset.items.filter(case_key=item.case_key).exclude(pk=item.pk)[:20])


def _asset(request: HttpRequest, pk: UUID, index: int) -> Asset:
    """The picture at this place of the item's present revision, inputs first; in quarantine for curators only."""
    visible = ItemRevision.objects.filter(current_of__in=Item.objects.visible_to(person(request)).filter(pk=pk))
    images = ItemImage.objects.filter(revision__in=visible).select_related("asset", "revision__item__dataset")
    found = list(images.order_by("role", "position"))
    if index >= len(found):
        raise Http404("The item has no such image.")
    curates = may_curate(person(request), found[index].revision.item.dataset)
    refuse_quarantined(found[index].asset, curates=curates)
    return found[index].asset


def _scope(pk: UUID, index: int) -> str:
    return f"item:{pk}:{index}"


@items_visible
@require_safe
def image_frames(request: HttpRequest, pk: UUID, index: int) -> HttpResponse:
    data_url = reverse("annotation:image-data", args=[pk, index])
    return serving.frames_header_response(_asset(request, pk, index), data_url=data_url, etag_scope=_scope(pk, index))


@items_visible
@require_safe
def image_data(request: HttpRequest, pk: UUID, index: int) -> HttpResponseBase:
    return serving.frames_data_response(request, _asset(request, pk, index), etag_scope=_scope(pk, index))


@items_visible
@require_safe
def image_thumbnail(request: HttpRequest, pk: UUID, index: int) -> HttpResponse:
    return serving.thumbnail_response(_asset(request, pk, index), etag_scope=_scope(pk, index))
