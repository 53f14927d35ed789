"""The page of a submission's judgments: which judges there are, what they gave, and bringing in a file."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotation.datasets.errors import UploadError
from annotation.datasets.guards import items_visible, person
from annotation.datasets.uploads import Upload, discard_upload, find_upload, stage_upload
from annotation.systems.models import Submission
from scoring.calibration.declaring import Declaration
from scoring.calibration.errors import JudgmentError
from scoring.calibration.forms import JudgmentUploadForm
from scoring.calibration.importing import JudgmentSummary, import_judgments
from scoring.calibration.models import Judge, Judgment, JudgmentImport

KIND = "judgments"
SHOWN = 100
GONE = "This upload is gone: it was imported, given up, or is a day old. Upload the file again."
ONLY_CREATORS = "Importing judgments is the work of those who may create studies."


@items_visible
@require_http_methods(["GET", "POST"])
def list_judgments(request: HttpRequest, pk: UUID) -> HttpResponse:
    visible = Submission.objects.visible_to(person(request)).select_related("system_version__system", "dataset")
    submission = get_object_or_404(visible, pk=pk)
    if request.method == "GET":
        return _page(request, submission, JudgmentUploadForm())
    if not person(request).may_create_studies:
        raise PermissionDenied(ONLY_CREATORS)
    if "upload" not in request.POST:
        return _preview(request, submission)
    upload = find_upload(request.POST["upload"], owner=person(request), kind=KIND)
    if upload is None or upload.said.get("submission") != str(pk):
        return _page(request, submission, JudgmentUploadForm(), problem=GONE)
    return _confirm(request, submission, upload)


def _page(
    request: HttpRequest, submission: Submission, form: JudgmentUploadForm, *, problem: str = ""
) -> HttpResponse:
    context = {
        "submission": submission,
        "system": submission.system_version.system,
        "form": form,
        "problem": problem,
        "may_import": person(request).may_create_studies,
        "judges": judges_told(submission),
        "imports": JudgmentImport.objects.filter(submission=submission).select_related("judge", "requested_by")[:20],
    }
    status = 422 if form.errors or problem else 200
    return render(request, "scoring/calibration/judgment_list.html", context, status=status)


def judges_told(submission: Submission) -> list[dict[str, Any]]:
    """Every judge with its criteria: newest values, their mean, and reasons counted: three queries."""
    newest: dict[Any, dict[Any, tuple[float | None, str]]] = {}
    rows = Judgment.objects.filter(output__submission=submission, output__superseded_by=None).order_by("version")
    for judge, criterion, output, value, reason in rows.values_list(
        "judge_id", "criterion__code", "output_id", "value", "reason"
    ):
        newest.setdefault((judge, criterion), {})[output] = (value, reason)
    judges = Judge.objects.select_related("rubric").in_bulk({judge for judge, _ in newest})
    told: dict[Any, dict[str, Any]] = {}
    for (judge, criterion), cells in sorted(newest.items(), key=lambda pair: pair[0][1]):
        values = [value for value, _ in cells.values() if value is not None]
        reasons: dict[str, int] = {}
        for _, reason in cells.values():
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
        held = told.setdefault(judge, {"judge": judges[judge], "criteria": []})
        held["criteria"].append(
            {
                "code": criterion,
                "n": len(values),
                "mean": sum(values) / len(values) if values else None,
                "reasons": sorted(reasons.items()),
            }
        )
    return sorted(told.values(), key=lambda one: (one["judge"].name, str(one["judge"].pk)))


def _preview(request: HttpRequest, submission: Submission) -> HttpResponse:
    """Stage the file, read and match it without writing, and show what would happen."""
    form = JudgmentUploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, submission, form)
    said = form.said() | {"submission": str(submission.pk)}
    try:
        upload = stage_upload(form.cleaned_data["file"], owner=person(request), kind=KIND, said=said)
    except UploadError as problem:
        form.add_error("file", str(problem))
        return _page(request, submission, form)
    try:
        summary = _import(request, submission, upload, dry_run=True)
    except JudgmentError as problem:
        discard_upload(upload)
        form.add_error(None, str(problem))
        return _page(request, submission, form)
    context = {
        "submission": submission,
        "system": submission.system_version.system,
        "upload": upload,
        "summary": summary,
        "reasons": sorted(summary.reasons.items()),
        "problems": summary.problems[:SHOWN],
    }
    return render(request, "scoring/calibration/judgment_preview.html", context)


def _confirm(request: HttpRequest, submission: Submission, upload: Upload) -> HttpResponse:
    if "discard" in request.POST:
        discard_upload(upload)
        messages.info(request, "The upload is discarded. Nothing was imported.")
        return redirect("scoring:judgment-list", submission.pk)
    try:
        summary = _import(request, submission, upload)
    except JudgmentError as problem:
        return _page(request, submission, JudgmentUploadForm(), problem=str(problem))
    discard_upload(upload)
    counts = ", ".join(f"{n} {name}" for name, n in summary.counts().items())
    messages.success(request, f"Imported: {counts}.")
    return redirect("scoring:judgment-list", submission.pk)


def _import(
    request: HttpRequest, submission: Submission, upload: Upload, *, dry_run: bool = False
) -> JudgmentSummary:
    said = {name: value for name, value in upload.said.items() if name != "submission"}
    return import_judgments(
        path=upload.path,
        submission=submission,
        declaration=Declaration(**said),
        actor=person(request),
        dry_run=dry_run,
    )
