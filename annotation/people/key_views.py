"""A person's keys for programs: list, make one (shown once), revoke."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from annotation.people import tokens
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken, User

DAYS = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year"}
OPERATORS = "people"


class KeyForm(forms.Form):
    """What a key is for, what it may do, how long it lives."""

    name = forms.CharField(max_length=80, help_text="What will use it, like: nightly import on the GPU server.")
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="May", help_text="Never more than you may do yourself."
    )
    days = forms.ChoiceField(choices=list(DAYS.items()), initial="90", label="Works for")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "initial": {"scopes": ["read"]}} | kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (scope, f"{scope}: {words}")
            for scope, words in tokens.SCOPES.items()
            if scope != OPERATORS or user.is_operator
        ]


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


@require_http_methods(["GET", "POST"])
def list_keys(request: HttpRequest) -> HttpResponse:
    user = _person(request)
    form = KeyForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = tokens.create_token(
                user=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=timezone.now() + timedelta(days=int(form.cleaned_data["days"])),
                actor=user,
            )
        except PeopleError as problem:
            form.add_error(None, str(problem))
        else:
            address = request.build_absolute_uri("/api/v1/me/")
            context = {"token": made.token, "secret": made.secret, "address": address}
            return render(request, "annotation/people/key_created.html", context)
    context = {"form": form, "keys": user.api_tokens.order_by("-created_at"), "now": timezone.now()}
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/people/key_list.html", context, status=status)


@require_POST
def revoke_key(request: HttpRequest, pk: UUID) -> HttpResponse:
    user = _person(request)
    token = get_object_or_404(ApiToken, user=user, pk=pk)
    if tokens.revoke_token(token=token, actor=user):
        messages.success(request, f"The key “{token.name}” is revoked. Programs that use it are refused from now on.")
    return redirect("annotation:key-list")
