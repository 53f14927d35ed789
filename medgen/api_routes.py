"""The router of the interface for programs: it collects what each room's api.py offers."""

from importlib import import_module

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path, resolve
from django.urls.exceptions import Resolver404

from annotation.rest.problems import problem_response
from medgen.api_schema import Index, Schema

MODULES = (
    "annotation.rest.api",
    "annotation.work.api",
    "annotation.datasets.api",
    "annotation.datasets.api_members",
    "annotation.curation.api",
    "annotation.curation.api_quarantine",
    "annotation.releases.api",
    "annotation.systems.api",
    "annotation.systems.api_imports",
    "annotation.systems.api_quarantine",
    "annotation.studies.api",
    "annotation.studies.api_reference",
    "annotation.studies.api_blinding",
    "annotation.studies.api_consent",
    "annotation.studies.api_unblinding",
    "annotation.studies.api_training",
    "annotation.grading.api",
    "annotation.grading.api_preview",
    "annotation.grading.api_texts",
    "annotation.adjudication.api",
    "scoring.runs.api",
    "scoring.agreement.api",
    "scoring.composites.api",
    "scoring.leaderboards.api",
    "scoring.preferences.api",
    "scoring.calibration.api",
    "scoring.calibration.api_radar",
    "scoring.calibration.api_judgments",
    "scoring.planning.api",
    "scoring.exports.api",
    "medgen.api_retention",
)


def _routes() -> list[URLPattern]:
    found = [
        path("", Index.as_view({"get": "show"}), name="index"),
        path("schema/", Schema.as_view({"get": "show"}), name="schema"),
    ]
    for module in MODULES:
        found += import_module(module).routes
    return found


urlpatterns = [path("api/v1/", include(_routes()))]


def answer(request: HttpRequest) -> HttpResponseBase:
    """Hand the request to its endpoint, or say in JSON that there is none."""
    try:
        match = resolve(request.path_info, urlconf=__name__)
    except Resolver404:
        hint = "" if request.path_info.endswith("/") else " Addresses end with a slash."
        return problem_response(404, f"There is no such address; /api/v1/schema/ lists all.{hint}")
    request.resolver_match = match
    answered: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return answered
