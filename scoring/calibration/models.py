"""Judge, judgments and stated limit.

judge: who judged, with all that changes its numbers: rubric version, scale, view, prompt; values of different judges
are never averaged together. import: one file of one judge about one submission. judgment: one value on one criterion
of one output, or the reason why there is none; a new value is a new version. stated limit: what a correlation with
the experts has to reach in a study, and who said so when. All are written once.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.audit.models import AppendOnly
from annotation.studies.models import Criterion, Rubric, Study
from annotation.systems.models import Output, Submission


class Judge(AppendOnly):
    class View(models.TextChoices):
        WITH_REFERENCE = "with_reference", "with the reference in view"
        WITHOUT_REFERENCE = "without_reference", "without the reference"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="judges")
    scale_min = models.FloatField()
    scale_max = models.FloatField()
    view = models.CharField(max_length=17, choices=View.choices)
    prompt = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "rubric", "scale_min", "scale_max", "view", "prompt"], name="judge_once"
            ),
            models.CheckConstraint(condition=models.Q(scale_min__lt=models.F("scale_max")), name="judge_scale_rises"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scale(self) -> tuple[float, float]:
        return self.scale_min, self.scale_max

    @property
    def scale_words(self) -> str:
        return f"{self.scale_min:g}–{self.scale_max:g}"


class JudgmentImport(AppendOnly):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    judge = models.ForeignKey(Judge, models.PROTECT, related_name="imports")
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="judgment_imports")
    file_sha256 = models.CharField(max_length=64)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"judgments {self.created_at:%Y-%m-%d %H:%M}"


class Judgment(AppendOnly):
    batch = models.ForeignKey(JudgmentImport, models.PROTECT, related_name="judgments")
    judge = models.ForeignKey(Judge, models.PROTECT, related_name="judgments")
    output = models.ForeignKey(Output, models.PROTECT, related_name="judgments")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="judgments")
    version = models.PositiveSmallIntegerField(default=1)
    value = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    raw = models.TextField(blank=True)
    coerced = models.BooleanField(default=False)

    class Meta:
        ordering = ["output", "criterion", "version"]
        constraints = [
            models.UniqueConstraint(fields=["judge", "output", "criterion", "version"], name="judgment_version_once"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False, reason="") | (models.Q(value=None) & ~models.Q(reason="")),
                name="judgment_value_or_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value:g}" if self.value is not None else self.reason


class StatedLimit(AppendOnly):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="stated_limits")
    kind = models.CharField(max_length=8)
    scope = models.CharField(max_length=13)
    limit = models.FloatField()
    passes_from = models.FloatField(null=True, blank=True)
    n_grades = models.PositiveIntegerField()
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(limit__gt=0, limit__lt=1), name="limit_is_a_correlation")
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.scope}: {self.limit:g}"
