"""Rubric, criterion, anchor and error code.

rubric: a versioned set of criteria with anchors; locked when a study that uses it opens.
"""

from django.db import models


class Rubric(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft"
        LOCKED = "locked"

    code = models.CharField(max_length=16)
    version = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    scale_min = models.FloatField()
    scale_max = models.FloatField()
    scale_step = models.FloatField(default=1)
    source = models.CharField(max_length=200, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["code", "version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="rubric_version_once"),
            models.CheckConstraint(condition=models.Q(scale_min__lt=models.F("scale_max")), name="scale_rises"),
        ]

    def __str__(self) -> str:
        return f"{self.code}@{self.version}"


class Criterion(models.Model):
    class Kind(models.TextChoices):
        ORDINAL = "ordinal"

    class Direction(models.TextChoices):
        HIGHER_BETTER = "higher_better", "higher is better"
        HIGHER_WORSE = "higher_worse", "higher is worse"

    rubric = models.ForeignKey(Rubric, models.CASCADE, related_name="criteria")
    code = models.CharField(max_length=48)
    label = models.CharField(max_length=80)
    definition = models.TextField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ORDINAL)
    direction = models.CharField(max_length=13, choices=Direction.choices, default=Direction.HIGHER_BETTER)
    position = models.PositiveSmallIntegerField()
    required = models.BooleanField(default=True)
    na_allowed = models.BooleanField(default=True)
    rationale_at_most = models.FloatField(null=True, blank=True)
    applies_to_formats = models.JSONField(default=list, blank=True)
    needs_image = models.BooleanField(default=False)
    needs_text = models.BooleanField(default=False)

    class Meta:
        ordering = ["rubric", "position"]
        constraints = [models.UniqueConstraint(fields=["rubric", "code"], name="criterion_code_once")]
        verbose_name_plural = "criteria"

    def __str__(self) -> str:
        return self.code


class Anchor(models.Model):
    criterion = models.ForeignKey(Criterion, models.CASCADE, related_name="anchors")
    value = models.FloatField()
    description = models.TextField()

    class Meta:
        ordering = ["criterion", "-value"]
        constraints = [models.UniqueConstraint(fields=["criterion", "value"], name="one_anchor_per_value")]

    def __str__(self) -> str:
        return f"{self.value:g}"


class ErrorCode(models.Model):
    code = models.CharField(max_length=32, primary_key=True)
    label = models.CharField(max_length=120)
    localizable = models.BooleanField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.code
