"""The leaderboard of a study for programs: the JSON of its page, and the receipt behind every number."""

from typing import Any

from django.http import Http404, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets.api import FORMATS
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Asked, Told
from scoring.agreement.api import analyzed_study
from scoring.leaderboards import services
from scoring.leaderboards.comparison import COMPOSITE, ComparisonError, comparison
from scoring.leaderboards.long_tables import long_table


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


class ComparisonTold(Told):
    """`systems` and `pairs` in the unit of the measure; `facets` are severity-adjusted, of a criterion only."""

    study = serializers.CharField()
    preview = serializers.BooleanField()
    measure = serializers.CharField()
    format = serializers.CharField(allow_blank=True)
    inputs_hash = serializers.CharField()
    significant = serializers.FloatField()
    n_clusters = serializers.IntegerField()
    systems = serializers.ListField(child=serializers.JSONField())
    pairs = serializers.ListField(child=serializers.JSONField())
    groups = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    facets = serializers.JSONField(allow_null=True)


class ComparisonAsked(Asked):
    measure = serializers.CharField(
        required=False, default=COMPOSITE, max_length=80, help_text="composite, or a criterion as rubric:criterion"
    )
    format = serializers.ChoiceField(choices=FORMATS, required=False)


class LongTableAsked(Asked):
    measure = serializers.CharField(
        required=False, max_length=80, help_text="a criterion as rubric:criterion; the first of the study without one"
    )


class Comparisons(Endpoint):
    noun = "comparison"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=ComparisonTold, query=ComparisonAsked, refuses={ComparisonError: 400})
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """Systems compared on one measure: paired differences, ranks, groups, and severity-adjusted means."""
        study = analyzed_study(self.person, slug)
        return comparison(study, measure=self.asked["measure"], format_name=self.asked.get("format") or "")

    @operation(query=LongTableAsked, refuses={ComparisonError: 400}, media=("text/csv",))
    def imrmc(self, request: Request, slug: str) -> HttpResponse:
        """Grades of one criterion as a long table for iMRMC, systems as letters."""
        return self._table(slug, "imrmc")

    @operation(query=LongTableAsked, refuses={ComparisonError: 400}, media=("text/csv",))
    def mrmcaov(self, request: Request, slug: str) -> HttpResponse:
        """Grades of one criterion as a long table for MRMCaov, systems as letters."""
        return self._table(slug, "mrmcaov")

    def _table(self, slug: str, layout: str) -> HttpResponse:
        study = analyzed_study(self.person, slug)
        text = long_table(study, layout=layout, measure=self.asked.get("measure") or "")
        return HttpResponse(text, content_type="text/csv")


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
    route(f"{STUDY}/comparison/", Comparisons, {"get": "show"}, "comparison"),
    route(f"{STUDY}/comparison/imrmc/", Comparisons, {"get": "imrmc"}, "comparison-imrmc"),
    route(f"{STUDY}/comparison/mrmcaov/", Comparisons, {"get": "mrmcaov"}, "comparison-mrmcaov"),
]
