"""Collects the rooms' routes under the namespace `annotation`."""

from importlib.util import find_spec

from django.urls import include, path

app_name = "annotation"

ROOMS = (
    "people",
    "work",
    "assets",
    "datasets",
    "curation",
    "releases",
    "systems",
    "studies",
    "grading",
    "adjudication",
)
urlpatterns = [path("", include(f"annotation.{room}.urls")) for room in ROOMS if find_spec(f"annotation.{room}.urls")]
