"""Agreement of a study for programs: the JSON of its page."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.people.models import User
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Asked, Told
from annotation.studies.models import Study
from scoring.agreement import services
from scoring.agreement.selection import SelectionError


class AgreementTold(Told):
    """`criteria` hold every coefficient with interval, n and the number missing, by criterion and pair."""

    study = serializers.CharField()
    preview = serializers.BooleanField()
    level = serializers.CharField()
    seed = serializers.IntegerField()
    inputs_hash = serializers.CharField()
    selection = serializers.DictField(child=serializers.CharField(allow_blank=True))
    choices = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    criteria = serializers.ListField(child=serializers.JSONField())


class AgreementAsked(Asked):
    """Which grades; what is left out selects everything."""

    task = serializers.CharField(required=False, max_length=64)
    modality = serializers.CharField(required=False, max_length=64)
    stage = serializers.CharField(required=False, max_length=32)
    first = serializers.CharField(required=False, max_length=8, help_text="reader; alone: outputs this reader graded")
    second = serializers.CharField(required=False, max_length=8, help_text="another reader: only these two")


def analyzed_study(person: User, slug: str) -> Study:
    """A study whose numbers this person may see; everybody else gets 404."""
    studies = Study.objects.analyzable_by(person).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


class Agreement(Endpoint):
    noun = "agreement"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=AgreementTold, query=AgreementAsked, refuses={SelectionError: 400})
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """How far the readers agree; a preview until the study is locked."""
        return services.agreement(analyzed_study(self.person, slug), self.asked)


routes = [route("studies/<slug:slug>/agreement/", Agreement, {"get": "show"}, "agreement")]
