"""Routes: the home page, the rooms of both apps, and the health of the process."""

from django.urls import include, path

from medgen import health, home

urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("", include("annotation.urls")),
    path("", include("scoring.urls")),
]

handler500 = "medgen.trouble.answer_broken"
