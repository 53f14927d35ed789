"""Releases of a dataset: list, freeze, look at one, its manifest."""

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation.curation.services import review_status
from annotation.datasets.models import Dataset
from annotation.datasets.services import may_curate, refuse_unless_member
from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.releases import services
from annotation.releases.errors import FreezeError
from annotation.releases.forms import FreezeForm
from annotation.releases.models import Release


def _dataset(request: HttpRequest, slug: str) -> Dataset:
    return get_object_or_404(Dataset.objects.visible_to(request.user), slug=slug)


def _release(request: HttpRequest, slug: str, version: str) -> Release:
    releases = Release.objects.visible_to(request.user).select_related("dataset", "frozen_by")
    return get_object_or_404(releases, dataset__slug=slug, version=version)


@require_safe
def list_releases(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = _dataset(request, slug)
    releases = dataset.releases.annotate(n_items=Count("release_items")).order_by("-frozen_at")
    context = {"dataset": dataset, "releases": releases, "status": review_status(dataset)}
    context["may_curate"] = isinstance(request.user, User) and may_curate(request.user, dataset)
    return render(request, "annotation/releases/release_list.html", context)


@require_http_methods(["GET", "POST"])
def freeze_release(request: HttpRequest, slug: str) -> HttpResponse:
    dataset = _dataset(request, slug)
    if not (isinstance(request.user, User) and request.user.is_curator):
        raise PermissionDenied("Freezing a release is a curator's act.")
    refuse_unless_member(request.user, dataset)
    form = FreezeForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            job = services.ask_for_release(dataset=dataset, actor=request.user, **form.cleaned_data)
        except FreezeError as problem:
            for words in problem.blockers:
                form.add_error("version" if words.startswith("version:") else None, words)
        else:
            return redirect(job)
    context = {
        "dataset": dataset,
        "form": form,
        "status": review_status(dataset),
        "blockers": services.blockers(dataset=dataset),
        "n_here": services.releasable(dataset).count(),
        "n_elsewhere": services.releasable(dataset, validated_elsewhere="stated").count(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/releases/release_freeze.html", context, status=status)


@require_safe
def show_release(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    release = _release(request, slug, version)
    rows = [
        row
        | {
            "format_label": taxonomy.format_label(row["format"]),
            "task_label": taxonomy.task_label(row["task"]),
            "modality_label": taxonomy.modality_label(row["modality"]),
        }
        for row in services.composition(release)
    ]
    context = {"release": release, "dataset": release.dataset, "rows": rows, "n_items": sum(row["n"] for row in rows)}
    return render(request, "annotation/releases/release_detail.html", context)


@require_safe
def show_manifest(request: HttpRequest, slug: str, version: str) -> JsonResponse:
    release = _release(request, slug, version)
    answer = JsonResponse(services.manifest(release), json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-{version}-manifest.json"'
    return answer
