"""Pages on which words of readers are found and emptied, for coordinators of a study and operators."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotation.grading import texts
from annotation.grading.blanking import REASON_LIMIT, BlankingError, blank_texts, blanked_note
from annotation.grading.models import Grade
from annotation.grading.rules import REASON_AT_LEAST
from annotation.people.models import User

PAGE = 50


class TextFilter(forms.Form):
    q = forms.CharField(
        label="Words",
        required=False,
        min_length=texts.ASKED_AT_LEAST,
        max_length=texts.ASKED_AT_MOST,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class BlankForm(forms.Form):
    reason = forms.CharField(
        label="Blanked because …",
        min_length=REASON_AT_LEAST,
        max_length=REASON_LIMIT,
        help_text="Like: it names a patient. It is shown in place of the words and kept in the trail for good, so do "
        "not repeat what must go.",
    )
    confirm = forms.BooleanField(label="Empty these words for good; there is no way back")


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


@require_http_methods(["GET", "POST"])
def list_texts(request: HttpRequest, slug: str) -> HttpResponse:
    """Texts of a study. Words to look for are posted: they may name a patient and belong in no address and no log."""
    user = _user(request)
    study = texts.study_of_texts(user, slug)
    if unknown := sorted(set(request.GET) - {"page"}):
        raise BadRequest(f"{unknown[0][:40]}: unknown filter")
    form = TextFilter(request.POST, label_suffix="")
    valid = form.is_valid()
    asked, whole = str(form.cleaned_data.get("q", "")), texts.sees_all(user, study)
    found = texts.found_texts(user, study, asked) if valid else Grade.objects.none()
    page = Paginator(found, PAGE).get_page(None if asked else request.GET.get("page"))
    context = {
        "study": study,
        "form": form,
        "asked": asked,
        "whole": whole,
        "page_obj": page,
        "rows": [
            (grade, texts.passages(grade, asked, whole=whole), blanked_note(grade.blanked_by)) for grade in page
        ],
    }
    return render(request, "annotation/grading/text_list.html", context, status=200 if valid else 422)


@require_http_methods(["GET", "POST"])
def blank_grade(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say why, confirm; then the words of one version are empty."""
    user = _user(request)
    grade = texts.text_to_blank(user, pk)
    study = grade.reading_output.reading.study
    form = BlankForm(request.POST if request.method == "POST" else None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            blank_texts(grade=grade, actor=user, reason=form.cleaned_data["reason"])
        except BlankingError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "The words are emptied. Replace sheets, backups and trails that hold them.")
            return redirect("annotation:text-list", study.slug)
    context = {
        "study": study,
        "grade": grade,
        "passages": texts.passages(grade, "", whole=texts.sees_all(user, study)),
        "note": blanked_note(grade.blanked_by),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/grading/text_blank.html", context, status=status)
