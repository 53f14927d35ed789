"""Composite: a declared combination of the tiers, one set of weights per format.

Each component names its source (a rubric criterion or a metric), a fixed transform (low and high of the raw
scale) and a weight. A locked version never changes.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.studies.models import Study


class Composite(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft"
        LOCKED = "locked"

    class Weighting(models.TextChoices):
        MACRO_BY_TASK = "macro_by_task", "macro by task"
        PLAIN = "plain", "plain mean over outputs"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="composites")
    version = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    weighting = models.CharField(max_length=13, choices=Weighting.choices, default=Weighting.MACRO_BY_TASK)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "-version"]
        constraints = [models.UniqueConstraint(fields=["study", "version"], name="composite_version_once")]

    def __str__(self) -> str:
        return f"composite v{self.version}"


class CompositeComponent(models.Model):
    class Tier(models.TextChoices):
        PIXEL = "pixel"
        SEMANTIC = "semantic"
        CLINICAL = "clinical"

    composite = models.ForeignKey(Composite, models.CASCADE, related_name="components")
    format = models.CharField(max_length=32)
    tier = models.CharField(max_length=8, choices=Tier.choices)
    source = models.CharField(max_length=64)
    low = models.FloatField()
    high = models.FloatField()
    weight = models.FloatField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["composite", "format", "position"]
        constraints = [
            models.UniqueConstraint(fields=["composite", "format", "source"], name="one_component_per_source"),
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="weight_not_negative"),
            models.CheckConstraint(condition=~models.Q(low=models.F("high")), name="transform_has_a_span"),
        ]

    def __str__(self) -> str:
        return f"{self.format} {self.source}"
