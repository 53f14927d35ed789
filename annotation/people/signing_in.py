"""Signing in: by the page, and in place for a page whose session has ended."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from annotation.audit.record import record
from annotation.people import lockout
from annotation.people.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
MOST_BYTES = 4096
MOST_PASSWORD = 1000
FIELDS = {"username", "password", "user_id", "csrfmiddlewaretoken"}
OTHER_PERSON = "This page belongs to another person. Sign in as the person who opened it; what is entered stays here."
OTHER_SESSION = (
    "Another person is signed in in this browser. Sign them out in their own tab first; what is entered stays here."
)
FACTOR_WANTED = (
    "Your account has a second factor: sign in in another tab, then come back. What is entered stays here."
)
WRONG = "User name and password do not match."


def minutes(seconds: int) -> str:
    """A time to wait, in words."""
    whole = max(1, -(-seconds // 60))
    return "1 minute" if whole == 1 else f"{whole} minutes"


def enter(request: HttpRequest, user: User, *, in_place: bool = False) -> None:
    """Start the session of a person whose password was right; the session key is new."""
    with transaction.atomic():
        login(request, user, backend=BACKEND)
        details: dict[str, Any] = {"in_place": True} if in_place else {}
        record("signed in", actor=user, subject=user, **details)


def let_in(request: HttpRequest, user: User, url: str) -> HttpResponse:
    """Answer a right password: in, or on to the second factor where that is switched on."""
    if settings.MEDGEN_MFA:
        from annotation.people import entrance  # loads the library, which is only installed then

        return entrance.begin(request, user, redirect_url=url)
    enter(request, user)
    response = redirect(url)
    lockout.remember(request, response, user)
    return response


def _asks_for_more(user: User) -> bool:
    """Whether a second factor stands between this person's password and the session."""
    if not settings.MEDGEN_MFA:
        return False
    from annotation.people import second_factor  # loads the library, which is only installed then

    return second_factor.asks_for_more(user)


class SignIn(LoginView):
    template_name = "annotation/people/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait = lockout.seconds_left(request, _typed_name(request.POST.get("username", "")))
        return locked_page(request, wait) if wait else super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"label_suffix": ""}

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["username"].label = "User name"
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        return let_in(self.request, form.get_user(), self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        outside = settings.MEDGEN_OIDC_NAME if settings.MEDGEN_OIDC_ISSUER else ""
        return super().get_context_data(**kwargs) | {"outside": outside, "passkeys": settings.MEDGEN_MFA}

    def form_invalid(self, form: Any) -> HttpResponse:
        wait = lockout.record_failure(self.request, _typed_name(form.data.get("username", "")))
        if wait:
            return locked_page(self.request, wait)
        return self.render_to_response(self.get_context_data(form=form), status=422)


def _typed_name(value: str) -> str:
    """A user name in the form that accounts have (NFKC), or "" when it cannot be one."""
    try:
        name = str(UsernameField(max_length=150).clean(value))
    except ValidationError:
        return ""
    return name if _is_text(name) else ""


def _is_text(value: str) -> bool:
    """Whether it can be stored and hashed: a lone half of a surrogate pair cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def locked_page(request: HttpRequest, seconds: int) -> HttpResponse:
    """429 in words; the same for every user name."""
    context = {"wait": minutes(seconds)}
    response = render(request, "annotation/people/sign_in_locked.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in_again(request: HttpRequest) -> JsonResponse:
    """GET: who is signed in here, and a fresh token. POST: sign in without leaving the page, as its own person."""
    if request.method == "GET":
        user = request.user if isinstance(request.user, User) else None
        return JsonResponse(
            {"signed_in": user is not None, "user": str(user.pk) if user else None, "csrf": get_token(request)}
        )
    try:
        username, password, owner = _entry(request)
    except ValueError as problem:
        return JsonResponse({"error": str(problem)}, status=400)
    if isinstance(request.user, User) and request.user.pk != owner:
        return JsonResponse({"error": OTHER_SESSION}, status=409)
    wait = lockout.seconds_left(request, username)
    if wait:
        return _locked_json(wait)
    return _sign_in_as(request, owner, username, password)


def _sign_in_as(request: HttpRequest, owner: UUID, username: str, password: str) -> JsonResponse:
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        wait = lockout.record_failure(request, username)
        return _locked_json(wait) if wait else JsonResponse({"error": WRONG}, status=401)
    if user.pk != owner:
        record("sign-in in place refused", actor=user, subject=user, reason="other person")
        return JsonResponse({"error": OTHER_PERSON}, status=409)
    if _asks_for_more(user):
        return JsonResponse({"error": FACTOR_WANTED, "sign_in": reverse("annotation:sign-in")}, status=401)
    enter(request, user, in_place=True)
    response = JsonResponse({"csrf": get_token(request)})
    lockout.remember(request, response, user)
    return response


def _locked_json(seconds: int) -> JsonResponse:
    words = f"Too many wrong passwords. Try again in {minutes(seconds)}; what is entered stays here."
    return JsonResponse({"error": words, "seconds": seconds}, status=429, headers={"Retry-After": str(seconds)})


def _entry(request: HttpRequest) -> tuple[str, str, UUID]:
    """User name, password and the person whose page asks; raises ValueError with words."""
    values = _posted(request)
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise ValueError(f"{unknown[0][:40]}: unknown field")
    try:
        owner = UUID(str(values.get("user_id", "")))
    except ValueError as problem:
        raise ValueError("user_id: names no person") from problem
    password = values.get("password")
    if not isinstance(password, str) or not 0 < len(password) <= MOST_PASSWORD or not _is_text(password):
        raise ValueError(f"password: give 1 to {MOST_PASSWORD} characters")
    typed = values.get("username") or ""
    if not isinstance(typed, str):
        raise ValueError("username: give a text")
    username = _typed_name(typed) if typed else _name_of(owner)
    return username, password, owner


def _posted(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        return request.POST.dict()
    if len(request.body) > MOST_BYTES:
        raise ValueError(f"body: at most {MOST_BYTES} bytes")
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError) as problem:
        raise ValueError("body: is not JSON") from problem
    if not isinstance(values, dict):
        raise ValueError("body: is not a JSON object")
    return values


def _name_of(owner: UUID) -> str:
    """The user name of a page's person; for nobody a name that no account can have."""
    return User.objects.filter(pk=owner).values_list("username", flat=True).first() or f"nobody/{owner}"
