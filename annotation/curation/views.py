"""The curator's queue and the page of one review."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation.curation import quarantine, services, workflow
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.forms import FixForm, ReviewForm
from annotation.curation.models import Review
from annotation.datasets.models import Dataset, Item, ItemRevision
from annotation.datasets.services import refuse_unless_member
from annotation.people.models import User

PAGE = 50
DISPUTED = "disputed"
View = Callable[..., HttpResponseBase]


def curators_only(view: View) -> View:
    """404 for those who see no items, 403 for those who see them and do not curate."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not isinstance(user, User) or not user.may_see_items:
            raise Http404
        if not user.is_curator:
            raise PermissionDenied("Reviewing items is a curator's work.")
        return view(request, *args, **kwargs)

    return guarded


def waiting_for(user: User, dataset: Dataset) -> QuerySet[Item]:
    """Items whose present revision this person has not judged, oldest first."""
    mine = Review.objects.filter(revision=OuterRef("current_revision"), reviewer=user)
    return dataset.items.filter(~Exists(mine), state__in=[Item.State.IMPORTED, Item.State.IN_REVIEW]).order_by(
        "-state", "number"
    )


def disputed(dataset: Dataset) -> QuerySet[Item]:
    """Items on which at least two people have spoken and which are still undecided: a third one settles them."""
    people = Count("current_revision__reviews__reviewer", distinct=True)
    items = dataset.items.filter(state=Item.State.IN_REVIEW).annotate(n_people=people)
    return items.filter(n_people__gte=workflow.PEOPLE_NEEDED).order_by("number")


@curators_only
@require_safe
def review_queue(request: HttpRequest, slug: str) -> HttpResponse:
    assert isinstance(request.user, User)
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), slug=slug)
    refuse_unless_member(request.user, dataset)
    state = request.GET.get("state", "")
    items: QuerySet[Item]
    if state in Item.State.values:
        items = dataset.items.filter(state=state).order_by("number")
    elif state == DISPUTED:
        items = disputed(dataset)
    else:
        state, items = "", waiting_for(request.user, dataset)
    counted = items.select_related("current_revision").annotate(n_reviews=Count("current_revision__reviews"))
    page = Paginator(counted, PAGE).get_page(request.GET.get("page"))
    context = {
        "dataset": dataset,
        "page_obj": page,
        "state": state,
        "states": [*Item.State.choices, (DISPUTED, "in disagreement")],
        "n_disputed": disputed(dataset).count(),
        "n_quarantined": quarantine.waiting(dataset).count(),
        "status": services.review_status(dataset),
        "n_waiting": waiting_for(request.user, dataset).count(),
        "first": waiting_for(request.user, dataset).first(),
    }
    return render(request, "annotation/curation/review_queue.html", context)


@curators_only
@require_http_methods(["GET", "POST"])
def review_item(request: HttpRequest, pk: UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    item = _item(request, pk)
    revision = item.current_revision
    assert revision is not None
    questions = list(services.present_checklist().questions.all())
    form = ReviewForm(questions, request.POST or None, initial=_initial(revision), label_suffix="")
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _store(request, item, form)
            except ReviewError as problem:
                for field, words in problem.problems:
                    form.add_error(field if field in form.fields else None, words)
            except StaleRevisionError as problem:
                form.add_error(None, str(problem))
                status = 409
    context = {
        "item": item,
        "revision": revision,
        "dataset": item.dataset,
        "form": form,
        "images": list(revision.images.select_related("asset").order_by("role", "position")),
        "quarantined": services.quarantined_places(revision),
        "reviews": revision.reviews.select_related("reviewer").prefetch_related("reasons"),
        "n_waiting": waiting_for(request.user, item.dataset).count(),
        "people_needed": workflow.PEOPLE_NEEDED,
    }
    return render(request, "annotation/curation/review_form.html", context, status=status)


def _initial(revision: ItemRevision) -> dict[str, Any]:
    return {"synopsis": revision.synopsis, "why_selected": revision.why_selected, "revision": str(revision.pk)}


def _item(request: HttpRequest, pk: UUID) -> Item:
    assert isinstance(request.user, User)
    visible = Item.objects.visible_to(request.user).select_related("dataset", "current_revision")
    item = get_object_or_404(visible, pk=pk)
    refuse_unless_member(request.user, item.dataset)
    return item


def _store(request: HttpRequest, item: Item, form: ReviewForm) -> HttpResponse:
    assert isinstance(request.user, User)
    seen = request.POST.get("revision", str(item.current_revision_id))
    if seen != str(item.current_revision_id):
        raise StaleRevisionError(f"{item.code} has a newer revision; look at it again before you decide.")
    assert item.current_revision is not None
    services.review_item(
        revision=item.current_revision,
        reviewer=request.user,
        verdict=form.cleaned_data["verdict"],
        answers=form.answers(),
        synopsis=form.cleaned_data["synopsis"],
        why_selected=form.cleaned_data["why_selected"],
        comment=form.cleaned_data["comment"],
    )
    item.refresh_from_db()
    messages.success(request, f"{item.code}: {form.cleaned_data['verdict']}. It is now {item.get_state_display()}.")
    following = waiting_for(request.user, item.dataset).first()
    if following is None:
        return redirect("annotation:review-queue", item.dataset.slug)
    return redirect("annotation:review-create", following.pk)


@curators_only
@require_http_methods(["GET", "POST"])
def fix_item(request: HttpRequest, pk: UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    item = _item(request, pk)
    stored = item.current_revision
    assert stored is not None
    stored.reason = ""
    form = FixForm(request.POST or None, instance=stored, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            services.fix_item(
                item=item, author=request.user, changes=form.changes(), reason=form.cleaned_data["reason"]
            )
        except ReviewError as problem:
            for field, words in problem.problems:
                form.add_error(field if field in form.fields else None, words)
        else:
            messages.success(request, f"{item.code} has a new revision and starts its review anew.")
            return redirect(item)
    status = 422 if request.method == "POST" else 200
    context = {"item": item, "dataset": item.dataset, "form": form}
    return render(request, "annotation/curation/item_fix.html", context, status=status)
