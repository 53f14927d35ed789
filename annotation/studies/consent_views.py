"""Pages of consent: the reader's form before the first reading, and the coordinator's versions of it."""

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotation.studies import consent
from annotation.studies.errors import StudyError
from annotation.studies.models import Consent, ConsentForm, Enrollment, Study
from annotation.studies.views import coordinated_study, frame, signed_in


class FormTexts(forms.Form):
    """What a coordinator writes for readers."""

    instructions = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8}), required=False, max_length=consent.TEXT_LIMIT,
        help_text="How to grade. Shown on the worklist and before the first reading.",
    )  # fmt: skip
    text = forms.CharField(
        label="Consent", widget=forms.Textarea(attrs={"rows": 8}), required=False, max_length=consent.TEXT_LIMIT,
        help_text="What is kept about readers, for how long, who sees it, whom to ask, how to leave.",
    )  # fmt: skip


def _own_enrollment(request: HttpRequest, slug: str) -> Enrollment:
    user = signed_in(request)
    study = get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), slug=slug)
    enrollment = consent.reader_enrollment(study, user)
    if enrollment is None or (not enrollment.active and enrollment.withdrawn_at is None):
        raise Http404("no such study")
    return enrollment


@require_http_methods(["GET", "POST"])
def show_consent(request: HttpRequest, slug: str) -> HttpResponse:
    enrollment = _own_enrollment(request, slug)
    if request.method == "GET":
        return _reader_page(request, enrollment)
    version = request.POST.get("version", "")
    try:
        consent.give_consent(
            enrollment=enrollment,
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 6 else 0,
            actor=signed_in(request),
        )
    except StudyError as problem:
        return _reader_page(request, enrollment, problem=str(problem), status=409)
    messages.success(request, "Thank you. Your readings are below.")
    return redirect("annotation:reading-list", slug)


def _reader_page(
    request: HttpRequest, enrollment: Enrollment, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "study": enrollment.study,
        "form": consent.newest_form(enrollment.study),
        "to_agree": consent.form_to_agree(enrollment) is not None or enrollment.withdrawn_at is not None,
        "history": Consent.objects.filter(enrollment=enrollment).select_related("form"),
        "enrollment": enrollment,
        "problem": problem,
    }
    return render(request, "annotation/studies/consent_detail.html", context, status=status)


@require_POST
def withdraw_consent(request: HttpRequest, slug: str) -> HttpResponse:
    enrollment = _own_enrollment(request, slug)
    try:
        consent.withdraw(enrollment=enrollment, actor=signed_in(request))
    except StudyError as problem:
        return _reader_page(request, enrollment, problem=str(problem), status=409)
    messages.success(request, "You have left the study. What you submitted stays under your reader code.")
    return redirect("annotation:consent-detail", slug)


@require_http_methods(["GET", "POST"])
def list_forms(request: HttpRequest, slug: str) -> HttpResponse:
    """The coordinator's page: versions, how many agreed to each, and the next one."""
    user = signed_in(request)
    study = coordinated_study(user, slug)
    typed = FormTexts(
        request.POST if request.method == "POST" else None,
        initial={"instructions": study.instructions, "text": study.consent_text},
        label_suffix="",
    )
    if request.method == "POST" and typed.is_valid():
        try:
            made = consent.publish_form(study=study, actor=user, **typed.cleaned_data)
        except StudyError as problem:
            typed.add_error(None, str(problem))
        else:
            messages.success(
                request, f"Version {made.version} is published; readers meet it before their next reading."
            )
            return redirect("annotation:consent-form-list", slug)
    given = Count("consents__enrollment", Q(consents__act=Consent.Act.GIVEN), distinct=True)
    readers = study.enrollments.filter(role=Enrollment.Role.READER)
    context = {
        **frame(request, study, "consent"),
        "typed": typed,
        "versions": ConsentForm.objects.filter(study=study).annotate(n_given=given).order_by("-version"),
        "n_readers": readers.filter(active=True).count(),
        "n_withdrawn": readers.exclude(withdrawn_at=None).count(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/studies/consent_form_list.html", context, status=status)
