"""The page on which curators look at pictures of outputs that may show identifying text, one at a time."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotation.assets.models import Asset
from annotation.assets.quarantine import newest_verdict
from annotation.curation import quarantine as verdicts
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.quarantine_forms import CLEAR, HELD
from annotation.datasets.guards import items_visible, person
from annotation.datasets.services import may_curate
from annotation.systems import quarantine
from annotation.systems.models import OutputPart, Submission


class OutputVerdictForm(forms.Form):
    act = forms.ChoiceField(choices=[(CLEAR, "no identifying text"), (HELD, "keep in quarantine")])
    image = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why", min_length=3, max_length=1000, help_text="What you saw, in words that name nobody."
    )


def curated_submission(request: HttpRequest, pk: UUID) -> Submission:
    """404 for whoever reads it blind or sees no items, 403 for who does not curate its dataset."""
    visible = Submission.objects.visible_to(person(request)).select_related("dataset", "system_version__system")
    submission = get_object_or_404(visible, pk=pk)
    if not may_curate(person(request), submission.dataset):
        raise PermissionDenied("Looking for identifying text is a curator's work.")
    return submission


@items_visible
@require_http_methods(["GET", "POST"])
def judge_outputs(request: HttpRequest, pk: UUID) -> HttpResponse:
    submission = curated_submission(request, pk)
    form = OutputVerdictForm(request.POST or None, label_suffix="")
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            pictures = Asset.objects.filter(output_parts__output__submission=submission).distinct()
            asset = get_object_or_404(pictures, pk=form.cleaned_data["image"])
            said = form.cleaned_data
            judgment = verdicts.Judgment(asset, submission.dataset, person(request), said["reason"], said["seen"])
            try:
                verdicts.judge_image(judgment, kind=said["act"])
            except ReviewError as problem:
                form.add_error(None, str(problem))
            except StaleRevisionError as problem:
                form.add_error(None, str(problem))
                status = 409
            else:
                messages.success(request, "Your verdict is stored.")
                return redirect("annotation:output-quarantine", pk)
    page = Paginator(quarantine.waiting(submission), 1).get_page(request.GET.get("page"))
    shown: OutputPart | None = page.object_list[0] if page.object_list else None
    newest = newest_verdict(shown.asset) if shown is not None and shown.asset is not None else None
    context = {"submission": submission, "page_obj": page, "part": shown, "newest": newest, "form": form}
    return render(request, "annotation/systems/output_quarantine.html", context, status=status)
