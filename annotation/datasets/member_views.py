"""Who is in a dataset: its members, adding and removing them, and whether it is open to them only."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotation.datasets import services
from annotation.datasets.errors import DatasetError
from annotation.datasets.forms import MemberForm
from annotation.datasets.guards import person
from annotation.datasets.models import Dataset
from annotation.people.models import User


def _dataset(request: HttpRequest, slug: str) -> Dataset:
    """A dataset this person sees or keeps; 404 for strangers."""
    user = person(request)
    seen, kept = Dataset.objects.visible_to(user), Dataset.objects.kept_by(user)
    return get_object_or_404(Dataset.objects.filter(Q(pk__in=seen) | Q(pk__in=kept)), slug=slug)


def _kept(request: HttpRequest, slug: str) -> Dataset:
    """404 for strangers, 403 for those who see the dataset and do not curate it."""
    dataset = _dataset(request, slug)
    if not Dataset.objects.kept_by(person(request)).filter(pk=dataset.pk).exists():
        raise PermissionDenied("Its curators and the operator say who is in a dataset.")
    return dataset


@require_http_methods(["GET", "POST"])
def list_members(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "GET":
        return _page(request, _dataset(request, slug), MemberForm())
    dataset = _kept(request, slug)
    form = MemberForm(request.POST)
    if form.is_valid():
        user, role = form.cleaned_data["username"], form.cleaned_data["role"]
        try:
            services.add_member(dataset=dataset, user=user, role=role, actor=person(request))
        except DatasetError as problem:
            form.add_error("username", str(problem))
        else:
            messages.success(request, f"{user} is {role} of {dataset}.")
            return redirect("annotation:member-list", slug)
    return _page(request, dataset, form, status=422)


def _page(
    request: HttpRequest, dataset: Dataset, form: MemberForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "dataset": dataset,
        "members": dataset.members.select_related("user", "added_by").order_by("role", "user__username"),
        "form": form,
        "problem": problem,
        "keeps": Dataset.objects.kept_by(person(request)).filter(pk=dataset.pk).exists(),
        "sees": Dataset.objects.visible_to(person(request)).filter(pk=dataset.pk).exists(),
    }
    return render(request, "annotation/datasets/member_list.html", context, status=status)


@require_POST
def remove_member(request: HttpRequest, slug: str, person: UUID) -> HttpResponse:
    dataset = _kept(request, slug)
    member = User.objects.filter(pk=person, dataset_memberships__dataset=dataset).first()
    if member is None:
        raise Http404("no such member")
    actor = request.user
    assert isinstance(actor, User)
    try:
        services.remove_member(dataset=dataset, user=member, actor=actor)
    except DatasetError as problem:
        return _page(request, dataset, MemberForm(), problem=str(problem), status=422)
    messages.success(request, f"{member} is no longer in {dataset}.")
    if not Dataset.objects.visible_to(actor).filter(pk=dataset.pk).exists() and not actor.is_operator:
        return redirect("annotation:dataset-list")
    return redirect("annotation:member-list", slug)


@require_POST
def change_access(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = _kept(request, slug)
    wanted = request.POST.get("members_only")
    if wanted not in {"yes", "no"}:
        return _page(request, dataset, MemberForm(), problem="members_only: say yes or no", status=422)
    try:
        services.set_members_only(dataset=dataset, members_only=wanted == "yes", actor=person(request))
    except DatasetError as problem:
        return _page(request, dataset, MemberForm(), problem=str(problem), status=422)
    words = "open to its members only" if wanted == "yes" else "open to all curators and study creators"
    messages.success(request, f"{dataset} is {words}.")
    return redirect("annotation:member-list", slug)
