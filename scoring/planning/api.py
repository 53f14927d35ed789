"""The planner for programs."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.problems import FieldError, ProblemError, shown
from annotation.rest.serializers import Asked, Told
from scoring.planning.forms import QUANTITIES, RUBRICS, PlanForm, defaults
from scoring.planning.services import plan


class PlanAsked(Asked):
    """As the form of the page; what is left out takes the value that the page begins with."""

    rubric = serializers.ChoiceField(choices=RUBRICS, required=False)
    quantity = serializers.ChoiceField(choices=QUANTITIES, required=False)
    items = serializers.IntegerField(required=False, min_value=10, max_value=20_000)
    systems = serializers.IntegerField(required=False, min_value=1, max_value=50)
    readings_per_item = serializers.IntegerField(required=False, min_value=1, max_value=24)
    readers = serializers.IntegerField(required=False, min_value=1, max_value=24)
    items_per_cluster = serializers.IntegerField(required=False, min_value=1, max_value=10)
    seconds = serializers.IntegerField(required=False, min_value=5, max_value=3600)
    width = serializers.FloatField(required=False, min_value=0.001, max_value=100)
    category = serializers.CharField(required=False, max_length=60)
    share = serializers.FloatField(required=False, min_value=0, max_value=100, help_text="% of outputs")
    strata = serializers.IntegerField(required=False, min_value=1, max_value=200)
    item = serializers.FloatField(required=False, min_value=0, help_text="variance, with rubric=own")
    system_item = serializers.FloatField(required=False, min_value=0)
    reader = serializers.FloatField(required=False, min_value=0)
    residual = serializers.FloatField(required=False, min_value=0)
    low = serializers.FloatField(required=False)
    high = serializers.FloatField(required=False)
    mean = serializers.FloatField(required=False)


class PlanTold(Told):
    """Widths are high minus low of a 95 % interval; a width that does not exist is null, with its reason."""

    quantity = serializers.CharField()
    seed = serializers.IntegerField()
    components = serializers.JSONField()
    size = serializers.JSONField()
    expected = serializers.JSONField()
    smallest = serializers.JSONField(allow_null=True)
    table = serializers.JSONField()
    workload = serializers.JSONField()
    rare = serializers.JSONField(allow_null=True)


class Planner(Endpoint):
    noun = "planner"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=PlanTold, query=PlanAsked)
    def show(self, request: Request) -> dict[str, Any]:
        """Expected widths of intervals by readers and items, the smallest study for a width, and hours of reading."""
        form = PlanForm(defaults() | dict(self.asked))
        if not form.is_valid():
            wrong = [
                FieldError(name, shown(form.data.get(name)), str(words))
                for name, listed in form.errors.items()
                for words in listed
            ]
            raise ProblemError(400, f"{wrong[0].field}: {wrong[0].rule}", kind="invalid", errors=wrong)
        return plan(form.cleaned_data)


routes = [route("planner/", Planner, {"get": "show"}, "planner")]
