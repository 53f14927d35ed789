"""Draft, grade and criterion score.

draft: what a reader has entered and not submitted; the only row here that changes. grade: one reader's judgment
of one output; a correction is a new version with a reason, nothing is updated or deleted. Missing is typed: a
criterion score is a value or a reason why there is none.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotation.audit.models import AppendOnly, Event
from annotation.studies.models import Criterion, ErrorCode, Reading, ReadingOutput


class Draft(models.Model):
    reading = models.OneToOneField(Reading, models.CASCADE, related_name="draft")
    payload = models.JSONField(default=dict)
    client_id = models.CharField(max_length=64, blank=True)
    revision = models.PositiveIntegerField(default=0)
    active_ms = models.PositiveBigIntegerField(default=0)
    idle_ms = models.PositiveBigIntegerField(default=0)
    saved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of {self.reading_id}"


class Grade(AppendOnly):
    class Safety(models.TextChoices):
        NONE = "none"
        LOW = "low"
        MODERATE = "moderate"
        SEVERE = "severe"

    class Stage(models.TextChoices):
        WITHOUT = "without_reference", "without the reference"
        WITH = "with_reference", "with the reference"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading_output = models.ForeignKey(ReadingOutput, models.PROTECT, related_name="grades")
    stage = models.CharField(max_length=17, choices=Stage.choices, default=Stage.WITH)
    version = models.PositiveSmallIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="grades")
    rationale = models.TextField(blank=True)
    safety = models.CharField(max_length=8, choices=Safety.choices, default=Safety.NONE)
    reference_wrong = models.BooleanField(default=False)
    reason_for_change = models.TextField(blank=True)
    active_ms = models.PositiveBigIntegerField(default=0)
    idle_ms = models.PositiveBigIntegerField(default=0)
    viewing = models.JSONField(default=dict, blank=True)
    client_time = models.DateTimeField(null=True, blank=True)
    submit_key = models.UUIDField()
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    text_salt = models.CharField(max_length=32, blank=True, editable=False)
    text_digest = models.CharField(max_length=64, blank=True, editable=False)
    payload_hash = models.CharField(max_length=64, blank=True, editable=False)
    blanked_by = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, editable=False, related_name="blanked_grades"
    )

    class Meta:
        ordering = ["submitted_at"]
        constraints = [
            models.UniqueConstraint(fields=["reading_output", "stage", "version"], name="grade_version_once"),
            models.UniqueConstraint(fields=["reading_output", "submit_key"], name="grade_submitted_once"),
            models.CheckConstraint(
                condition=models.Q(version=1) | ~models.Q(reason_for_change=""), name="amendment_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reading_output_id} v{self.version}"


class CriterionScore(AppendOnly):
    class NotApplicable(models.TextChoices):
        NOT_APPLICABLE = "not_applicable", "outside the criterion's applicability"
        NOT_VISIBLE = "not visible"
        NOT_GRADABLE = "not gradable"
        OUTSIDE_COMPETENCE = "outside my competence"
        OTHER = "other"

    grade = models.ForeignKey(Grade, models.CASCADE, related_name="scores")
    criterion = models.ForeignKey(Criterion, models.PROTECT)
    value = models.FloatField(null=True, blank=True)
    na_reason = models.CharField(max_length=24, choices=NotApplicable.choices, blank=True)

    class Meta:
        ordering = ["grade", "criterion__rubric", "criterion__position"]
        constraints = [
            models.UniqueConstraint(fields=["grade", "criterion"], name="score_once_per_criterion"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False, na_reason="")
                | (models.Q(value=None) & ~models.Q(na_reason="")),
                name="score_is_value_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id}: {self.value if self.value is not None else self.na_reason}"


class ErrorMark(AppendOnly):
    """An error named on an output. Until places can be drawn, `nowhere` says it cannot be localized."""

    grade = models.ForeignKey(Grade, models.CASCADE, related_name="error_marks")
    error_code = models.ForeignKey(ErrorCode, models.PROTECT)
    nowhere = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["grade", "position"]
        constraints = [models.UniqueConstraint(fields=["grade", "position"], name="one_mark_per_position")]

    def __str__(self) -> str:
        return self.error_code_id


class SystemGuess(AppendOnly):
    """What a reader believes made an output, asked at the end of a block; blank: could not tell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reading_output = models.OneToOneField(ReadingOutput, models.PROTECT, related_name="guess")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    guess = models.CharField(max_length=120, blank=True)
    sure = models.PositiveSmallIntegerField(null=True, blank=True)
    why = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name_plural = "system guesses"

    def __str__(self) -> str:
        return f"{self.reading_output_id}: {self.guess or 'could not tell'}"
