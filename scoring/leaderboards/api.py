"""The leaderboard of a study for programs: the JSON of its page, and the receipt behind every number."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets.api import FORMATS
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Asked, Told
from scoring.agreement.api import analyzed_study
from scoring.leaderboards import services


class StandingTold(Told):
    """What the contract names; further members are those of the page."""

    code = serializers.CharField(help_text="letter of the system")
    n_expected = serializers.IntegerField()
    n_scored = serializers.IntegerField()
    n_failed = serializers.IntegerField()
    n_vetoed = serializers.IntegerField()
    n_refuted = serializers.IntegerField()
    n_capped = serializers.IntegerField()
    composite = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_null=True, allow_blank=True)
    rank = serializers.FloatField(allow_null=True)
    components = serializers.DictField(child=serializers.FloatField(allow_null=True))
    pending = serializers.JSONField(allow_null=True)


class LeaderboardTold(Told):
    study = serializers.CharField()
    release = serializers.CharField()
    preview = serializers.BooleanField()
    values = serializers.ChoiceField(choices=[services.READERS, services.ADJUDICATED])
    frozen = serializers.CharField(allow_null=True, help_text="hash of the freeze; null before the lock")
    validation = serializers.CharField()
    composite_version = serializers.IntegerField()
    inputs_hash = serializers.CharField()
    systems = StandingTold(many=True)
    comparisons = serializers.ListField(child=serializers.JSONField())
    formats = serializers.ListField(child=serializers.JSONField())
    disagreements = serializers.ListField(child=serializers.JSONField())
    missing = serializers.JSONField()
    declaration = serializers.ListField(child=serializers.JSONField())


def _values() -> Any:
    return serializers.ChoiceField(
        choices=[services.READERS, services.ADJUDICATED],
        default=services.READERS,
        help_text="whose values of criteria: readers' own grades, or decided ones where there are any",
    )


class LeaderboardAsked(Asked):
    values = _values()


class ReceiptAsked(Asked):
    format = serializers.ChoiceField(choices=FORMATS, required=False)
    values = _values()


class NumberReceiptTold(Told):
    letter = serializers.CharField()
    composite = serializers.FloatField(allow_null=True)
    lines = serializers.ListField(child=serializers.JSONField())


class Leaderboards(Endpoint):
    noun = "leaderboard"
    tag = "numbers"
    scopes = ("study",)

    def _adjudicated(self) -> bool:
        return bool(self.asked["values"] == services.ADJUDICATED)

    @operation(tells=LeaderboardTold, query=LeaderboardAsked)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """Systems by letter with composite, interval and rank; a preview until the study is locked."""
        return services.leaderboard(analyzed_study(self.person, slug), adjudicated=self._adjudicated())

    @operation(tells=NumberReceiptTold, query=ReceiptAsked)
    def receipt(self, request: Request, slug: str, letter: str) -> dict[str, Any]:
        """The rows behind one system's number, whose contributions sum to it."""
        study = analyzed_study(self.person, slug)
        try:
            found = services.receipt(study, letter, self.asked.get("format"), adjudicated=self._adjudicated())
        except KeyError as problem:
            raise Http404 from problem
        return {
            "letter": letter,
            "composite": found["composite"].value,
            "lines": [services.plain(line) for line in found["lines"]],
        }


STUDY = "studies/<slug:slug>"
routes = [
    route(f"{STUDY}/leaderboard/", Leaderboards, {"get": "show"}, "leaderboard"),
    route(f"{STUDY}/leaderboard/<str:letter>/", Leaderboards, {"get": "receipt"}, "leaderboard-receipt"),
]
