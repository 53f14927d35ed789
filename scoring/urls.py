"""Collects the rooms' routes under the namespace `scoring`."""

from importlib.util import find_spec

from django.urls import include, path

app_name = "scoring"

ROOMS = ("runs", "agreement", "composites", "leaderboards", "preferences", "calibration", "planning", "exports")
urlpatterns = [path("", include(f"scoring.{room}.urls")) for room in ROOMS if find_spec(f"scoring.{room}.urls")]
