"""The declared composite of a study for programs."""

from typing import Any

from django.core.exceptions import PermissionDenied
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Sent, Told
from annotation.studies.models import Study
from scoring.agreement.api import analyzed_study
from scoring.composites import services
from scoring.composites.combination import combination
from scoring.composites.errors import CompositeError
from scoring.composites.models import Composite, CompositeComponent


class ComponentTold(Told):
    id = serializers.IntegerField()
    format = serializers.CharField()
    tier = serializers.ChoiceField(choices=CompositeComponent.Tier.values)
    source = serializers.CharField()  # type: ignore[assignment]
    low = serializers.FloatField()
    high = serializers.FloatField()
    weight = serializers.FloatField()


class CompositeTold(Told):
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Composite.State.values)
    weighting = serializers.ChoiceField(choices=Composite.Weighting.values)
    created_at = serializers.DateTimeField()
    components = serializers.SerializerMethodField()

    def get_components(self, composite: Composite) -> list[Any]:
        return list(ComponentTold(composite.components.order_by("format", "position"), many=True).data)


class WeightSent(Sent):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    weight = serializers.FloatField(min_value=0, max_value=1)
    low = serializers.FloatField(required=False, help_text="raw value worth 0; stays as it is without one")
    high = serializers.FloatField(required=False, help_text="raw value worth 1; stays as it is without one")


class WeightsSent(Sent):
    weighting = serializers.ChoiceField(choices=Composite.Weighting.values)
    weights = WeightSent(many=True)


class Composites(Endpoint):
    noun = "composite"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=CompositeTold)
    def show(self, request: Request, slug: str) -> Composite:
        """The newest declaration: components, transforms and weights by format."""
        return services.present_composite(analyzed_study(self.person, slug))

    @operation(tells=CompositeTold, takes=WeightsSent, status=201, refuses={CompositeError: 422})
    def declare(self, request: Request, slug: str) -> Composite:
        """Declare other weights or transforms as a new version; each format's weights sum to 1."""
        study = analyzed_study(self.person, slug)
        if not Study.objects.run_by(self.person).filter(pk=study.pk).exists():
            raise PermissionDenied("Declaring the composite is the coordinator's act.")
        present = {row.pk: row for row in services.present_composite(study).components.all()}
        weights, transforms = {}, {}
        for row in self.body["weights"]:
            key = row["id"]
            weights[key] = row["weight"]
            if key in present:
                transforms[key] = (row.get("low", present[key].low), row.get("high", present[key].high))
        return services.change_composite(
            study=study,
            weights=weights,
            transforms=transforms,
            weighting=self.body["weighting"],
            actor=self.person,
        )


class CombinationTold(Told):
    """`formats` hold estimates by system and the fitted weights; `simplex` who wins under other tier weights."""

    study = serializers.CharField()
    preview = serializers.BooleanField()
    composite_version = serializers.IntegerField()
    inputs_hash = serializers.CharField(allow_blank=True)
    formats = serializers.ListField(child=serializers.JSONField())
    simplex = serializers.ListField(child=serializers.JSONField())


class Combination(Endpoint):
    noun = "combination"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=CombinationTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """Clinical means from grades and metrics together, weights fitted to the grades, and other weights."""
        return combination(analyzed_study(self.person, slug))


STUDY = "studies/<slug:slug>"
routes = [
    route(f"{STUDY}/composite/", Composites, {"get": "show", "post": "declare"}, "composite"),
    route(f"{STUDY}/combination/", Combination, {"get": "show"}, "combination"),
]
