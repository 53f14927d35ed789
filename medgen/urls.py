"""Routes: the home page, the rooms of both apps, and the health of the process."""

from django.conf import settings
from django.urls import include, path, register_converter

from medgen import api, health, home, retention

register_converter(api.Anything, "anything")

urlpatterns = [
    path("", home.home, name="home"),
    path("retention/", retention.show_retention, name="retention"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/<anything:address>", api.gate, name="api"),
    path("", include("annotation.urls")),
    path("", include("scoring.urls")),
]
if settings.MEDGEN_MFA or settings.MEDGEN_OIDC_ISSUER:
    urlpatterns += [path("", include("annotation.people.entrance_urls"))]

handler400 = "medgen.api.answer_bad"
handler500 = "medgen.trouble.answer_broken"
