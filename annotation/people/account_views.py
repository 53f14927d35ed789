"""What a person keeps about their own account: password, sessions, and the ways to sign in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LogoutView, PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from annotation.audit.record import record
from annotation.people import services
from annotation.people.forms import STRENGTH_HELP
from annotation.people.models import User


def _own(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


@require_safe
def show_account(request: HttpRequest) -> HttpResponse:
    return render(request, "annotation/people/account.html", {"person": _own(request)})


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of this person but the one that asks, which gets a new key."""
    user = _own(request)
    services.end_sessions(user=user, actor=user)
    update_session_auth_hash(request, user)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("annotation:account")


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            record("signed out", actor=request.user, subject=request.user)
        return super().post(request, *args, **kwargs)


class ChangePassword(PasswordChangeView):
    template_name = "annotation/people/password_form.html"
    success_url = reverse_lazy("annotation:account")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"label_suffix": ""}

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["new_password1"].help_text = STRENGTH_HELP
        form.fields["new_password2"].label = "New password again"
        form.fields["new_password2"].help_text = ""
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed. Your other sessions have ended.")
        with transaction.atomic():
            response = super().form_valid(form)
            record("password changed", actor=_own(self.request), subject=_own(self.request))
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
