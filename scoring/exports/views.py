"""The score sheet of a study: what it holds, the download, and what was handed out before."""

import shutil
import tempfile
from pathlib import Path
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe

from annotation.people.models import User
from annotation.studies.models import Study
from scoring.exports import services
from scoring.exports.errors import ExportError
from scoring.exports.models import ExportJob
from scoring.exports.work import ask_for_workbook, stored_path
from scoring.exports.workbook import SHEETS

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 50


def _study(request: HttpRequest, slug: str) -> Study:
    """A study whose numbers this person may see; everybody else gets 404."""
    studies = Study.objects.analyzable_by(request.user).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


@require_safe
def list_exports(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, _study(request, slug))


@require_GET
def download_workbook(request: HttpRequest, slug: str) -> HttpResponse | FileResponse:
    study = _study(request, slug)
    assert isinstance(request.user, User)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        try:
            job = services.export_workbook(study=study, out=path, actor=request.user)
        except ExportError as problem:
            return _page(request, study, problem=str(problem), status=409)
        file = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
        with path.open("rb") as made:
            shutil.copyfileobj(made, file)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=services.file_name(study), content_type=CONTENT_TYPE)
    response["Cache-Control"] = "private, no-store"
    response["X-Checksum-SHA256"] = job.file_sha256
    return response


@require_POST
def make_workbook(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the sheet as a job; its page says how far it is and gives the file."""
    study = _study(request, slug)
    assert isinstance(request.user, User)
    return redirect(ask_for_workbook(study=study, actor=request.user))


@require_GET
def download_export(request: HttpRequest, slug: str, pk: UUID) -> HttpResponse | FileResponse:
    """A sheet that was made as a job; who may see the numbers now decides, not who asked for them then."""
    study = _study(request, slug)
    assert isinstance(request.user, User)
    export = get_object_or_404(ExportJob.objects.select_related("study"), study=study, pk=pk)
    if not services.may_fetch(request.user, export):
        raise Http404
    path = stored_path(export)
    if not path.exists():
        return _page(request, study, problem="This file is not kept here; make a new one", status=410)
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=services.file_name(study), content_type=CONTENT_TYPE
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Checksum-SHA256"] = export.file_sha256
    return response


def _page(request: HttpRequest, study: Study, *, problem: str = "", status: int = 200) -> HttpResponse:
    jobs = study.export_jobs.select_related("requested_by")
    context = {
        "study": study,
        "sheets": SHEETS,
        "jobs": jobs[:SHOWN],
        "n_jobs": jobs.count(),
        "problem": problem,
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/exports/export_list.html", context, status=status)
