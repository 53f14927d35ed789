"""Preferences of a study for programs: the JSON of its page."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Told
from annotation.studies.models import Study
from scoring.agreement.api import analyzed_study
from scoring.preferences import services


class PreferencesTold(Told):
    """`criteria` hold pairs, strengths, side effect and agreement of each criterion, `overall` first."""

    study = serializers.CharField()
    mode = serializers.ChoiceField(choices=Study.Mode.values)
    preview = serializers.BooleanField()
    frozen = serializers.CharField(allow_null=True)
    seed = serializers.IntegerField()
    inputs_hash = serializers.CharField()
    n_assigned = serializers.IntegerField()
    n_submitted = serializers.IntegerField()
    n_skipped = serializers.IntegerField()
    n_missing = serializers.IntegerField()
    n_clusters = serializers.IntegerField()
    n_readers = serializers.IntegerField()
    criteria = serializers.ListField(child=serializers.JSONField())
    flags = serializers.ListField(child=serializers.JSONField())
    reference_wrong = serializers.IntegerField()


class Preferences(Endpoint):
    noun = "preferences"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=PreferencesTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """Which system is preferred to which, by letters; a preview until the study is locked."""
        return services.preferences(analyzed_study(self.person, slug))


routes = [route("studies/<slug:slug>/preferences/", Preferences, {"get": "show"}, "preferences")]
