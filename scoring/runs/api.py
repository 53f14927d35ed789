"""Metric values for programs, and asking for them to be computed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets.api import seen_item
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import sees_items
from annotation.rest.serializers import Asked, Sent, Told
from annotation.systems.api import seen_submission
from annotation.systems.models import Output, Submission
from annotation.work.api import JobTold
from annotation.work.models import Job
from scoring.metrics.registry import METRICS
from scoring.runs.errors import MetricsError
from scoring.runs.models import MetricValue
from scoring.runs.services import current_values
from scoring.runs.summaries import MetricSummary, metric_summaries
from scoring.runs.work import ask_for_metrics


class ValueAsked(Asked):
    metric = serializers.ChoiceField(choices=list(METRICS), required=False)
    subject = serializers.ChoiceField(choices=MetricValue.Subject.values, required=False)


class ValueTold(Told):
    output = serializers.UUIDField(source="output_id")
    submission = serializers.CharField(source="output.submission.code")
    item = serializers.CharField(source="output.revision.item.code")
    metric = serializers.CharField(source="settings.metric")
    settings_hash = serializers.CharField(source="settings.settings_hash")
    direction = serializers.CharField(source="settings.direction")
    unit = serializers.CharField(source="settings.unit", allow_blank=True)
    subject = serializers.ChoiceField(choices=MetricValue.Subject.values)
    value = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    flags = serializers.ListField(child=serializers.CharField())
    computed_at = serializers.DateTimeField()


class SummaryTold(Told):
    metric = serializers.CharField(source="settings.metric")
    tier = serializers.CharField(source="settings.tier")
    direction = serializers.CharField(source="settings.direction")
    unit = serializers.CharField(source="settings.unit", allow_blank=True)
    n_expected = serializers.IntegerField()
    n_values = serializers.SerializerMethodField()
    mean = serializers.FloatField(allow_null=True)
    spread = serializers.FloatField(allow_null=True)
    mean_baseline = serializers.FloatField(allow_null=True)
    mean_gain = serializers.FloatField(allow_null=True)
    n_unchanged = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())

    def get_n_values(self, summary: MetricSummary) -> int:
        return len(summary.values)


class RunSent(Sent):
    metrics = serializers.ListField(child=serializers.ChoiceField(choices=list(METRICS)), required=False)
    force = serializers.BooleanField(default=False)


class Metrics(Endpoint):
    noun = tag = "metrics"
    scopes = ("submit", "study")

    def _values(self, outputs: QuerySet[Output]) -> QuerySet[MetricValue]:
        values = current_values(outputs).select_related("settings", "output__submission", "output__revision__item")
        if "metric" in self.asked:
            values = values.filter(settings__metric=self.asked["metric"])
        if "subject" in self.asked:
            values = values.filter(subject=self.asked["subject"])
        return values.order_by("output__revision__item__number", "output__submission__number", "settings", "subject")

    @operation(tells=ValueTold, many=True, query=ValueAsked, guard=sees_items)
    def list(self, request: Request, pk: UUID) -> QuerySet[MetricValue]:
        """Current values of a submission: a number, or the reason why there is none."""
        return self._values(Output.objects.filter(submission=seen_submission(self.person, pk)))

    @operation(tells=SummaryTold, many=True, guard=sees_items)
    def summaries(self, request: Request, pk: UUID) -> Sequence[MetricSummary]:
        """Means per metric, every missing value accounted for."""
        return metric_summaries(seen_submission(self.person, pk))

    @operation(tells=JobTold, takes=RunSent, status=202, guard=sees_items, refuses={MetricsError: 422})
    def compute(self, request: Request, pk: UUID) -> Job:
        """Ask for the values that are missing or stale; a job computes them."""
        submission = seen_submission(self.person, pk)
        metrics: Any = self.body.get("metrics") or None
        return ask_for_metrics(submissions=[submission], actor=self.person, metrics=metrics, force=self.body["force"])

    @operation(tells=ValueTold, many=True, query=ValueAsked, guard=sees_items)
    def of_item(self, request: Request, pk: UUID) -> QuerySet[MetricValue]:
        """Values of every system's output for one item."""
        item = seen_item(self.person, pk)
        seen = Submission.objects.visible_to(self.person)
        return self._values(Output.objects.filter(revision=item.current_revision_id, submission__in=seen))


routes = [
    route("submissions/<uuid:pk>/metrics/", Metrics, {"get": "list", "post": "compute"}, "submission-metrics"),
    route("submissions/<uuid:pk>/metric-summaries/", Metrics, {"get": "summaries"}, "metric-summaries"),
    route("items/<uuid:pk>/metrics/", Metrics, {"get": "of_item"}, "item-metrics"),
]
