"""Rubrics, error codes and the taxonomy for programs, and the operator's trail."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.audit.models import Event
from annotation.formats import taxonomy
from annotation.people.trail_views import TOLD_SUBJECTS
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import operators_only
from annotation.rest.serializers import Asked, LabeledTold, Told
from annotation.studies.models import ErrorCode, Rubric


class RubricTold(Told):
    code = serializers.CharField()
    version = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Rubric.State.values)
    scale_min = serializers.FloatField()
    scale_max = serializers.FloatField()
    scale_step = serializers.FloatField()


class AnchorTold(Told):
    value = serializers.FloatField()
    description = serializers.CharField()


class CriterionTold(Told):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    definition = serializers.CharField()
    direction = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    na_allowed = serializers.BooleanField()
    rationale_at_most = serializers.FloatField(allow_null=True)
    applies_to_formats = serializers.JSONField()
    needs_image = serializers.BooleanField()
    needs_text = serializers.BooleanField()
    anchors = AnchorTold(many=True)


class RubricDetailTold(RubricTold):
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    criteria = CriterionTold(many=True)


class TaskTold(LabeledTold):
    format = serializers.CharField()


class ErrorCodeTold(Told):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    localizable = serializers.BooleanField()


class TaxonomyTold(Told):
    formats = LabeledTold(many=True)
    tasks = TaskTold(many=True)
    modalities = LabeledTold(many=True)
    error_codes = ErrorCodeTold(many=True)


class EventTold(Told):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True)
    verb = serializers.CharField()
    subject_type = serializers.CharField(allow_blank=True)
    subject_id = serializers.CharField(allow_blank=True)
    details = serializers.SerializerMethodField(help_text="only of what concerns people, keys and datasets")
    chain = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField(allow_blank=True)

    def get_details(self, event: Event) -> dict[str, Any]:
        return event.details if event.subject_type in TOLD_SUBJECTS else {}


class EventAsked(Asked):
    actor = serializers.CharField(required=False, max_length=64)
    verb = serializers.CharField(required=False, max_length=64)
    subject_type = serializers.CharField(required=False, max_length=64)
    subject_id = serializers.CharField(required=False, max_length=64)
    chain = serializers.CharField(required=False, max_length=64)
    since = serializers.DateField(required=False, help_text="the first day, UTC")


class Reference(Endpoint):
    noun = tag = "reference"

    @operation(tells=RubricTold, many=True)
    def list_rubrics(self, request: Request) -> QuerySet[Rubric]:
        """Rubrics and their versions."""
        return Rubric.objects.order_by("code", "version")

    @operation(tells=RubricDetailTold)
    def show_rubric(self, request: Request, code: str, version: str) -> Rubric:
        """One rubric with its criteria and the words of its anchors."""
        return get_object_or_404(Rubric.objects.prefetch_related("criteria__anchors"), code=code, version=version)

    @operation(tells=TaxonomyTold)
    def taxonomy(self, request: Request) -> dict[str, Any]:
        """Codes of formats, tasks, modalities and errors."""
        return {
            "formats": list(taxonomy.FORMATS.values()),
            "tasks": list(taxonomy.TASKS.values()),
            "modalities": list(taxonomy.MODALITIES.values()),
            "error_codes": ErrorCode.objects.order_by("position"),
        }


class Trail(Endpoint):
    noun = tag = "trail"
    scopes = ("people",)
    own_scope_only = True

    @operation(tells=EventTold, many=True, query=EventAsked, guard=operators_only)
    def list(self, request: Request) -> QuerySet[Event]:
        """Who did what, newest first."""
        wanted = dict(self.asked)
        since = wanted.pop("since", None)
        events = Event.objects.filter(**wanted).order_by("-id")
        return events if since is None else events.filter(at__date__gte=since)


routes = [
    route("rubrics/", Reference, {"get": "list_rubrics"}, "rubrics"),
    route("rubrics/<str:code>/<str:version>/", Reference, {"get": "show_rubric"}, "rubric"),
    route("taxonomy/", Reference, {"get": "taxonomy"}, "taxonomy"),
    route("trail/", Trail, {"get": "list"}, "trail"),
]
