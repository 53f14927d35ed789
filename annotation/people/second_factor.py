"""The second factor: authenticator apps, passkeys and recovery codes, on top of django-allauth."""

import base64
import hashlib
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import Field, HiddenInput, JSONField
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from annotation.audit.record import record
from annotation.people import lockout
from annotation.people.models import User
from annotation.people.signing_in import minutes
from annotation.people.views import operators_only

HELD = "second factor of"  # key in the session: whose factor was found, so that it is asked for once
OPEN_NAMES = {"account_reauthenticate", "sign-out", "sign-in", "sign-in-again", "account_login", "account_logout"}


def holds_factor(user: User) -> bool:
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user=user, type__in=kinds).exists())


def must_hold_factor(user: User) -> bool:
    """Whether a role of this person asks for a second factor."""
    held = {"operator": user.is_operator, "curator": user.is_curator, "study-creator": user.may_create_studies}
    return any(role == "everybody" or held[role] for role in settings.MEDGEN_MFA_REQUIRED)


def asks_for_more(user: User) -> bool:
    """Whether a right password alone does not let this person in."""
    return must_hold_factor(user) or holds_factor(user)


class RequireSecondFactor:
    """Leads whoever must have a second factor and has none to the page that sets it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: object) -> HttpResponseBase | None:
        user = request.user
        name = (request.resolver_match.url_name if request.resolver_match else None) or ""
        if not isinstance(user, User) or name.startswith("mfa_") or name in OPEN_NAMES:
            return None
        if not must_hold_factor(user) or request.session.get(HELD) == str(user.pk):
            return None
        if holds_factor(user):
            request.session[HELD] = str(user.pk)
            return None
        if "text/html" not in request.headers.get("Accept", "text/html"):
            return JsonResponse({"error": "Set up a second factor first, on the page of your account."}, status=403)
        messages.info(request, "Your role asks for a second factor. Set one up to go on.")
        return redirect("mfa_index")


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # untyped library
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right, or too old.",
        "cannot_delete_authenticator": "Your role asks for a second factor: add another one before you remove this.",
    }

    def get_totp_label(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        """Secrets are stored under a key made of SECRET_KEY: a stolen backup alone does not hold them."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        if not must_hold_factor(user):
            return True
        kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        others = Authenticator.objects.filter(user=user, type__in=kinds).exclude(pk=authenticator.pk)
        return bool(others.exists())


def _cipher() -> Fernet:
    key = hashlib.sha256(b"annotation.second_factor" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class _Counted:
    """Counts wrong codes like wrong passwords: five, then a pause."""

    user: User

    def clean_code(self) -> str:
        request = context.request
        wait = lockout.seconds_left(request, self.user.username)
        if wait:
            raise ValidationError(f"Too many wrong codes. Try again in {minutes(wait)}.")
        try:
            return str(super().clean_code())  # type: ignore[misc]
        except ValidationError:
            user_login_failed.send(__name__, credentials={"username": self.user.username}, request=request)
            lockout.record_failure(request, self.user.username)
            raise


class CodeForm(_Counted, AuthenticateForm):  # type: ignore[misc]  # untyped library
    pass


class CodeAgainForm(_Counted, ReauthenticateForm):  # type: ignore[misc]  # untyped library
    pass


class KeyField(JSONField):
    """What a key answered: whatever a stranger posts. What cannot be read ends here, as an error of the form."""

    def __init__(self, parse: Callable[[Any], object]) -> None:
        super().__init__(widget=HiddenInput)
        self.parse = parse

    def clean(self, value: Any) -> Any:
        try:
            answer = super().clean(value)
            self.parse(answer)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error) as problem:
            raise ValidationError("This is no answer of a key.") from problem
        return answer

    def bound_data(self, data: Any, initial: Any) -> None:
        """An answer is never shown again: each key answers one question once."""


class _ReadsKey:
    """Refuses an unreadable answer before the library takes it apart."""

    parse: Callable[[Any], object] = staticmethod(AuthenticationResponse.from_dict)
    fields: dict[str, Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = KeyField(type(self).parse)


class KeyForm(_ReadsKey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # untyped library
    pass


class KeyAgainForm(_ReadsKey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # untyped library
    pass


class KeySignInForm(_ReadsKey, LoginWebAuthnForm):  # type: ignore[misc]  # untyped library
    pass


class NewKeyForm(_ReadsKey, AddWebAuthnForm):  # type: ignore[misc]  # untyped library
    parse = staticmethod(RegistrationResponse.from_dict)


@require_safe
def totp_picture(request: HttpRequest) -> HttpResponse:
    """The secret that is being set up, as a picture to scan; only in the session that sets it up."""
    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404("nothing is being set up")
    adapter = FactorAdapter()
    return HttpResponse(
        adapter.build_totp_svg(adapter.build_totp_url(request.user, secret)),
        content_type="image/svg+xml",
        headers={"Cache-Control": "private, no-store"},
    )


@operators_only
@require_POST
@transaction.atomic
def reset(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take all factors of somebody who lost theirs; they sign in by password and set up new ones."""
    person = get_object_or_404(User, pk=pk)
    Authenticator.objects.filter(user=person).delete()
    record("second factor reset", actor=request.user, subject=person)
    messages.success(request, f"{person} signs in without a second factor until they set one up.")
    return redirect("annotation:person-detail", pk)
