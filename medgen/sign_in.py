"""What settings need for a second factor and for an identity provider; nothing of it exists while both are off."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PROVIDER = "provider"
ROLES = ("operator", "curator", "study-creator", "everybody")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider, as the environment names it."""

    issuer: str
    client_id: str
    client_secret: str
    name: str

    def check(self) -> None:
        """Raises ImproperlyConfigured for what cannot work or is not safe."""
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ImproperlyConfigured(f"MEDGEN_OIDC_ISSUER: '{self.issuer}' must begin with https://")
        for name, value in (("CLIENT_ID", self.client_id), ("CLIENT_SECRET", self.client_secret)):
            if not value:
                raise ImproperlyConfigured(f"MEDGEN_OIDC_{name}: is needed beside MEDGEN_OIDC_ISSUER")


def required_roles(names: list[str]) -> list[str]:
    """The roles that must have a second factor."""
    for name in names:
        if name not in ROLES:
            raise ImproperlyConfigured(f"MEDGEN_MFA_REQUIRED: '{name}' is not one of {', '.join(ROLES)}")
    return names


def apps(*, mfa: bool, provider: Provider | None) -> list[str]:
    """Installed apps: none when both are off."""
    found = ["allauth", "allauth.account"] if mfa or provider else []
    found += ["allauth.mfa"] if mfa else []
    found += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"] if provider else []
    return found


def middleware(*, mfa: bool, provider: Provider | None) -> list[str]:
    found = ["allauth.account.middleware.AccountMiddleware"] if mfa or provider else []
    return [*found, "annotation.people.second_factor.RequireSecondFactor"] if mfa else found


def values(*, mfa: bool, provider: Provider | None) -> dict[str, Any]:
    """Further settings, by name. Operators make the accounts, no mail is sent, our own pauses count failures."""
    if not mfa and provider is None:
        return {}
    found: dict[str, Any] = {
        "ACCOUNT_ADAPTER": "annotation.people.entrance.SignInAdapter",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_RATE_LIMITS": False,
        "ACCOUNT_EMAIL_NOTIFICATIONS": False,
    }
    if mfa:
        found |= {
            "MFA_ADAPTER": "annotation.people.second_factor.FactorAdapter",
            "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
            "MFA_PASSKEY_LOGIN_ENABLED": True,
            "MFA_TOTP_ISSUER": "MedGEN",
            "MFA_RECOVERY_CODES_SHOW_ONCE": False,
            "MFA_FORMS": {
                "authenticate": "annotation.people.second_factor.CodeForm",
                "reauthenticate": "annotation.people.second_factor.CodeAgainForm",
                "authenticate_webauthn": "annotation.people.second_factor.KeyForm",
                "reauthenticate_webauthn": "annotation.people.second_factor.KeyAgainForm",
                "login_webauthn": "annotation.people.second_factor.KeySignInForm",
                "add_webauthn": "annotation.people.second_factor.NewKeyForm",
            },
        }
    if provider:
        app = {
            "provider_id": PROVIDER,
            "name": provider.name,
            "client_id": provider.client_id,
            "secret": provider.client_secret,
            "settings": {"server_url": provider.issuer.rstrip("/"), "oauth_pkce_enabled": True},
        }
        found |= {
            "SOCIALACCOUNT_ADAPTER": "annotation.people.outside.OutsideAdapter",
            "SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [app]}},
            "SOCIALACCOUNT_STORE_TOKENS": False,
            "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
            "SOCIALACCOUNT_REQUESTS_TIMEOUT": 10,
        }
    return found
