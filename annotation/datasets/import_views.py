"""Importing items in the browser: upload, look at what would happen, confirm."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotation.datasets.errors import DatasetError, UploadError
from annotation.datasets.forms import ItemUploadForm
from annotation.datasets.guards import curators_only, person
from annotation.datasets.importing import import_items
from annotation.datasets.jobs import ImportSummary
from annotation.datasets.models import Dataset
from annotation.datasets.uploads import Upload, discard_upload, find_upload, stage_upload
from annotation.datasets.work import ask_for_items

KIND = "items"
GONE = "This upload is no longer there: it was imported, given up, or older than a day. Choose the file again."


@curators_only
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        chosen = {"dataset": request.GET.get("dataset", "")}
        return _form_page(request, ItemUploadForm(datasets=_datasets(request), initial=chosen))
    if "upload" not in request.POST:
        return _preview(request)
    upload = find_upload(request.POST["upload"], owner=person(request), kind=KIND)
    if upload is None:
        form = ItemUploadForm(datasets=_datasets(request))
        return _form_page(request, form, problem=GONE)
    if "discard" in request.POST:
        discard_upload(upload)
        messages.info(request, "The upload is discarded. Nothing was imported.")
        return redirect("annotation:item-import")
    return _confirm(request, upload)


def _datasets(request: HttpRequest) -> QuerySet[Dataset]:
    return Dataset.objects.curated_by(person(request))


def _form_page(request: HttpRequest, form: ItemUploadForm, *, problem: str = "") -> HttpResponse:
    status = 422 if form.errors or problem else 200
    context = {"form": form, "problem": problem}
    return render(request, "annotation/datasets/import_form.html", context, status=status)


def _preview(request: HttpRequest) -> HttpResponse:
    """Stage the file, read and match it without writing, and show what would happen."""
    form = ItemUploadForm(request.POST, request.FILES, datasets=_datasets(request))
    if not form.is_valid():
        return _form_page(request, form)
    said = {"slug": form.cleaned_data["slug"], "layout": form.cleaned_data["layout"]}
    try:
        upload = stage_upload(form.cleaned_data["file"], owner=person(request), kind=KIND, said=said)
    except UploadError as problem:
        form.add_error("file", str(problem))
        return _form_page(request, form)
    try:
        summary = _look(request, upload)
    except DatasetError as problem:
        discard_upload(upload)
        form.add_error("file", str(problem))
        return _form_page(request, form)
    context = {"upload": upload, "summary": summary, "problems": summary.problems[:100], "said": said}
    return render(request, "annotation/datasets/import_preview.html", context)


def _confirm(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Ask for the import; the page of the job shows how far it is and leads to what came in."""
    try:
        job = ask_for_items(upload=upload, actor=person(request))
    except DatasetError as problem:
        return _form_page(request, ItemUploadForm(datasets=_datasets(request)), problem=str(problem))
    return redirect(job)


def _look(request: HttpRequest, upload: Upload) -> ImportSummary:
    return import_items(
        path=upload.path,
        dataset_slug=upload.said["slug"],
        actor=person(request),
        layout=upload.said["layout"],
        dry_run=True,
        prepared=upload.folder / "prepared",
    )
