"""Metric settings, runs and values.

settings: a metric with everything that changes its number, known by a hash; values of different hashes are
never averaged together. value: one finite number, or the reason why there is none, for one output version and
one subject ("output", or "no_op" = the unchanged input taken as output). Stale is derived: the output was
superseded or the settings are no longer those of the registry.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.systems.models import Output
from annotation.work.models import Job


class MetricSettings(models.Model):
    metric = models.CharField(max_length=48)
    version = models.CharField(max_length=16)
    label = models.CharField(max_length=80)
    tier = models.CharField(max_length=16)
    direction = models.CharField(max_length=16)
    unit = models.CharField(max_length=32, blank=True)
    parameters = models.JSONField(default=dict)
    settings_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["metric", "created_at"]
        verbose_name_plural = "metric settings"

    def __str__(self) -> str:
        return f"{self.metric} {self.settings_hash[:12]}"


class MetricRun(models.Model):
    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    n_expected = models.PositiveIntegerField(default=0)
    n_computed = models.PositiveIntegerField(default=0)
    n_undefined = models.PositiveIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="metric_runs")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"run {self.started_at:%Y-%m-%d %H:%M}"


class MetricValueQuerySet(models.QuerySet["MetricValue"]):
    def current(self) -> "MetricValueQuerySet":
        """Values of outputs that have not been superseded."""
        return self.filter(output__superseded_by=None)


class MetricValue(models.Model):
    class Subject(models.TextChoices):
        OUTPUT = "output"
        NO_OP = "no_op", "unchanged input"

    settings = models.ForeignKey(MetricSettings, models.PROTECT, related_name="values")
    output = models.ForeignKey(Output, models.CASCADE, related_name="metric_values")
    subject = models.CharField(max_length=6, choices=Subject.choices, default=Subject.OUTPUT)
    value = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=300, blank=True)
    flags = models.JSONField(default=list, blank=True)
    seconds = models.FloatField(default=0)
    run = models.ForeignKey(MetricRun, models.PROTECT, null=True, blank=True, related_name="values")
    computed_at = models.DateTimeField(auto_now=True)

    objects = MetricValueQuerySet.as_manager()

    class Meta:
        ordering = ["output", "settings"]
        constraints = [
            models.UniqueConstraint(fields=["settings", "output", "subject"], name="one_value_per_subject"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False, reason="") | (models.Q(value=None) & ~models.Q(reason="")),
                name="value_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.settings_id}: {self.value if self.value is not None else self.reason}"
