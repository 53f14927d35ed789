"""Addresses that exist while a second factor or an identity provider is switched on; names are the library's."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from annotation.people import account_views, signing_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", signing_in.SignIn.as_view(), name="account_login"),
    path("sign-out/", account_views.SignOut.as_view(), name="account_logout"),
]

if settings.MEDGEN_MFA:
    from allauth.account.views import reauthenticate

    from annotation.people import second_factor

    urlpatterns += [
        path("account/confirm/", reauthenticate, name="account_reauthenticate"),
        path("account/second-factor/picture.svg", second_factor.totp_picture, name="mfa_totp_picture"),
        path("account/second-factor/", include("allauth.mfa.urls")),
        path("people/<uuid:pk>/second-factor/reset/", second_factor.reset, name="person-factor-reset"),
    ]

if settings.MEDGEN_OIDC_ISSUER:
    from annotation.people import outside

    urlpatterns += [
        path("sign-in/with/<slug:provider_id>/", outside.begin, name="openid_connect_login"),
        path("sign-in/with/<slug:provider_id>/back/", outside.come_back, name="openid_connect_callback"),
    ]
