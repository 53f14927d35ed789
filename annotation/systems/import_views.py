"""Importing outputs in the browser, and the page of one import, of items or of outputs."""

import csv
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotation.datasets.errors import DatasetError, UploadError
from annotation.datasets.guards import creators_only, items_visible, person
from annotation.datasets.import_views import GONE
from annotation.datasets.jobs import ImportSummary
from annotation.datasets.models import Dataset, ImportJob, ImportProblem
from annotation.datasets.uploads import Upload, discard_upload, find_upload, stage_upload
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.systems.forms import OutputUploadForm
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission, System, datasets_read_by, imports_seen_by
from annotation.systems.work import ask_for_outputs

KIND = "outputs"
PAGE = 100


@creators_only
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        chosen = {"destination": request.GET.get("destination", ""), "system": request.GET.get("system", "")}
        return _form_page(request, _form(request, initial=chosen))
    if "upload" not in request.POST:
        return _preview(request)
    upload = find_upload(request.POST["upload"], owner=person(request), kind=KIND)
    if upload is None:
        return _form_page(request, _form(request), problem=GONE)
    if "discard" in request.POST:
        discard_upload(upload)
        messages.info(request, "The upload is discarded. Nothing was imported.")
        return redirect("annotation:output-import")
    return _confirm(request, upload)


def _form(request: HttpRequest, *args: Any, **kwargs: Any) -> OutputUploadForm:
    """The form with what this person may choose: nothing of a dataset they are to read blind."""
    user = person(request)
    blind = datasets_read_by(user)
    releases = Release.objects.visible_to(user).exclude(dataset__in=blind)
    return OutputUploadForm(
        *args,
        datasets=Dataset.objects.visible_to(user).exclude(pk__in=blind),
        releases=releases.select_related("dataset"),
        systems=System.objects.visible_to(user),
        **kwargs,
    )


def _form_page(request: HttpRequest, form: OutputUploadForm, *, problem: str = "") -> HttpResponse:
    status = 422 if form.errors or problem else 200
    context = {"form": form, "problem": problem}
    return render(request, "annotation/systems/import_form.html", context, status=status)


def _preview(request: HttpRequest) -> HttpResponse:
    """Stage the file, read and match it without writing, and show what would happen."""
    form = _form(request, request.POST, request.FILES)
    if not form.is_valid():
        return _form_page(request, form)
    try:
        upload = stage_upload(form.cleaned_data["file"], owner=person(request), kind=KIND, said=form.said())
    except UploadError as problem:
        form.add_error("file", str(problem))
        return _form_page(request, form)
    try:
        summary = _look(request, upload)
    except DatasetError as problem:
        discard_upload(upload)
        form.add_error("file", str(problem))
        return _form_page(request, form)
    context = {"upload": upload, "summary": summary, "problems": summary.problems[:100], "said": upload.said}
    return render(request, "annotation/systems/import_preview.html", context)


def _confirm(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Ask for the import; the page of the job shows how far it is and leads to what came in."""
    try:
        job = ask_for_outputs(upload=upload, actor=person(request))
    except DatasetError as problem:
        return _form_page(request, _form(request), problem=str(problem))
    return redirect(job)


def _look(request: HttpRequest, upload: Upload) -> ImportSummary:
    said = upload.said
    return import_outputs(
        path=upload.path,
        dataset_slug=said["dataset"],
        release_version=said["release"],
        system_slug=said["slug"],
        system_name=said["name"],
        system_version=said["version"],
        system_kind=said["kind"],
        actor=person(request),
        layout=said["layout"],
        dry_run=True,
        prepared=upload.folder / "prepared",
    )


@items_visible
@require_safe
def show_import(request: HttpRequest, pk: UUID) -> HttpResponse:
    jobs = imports_seen_by(person(request)).select_related("dataset", "requested_by")
    job = get_object_or_404(jobs, pk=pk)
    context = {
        "job": job,
        "lines": job.new + job.changed + job.unchanged + job.refused,
        "submission": _seen_submission(person(request), job),
        "page_obj": Paginator(job.problems.all(), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "annotation/systems/import_detail.html", context)


def _seen_submission(user: User, job: ImportJob) -> Submission | None:
    submissions = Submission.objects.visible_to(user).filter(import_job=job)
    return submissions.select_related("system_version__system").first()


@items_visible
@require_safe
def download_problems(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The problems of an import as CSV; text that a spreadsheet would run is made inert."""
    job = get_object_or_404(imports_seen_by(person(request)), pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{job.started_at:%Y%m%d-%H%M}-problems.csv"'
    writer = csv.writer(response)
    writer.writerow(["file", "line", "refused", "field", "value", "rule"])
    problem: ImportProblem
    for problem in job.problems.all().iterator(chunk_size=2000):
        refused = "yes" if problem.fatal else "no"
        cells = [problem.file, problem.line or "", refused, problem.field, problem.value, problem.rule]
        writer.writerow([_inert(cell) for cell in cells])
    return response


def _inert(cell: str | int) -> str | int:
    """A spreadsheet takes a cell that begins with one of these for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
