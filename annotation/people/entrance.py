"""How django-allauth lets people in, when a second factor or an identity provider is switched on.

Nobody signs up: accounts are made by operators. Every sign-in ends in `signing_in.enter`, like the one by password.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.audit.record import record
from annotation.people import lockout
from annotation.people.models import User
from annotation.people.signing_in import enter

MESSAGES = {
    "totp_activated": "Your authenticator app is asked for from now on.",
    "totp_deactivated": "The authenticator app is no longer asked for.",
    "webauthn_added": "The key is added.",
    "webauthn_removed": "The key is removed.",
    "recovery_codes_generated": "These are your new recovery codes; the old ones no longer work.",
}


def begin(request: HttpRequest, user: User, *, redirect_url: str) -> HttpResponse:
    """Go on after a right password: to the second factor when the person has one, else in."""
    credentials = {"username": user.username}
    answer: HttpResponse = perform_password_login(request, credentials, Login(user=user, redirect_url=redirect_url))
    return answer


def refused(request: HttpRequest, words: str) -> HttpResponse:
    return render(request, "annotation/people/sign_in_refused.html", {"words": words}, status=403)


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped library
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        enter(request, user)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        lockout.remember(request, response, user)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return refused(request, "This account is closed. Ask an operator if you need it again.")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        name = (message_template or "").rsplit("/", 1)[-1].removesuffix(".txt")
        words = kwargs.get("message") or MESSAGES.get(name)
        if words:
            messages.add_message(request, level, words)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """No mail is sent; a change of a second factor, which would be told by mail, is left in the trail."""
        if not template_prefix.startswith("mfa/"):
            return
        what = template_prefix.rsplit("/", 1)[-1].replace("_", " ")
        record("second factor changed", actor=user, subject=user, what=what)
