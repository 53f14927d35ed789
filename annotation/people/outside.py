"""Signing in through an OpenID Connect provider: code flow with PKCE, state and nonce, for people who exist here.

A first sign-in finds the person by a verified e-mail address, later ones by the provider's own key of the account.
"""

import json
from typing import Any

import jwt
import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import get_random_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.audit.record import record
from annotation.people.entrance import refused
from annotation.people.models import User

PROVIDER = "provider"
NONCES, MOST_NONCES = "provider nonces", 5  # of sign-ins that were begun in this session
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LEEWAY_SECONDS = 60
FAILED = "Signing in there did not work out. Try again, or sign in with your user name and password."
UNKNOWN = "You are known there, but nobody here has your e-mail address. Ask an operator to add it to your account."


class OutsideAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # untyped library
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Tie an outside account to the person of its verified address; nobody else gets in."""
        if sociallogin.is_existing:
            return
        person = _person_of(sociallogin)
        if person is None:
            record("sign-in outside refused", actor=None, reason="unknown person")
            raise ImmediateHttpResponse(refused(request, UNKNOWN))
        sociallogin.connect(request, person)
        record("outside account tied", actor=person, subject=person)

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        record("sign-in outside failed", actor=None, reason=type(kwargs.get("exception")).__name__)
        raise ImmediateHttpResponse(refused(request, FAILED))


def _person_of(sociallogin: SocialLogin) -> User | None:
    """The one active person who has the verified address of an outside account."""
    addresses = [each.email for each in sociallogin.email_addresses if each.verified is True and each.email]
    found = [person for email in addresses[:1] for person in User.objects.filter(email__iexact=email)]
    return found[0] if len(found) == 1 and found[0].is_active else None


class CheckedAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # untyped library
    """The library's adapter, with the checks of the token that it leaves out: signature, nonce, issuer, times."""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        issuer = str(config.get("issuer", ""))
        if issuer.rstrip("/") != settings.MEDGEN_OIDC_ISSUER.rstrip("/"):
            raise OAuth2Error("the provider names another issuer")
        if any(not config.get(name) for name in ENDPOINTS):
            raise OAuth2Error("the provider's configuration is incomplete")
        return config

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, *, response: dict[str, Any]
    ) -> SocialLogin:
        claims = self._decode_id_token(app, str(response.get("id_token", "")))
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            told = self._fetch_user_info(token.token)
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error("the provider tells of another person")
            claims = {**told, **claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(id_token)
            algorithm = str(header.get("alg", ""))
            if algorithm not in ALGORITHMS:
                raise OAuth2Error("the token is signed in a way that is not accepted")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=self._key(str(header.get("kid", "")), algorithm),
                algorithms=[algorithm],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError, KeyError) as problem:
            raise OAuth2Error("the token is not valid") from problem
        if not claims["sub"] or not isinstance(claims["sub"], str):
            raise OAuth2Error("the token names nobody")
        if claims.get("azp", app.client_id) != app.client_id or not _spend_nonce(self.request, str(claims["nonce"])):
            raise OAuth2Error("the token was not made for this sign-in")
        return claims

    def _key(self, key_id: str, algorithm: str) -> Any:
        keys = requests.get(self.openid_config["jwks_uri"], timeout=10, allow_redirects=False).json()["keys"]
        fitting = [key for key in keys if key.get("kid", "") == key_id and key.get("alg", algorithm) == algorithm]
        if not fitting:
            raise OAuth2Error("the token is signed by an unknown key")
        return jwt.PyJWK.from_json(json.dumps(fitting[0]), algorithm).key


def _spend_nonce(request: HttpRequest, nonce: str) -> bool:
    """Whether this session began a sign-in with this nonce; each is good once."""
    begun = request.session.get(NONCES, [])
    request.session[NONCES] = [each for each in begun if each != nonce]
    return nonce in begun


@login_not_required
@never_cache
@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider, with where to go on afterwards on our own site."""
    if provider_id != PROVIDER:
        raise Http404("no such provider")
    adapter = CheckedAdapter(request, PROVIDER)
    provider = adapter.get_provider()
    provider.oauth2_adapter_class = CheckedAdapter
    nonce = get_random_string(32)
    request.session[NONCES] = [*request.session.get(NONCES, []), nonce][-MOST_NONCES:]
    wanted = request.GET.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    try:
        answer: HttpResponse = provider.redirect(
            request, process="login", next_url=wanted if inside else None, auth_params={"nonce": nonce}
        )
    except (OAuth2Error, requests.RequestException) as problem:
        record("sign-in outside failed", actor=None, reason=type(problem).__name__)
        return refused(request, FAILED)
    return answer


@login_not_required
@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the provider sends people back to."""
    if provider_id != PROVIDER:
        raise Http404("no such provider")
    view = OAuth2CallbackView.adapter_view(CheckedAdapter(request, PROVIDER))
    answer: HttpResponse = view(request)
    return answer
