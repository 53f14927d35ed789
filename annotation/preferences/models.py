"""Preference: which of the outputs side by side a reader finds best, said once and never changed.

Left and right are places on the screen, drawn when the study opened; `chosen` is the output that stood there. A
correction is a new version with a reason. Beside the overall choice stand one choice for each criterion that the
study compares, and what a reader says about single outputs: harm and errors.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotation.audit.models import AppendOnly
from annotation.studies.models import Criterion, ErrorCode, Reading, ReadingOutput


class Choice(models.TextChoices):
    LEFT = "left", "left is better"
    RIGHT = "right", "right is better"
    TIE = "tie", "equally good"
    BOTH_BAD = "both_bad", "neither is usable"
    BEST = "best", "one is best"
    ALL_BAD = "all_bad", "none is usable"


PICKS = (Choice.LEFT, Choice.RIGHT, Choice.BEST)
_PICKED = models.Q(choice__in=[each.value for each in PICKS], chosen__isnull=False)
_NOT_PICKED = ~models.Q(choice__in=[each.value for each in PICKS]) & models.Q(chosen=None)


class Preference(AppendOnly):
    class Strength(models.TextChoices):
        SLIGHT = "slight", "could be argued"
        CLEAR = "clear", "most would agree"
        STRONG = "strong", "no doubt"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading = models.ForeignKey(Reading, models.PROTECT, related_name="preferences")
    version = models.PositiveSmallIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="preferences")
    choice = models.CharField(max_length=8, choices=Choice.choices)
    chosen = models.ForeignKey(ReadingOutput, models.PROTECT, null=True, blank=True, related_name="+")
    strength = models.CharField(max_length=6, choices=Strength.choices, blank=True)
    rationale = models.TextField(blank=True)
    reference_wrong = models.BooleanField(default=False)
    reason_for_change = models.TextField(blank=True)
    active_ms = models.PositiveBigIntegerField(default=0)
    idle_ms = models.PositiveBigIntegerField(default=0)
    viewing = models.JSONField(default=dict, blank=True)
    client_time = models.DateTimeField(null=True, blank=True)
    submit_key = models.UUIDField()
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["submitted_at"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "version"], name="preference_version_once"),
            models.UniqueConstraint(fields=["reading", "submit_key"], name="preference_submitted_once"),
            models.CheckConstraint(
                condition=models.Q(version=1) | ~models.Q(reason_for_change=""),
                name="preference_amendment_has_a_reason",
            ),
            models.CheckConstraint(condition=_PICKED | _NOT_PICKED, name="preference_names_what_it_picks"),
        ]

    def __str__(self) -> str:
        return f"{self.reading_id} v{self.version}: {self.choice}"

    @property
    def chosen_label(self) -> str | None:
        """Label of the output that is picked; None for a tie or when all are bad."""
        return None if self.chosen is None else self.chosen.label


class PreferenceChoice(AppendOnly):
    """The choice on one criterion; criteria that do not apply to the outputs are not asked and have no row."""

    preference = models.ForeignKey(Preference, models.CASCADE, related_name="choices")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    choice = models.CharField(max_length=8, choices=Choice.choices)
    chosen = models.ForeignKey(ReadingOutput, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["preference", "criterion__rubric", "criterion__position"]
        constraints = [
            models.UniqueConstraint(fields=["preference", "criterion"], name="choice_once_per_criterion"),
            models.CheckConstraint(condition=_PICKED | _NOT_PICKED, name="choice_names_what_it_picks"),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.choice}"

    @property
    def chosen_label(self) -> str | None:
        """Label of the output that is picked; None for a tie or when all are bad."""
        return None if self.chosen is None else self.chosen.label


class PreferenceFlag(AppendOnly):
    """Harm that one of the outputs could do; an output without a flag has no row."""

    class Safety(models.TextChoices):
        LOW = "low"
        MODERATE = "moderate"
        SEVERE = "severe"

    preference = models.ForeignKey(Preference, models.CASCADE, related_name="flags")
    reading_output = models.ForeignKey(ReadingOutput, models.PROTECT, related_name="+")
    safety = models.CharField(max_length=8, choices=Safety.choices)

    class Meta:
        ordering = ["preference", "reading_output"]
        constraints = [models.UniqueConstraint(fields=["preference", "reading_output"], name="flag_once_per_output")]

    def __str__(self) -> str:
        return self.safety


class PreferenceError(AppendOnly):
    """An error named on one of the outputs; `nowhere` says that it cannot be localized."""

    preference = models.ForeignKey(Preference, models.CASCADE, related_name="errors")
    reading_output = models.ForeignKey(ReadingOutput, models.PROTECT, related_name="+")
    error_code = models.ForeignKey(ErrorCode, models.PROTECT, related_name="+")
    nowhere = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["preference", "reading_output", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["preference", "reading_output", "position"], name="one_error_per_position"
            )
        ]

    def __str__(self) -> str:
        return self.error_code_id
