"""The reader's pages and what the workstation fetches and posts. A reader meets only the own readings."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.grading import forms, gates, grants, guessing, presentation, preview, progress, services, stages
from annotation.grading.answers import workstation
from annotation.grading.blanking import notes_of_reading
from annotation.grading.own import find_own, own_reading, refuse_without_consent
from annotation.grading.reading_json import reading_json, readings_of
from annotation.people.models import User
from annotation.studies import consent
from annotation.studies.models import Enrollment, Reading, Study
from annotation.studies.views import study_with_open_flags, unread_study


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def _study_to_read(request: HttpRequest, slug: str) -> Study:
    """404 for a stranger to the study, 403 for whoever is in it and not a reader."""
    study = get_object_or_404(Study.objects.visible_to(_user(request)), slug=slug)
    if not study.enrollments.filter(user=_user(request), role=Enrollment.Role.READER, active=True).exists():
        raise PermissionDenied("Only readers of this study have readings.")
    return study


@require_safe
def list_readings(request: HttpRequest, slug: str) -> HttpResponse:
    study = _study_to_read(request, slug)
    asked = {"status": request.GET.get("status", ""), "page": request.GET.get("page", "1")}
    context = progress.worklist(study, _user(request), **asked)
    return render(request, "annotation/grading/reading_list.html", {"study": study, "has_consent": True, **context})


@require_safe
def next_reading(request: HttpRequest, slug: str) -> HttpResponse:
    study = _study_to_read(request, slug)
    waiting = (
        Reading.objects.visible_to(_user(request))
        .filter(study=study)
        .pending()
        .select_related("enrollment__study")
        .order_by("position")
    )
    first = gates.first_open(waiting, study)
    pending = first or waiting.first()
    if pending is None:
        messages.info(request, "Nothing waits for you in this study.")
        return redirect("annotation:reading-list", study.slug)
    if consent.form_to_agree(pending.enrollment) is not None:
        return redirect("annotation:consent-detail", study.slug)
    if first is None:
        messages.info(request, gates.why_it_waits(pending) or "Nothing can be begun now.")
        return redirect("annotation:reading-list", study.slug)
    return redirect(pending)


@require_safe
def show_reading(request: HttpRequest, pk: UUID) -> HttpResponse:
    reading = find_own(_user(request), pk)
    reading.enrollment.study = reading.study
    if consent.form_to_agree(reading.enrollment) is not None:
        return redirect("annotation:consent-detail", reading.study.slug)
    context = {
        "reading": reverse("annotation:reading-json", args=[reading.pk]),
        "study": reading.study,
        "is_preview": False,
        "blanked": notes_of_reading(reading.pk),
    }
    return render(request, "annotation/grading/reading_detail.html", context)


@workstation
@require_safe
def send_reading(request: HttpRequest, pk: UUID) -> HttpResponse:
    user = _user(request)
    reading = get_object_or_404(readings_of(user), pk=pk)
    refuse_without_consent(reading)
    data = reading_json(reading)
    if data["locked_reason"] is None:
        grants.give(user.pk, pk)
    return JsonResponse(data)


def _pane_asset(request: HttpRequest, pk: UUID, number: int) -> Asset:
    user = _user(request)
    if not grants.holds(user.pk, pk):
        own_reading(user, pk)
        presentation.refuse_shut(presentation.presented(pk))
        grants.give(user.pk, pk)
    shown = presentation.presented(pk)
    stages.refuse_reference(pk, shown, number)
    return shown.asset_of(number)


@workstation
@require_safe
def send_frames_header(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    asset = _pane_asset(request, pk, number)
    data_url = reverse("annotation:pane-data", args=[pk, number])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=f"reading {pk} {number}")


@workstation
@require_safe
def send_frames_data(request: HttpRequest, pk: UUID, number: int) -> HttpResponseBase:
    asset = _pane_asset(request, pk, number)
    return serving.frames_data_response(request, asset, etag_scope=f"reading {pk} {number}")


@workstation
@require_POST
def save_draft(request: HttpRequest, pk: UUID) -> HttpResponse:
    reading = own_reading(_user(request), pk)
    entry = forms.draft_entry(forms.read_json(request))
    draft = services.save_draft(
        reading=reading,
        actor=_user(request),
        payload=entry.payload,
        client_id=entry.client_id,
        revision=entry.revision,
        base_revision=entry.base_revision,
        work=entry.work,
        stage=entry.stage,
    )
    return JsonResponse({"revision": draft.revision, "saved_at": draft.saved_at.isoformat()})


@workstation
@require_POST
def submit_grade(request: HttpRequest, pk: UUID) -> HttpResponse:
    reading = own_reading(_user(request), pk)
    entry = forms.grade_entry(forms.read_json(request))
    receipt = services.submit_reading(reading=reading, actor=_user(request), entry=entry)
    return JsonResponse(
        {"version": receipt.version, "submitted_at": receipt.submitted_at.isoformat(), "stays": receipt.stays}
    )


@workstation
@require_POST
def skip_reading(request: HttpRequest, pk: UUID) -> HttpResponse:
    reading = own_reading(_user(request), pk)
    data = forms.read_json(request)
    reason, text = data.get("reason"), data.get("text") or ""
    services.skip_reading(reading=reading, actor=_user(request), reason=str(reason or ""), text=text)
    return JsonResponse({})


@workstation
@require_POST
def save_guess(request: HttpRequest, pk: UUID) -> HttpResponse:
    reading = own_reading(_user(request), pk)
    guessing.record_guesses(reading=reading, actor=_user(request), data=forms.read_json(request))
    return JsonResponse({})


@require_safe
def show_flags(request: HttpRequest, slug: str) -> HttpResponse:
    """The fragment of the coordinator's board that shows facts of grades; a page of its own without scripts."""
    study = study_with_open_flags(_user(request), slug)
    name = "_study_flags.html" if request.headers.get("HX-Request") else "study_flags.html"
    return render(request, f"annotation/grading/{name}", {"study": study, **progress.board(study)})


@require_safe
def start_preview(request: HttpRequest, slug: str) -> HttpResponse:
    return redirect("annotation:preview-detail", unread_study(_user(request), slug).slug, 1)


@require_safe
def show_preview(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    study = unread_study(_user(request), slug)
    preview.previewed(study, number)
    context = {
        "reading": reverse("annotation:preview-json", args=[study.slug, number]),
        "study": study,
        "is_preview": True,
    }
    return render(request, "annotation/grading/reading_detail.html", context)


@workstation
@require_safe
def send_preview(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    return JsonResponse(preview.preview_json(unread_study(_user(request), slug), number))


def _preview_asset(request: HttpRequest, slug: str, number: int, pane: int) -> tuple[Asset, str]:
    study = unread_study(_user(request), slug)
    shown = preview.previewed(study, number).shown
    return shown.asset_of(pane), f"preview {study.pk} {number} {pane}"


@workstation
@require_safe
def send_preview_header(request: HttpRequest, slug: str, number: int, pane: int) -> HttpResponse:
    asset, scope = _preview_asset(request, slug, number, pane)
    data_url = reverse("annotation:preview-data", args=[slug, number, pane])
    return serving.frames_header_response(asset, data_url=data_url, etag_scope=scope)


@workstation
@require_safe
def send_preview_data(request: HttpRequest, slug: str, number: int, pane: int) -> HttpResponseBase:
    asset, scope = _preview_asset(request, slug, number, pane)
    return serving.frames_data_response(request, asset, etag_scope=scope)
