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
        """Declare other weights as a new version; each format's weights sum to 1."""
        study = analyzed_study(self.person, slug)
        if not Study.objects.run_by(self.person).filter(pk=study.pk).exists():
            raise PermissionDenied("Declaring the composite is the coordinator's act.")
        weights = {row["id"]: row["weight"] for row in self.body["weights"]}
        return services.change_composite(
            study=study, weights=weights, weighting=self.body["weighting"], actor=self.person
        )


routes = [route("studies/<slug:slug>/composite/", Composites, {"get": "show", "post": "declare"}, "composite")]
