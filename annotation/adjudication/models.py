"""Adjudication: one act on one case, written once.

A case is one question about one output of a study: a criterion, its safety or its reference. Cases are derived from
grades (`queue.py`) and not stored; what is stored are the acts: asked for by a coordinator, decided, reopened. A
new act is a new version with a reason, and never edits a grade.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.audit.models import AppendOnly
from annotation.studies.models import Criterion, Study
from annotation.systems.models import Output


class Adjudication(AppendOnly):
    class Act(models.TextChoices):
        REQUESTED = "requested"
        DECIDED = "decided"
        REOPENED = "reopened"

    class Subject(models.TextChoices):
        SAFETY = "safety"
        REFERENCE = "reference"
        CRITERION = "criterion"

    class Trigger(models.TextChoices):
        SAFETY = "safety", "safety flag"
        REFERENCE = "reference", "reference called wrong"
        SPREAD = "spread", "readers lie 2 or more apart"
        MANUAL = "manual", "asked for by a coordinator"

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed"
        REFUTED = "refuted"

    class Level(models.TextChoices):
        MODERATE = "moderate"
        SEVERE = "severe"

    class Cause(models.TextChoices):
        READER = "reader_error", "a reader erred"
        REFERENCE = "reference_wrong", "the reference is wrong"
        RUBRIC = "rubric_unclear", "the rubric is unclear"
        BOTH = "both_defensible", "both views are defensible"
        OUTPUT = "output_ambiguous", "the output can be read in two ways"
        OTHER = "other", "something else, said in the rationale"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.PROTECT, related_name="adjudications")
    output = models.ForeignKey(Output, models.PROTECT, related_name="adjudications")
    subject = models.CharField(max_length=9, choices=Subject.choices)
    criterion = models.ForeignKey(Criterion, models.PROTECT, null=True, blank=True, related_name="+")
    case_key = models.UUIDField(editable=False)
    version = models.PositiveSmallIntegerField()
    act = models.CharField(max_length=9, choices=Act.choices)
    trigger = models.CharField(max_length=9, choices=Trigger.choices)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="adjudications")
    value = models.FloatField(null=True, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True)
    level = models.CharField(max_length=8, choices=Level.choices, blank=True)
    cause = models.CharField(max_length=16, choices=Cause.choices, blank=True)
    rationale = models.TextField()
    inputs = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["case_key", "version"], name="adjudication_version_once"),
            models.CheckConstraint(condition=~models.Q(rationale=""), name="adjudication_has_a_rationale"),
            models.CheckConstraint(
                condition=models.Q(subject="criterion", criterion__isnull=False)
                | (~models.Q(subject="criterion") & models.Q(criterion=None)),
                name="adjudication_of_a_criterion_names_it",
            ),
            models.CheckConstraint(
                condition=(~models.Q(act="decided") & models.Q(value=None, verdict="", level="", cause=""))
                | (models.Q(act="decided", subject="criterion", value__isnull=False, verdict="")
                   & ~models.Q(cause=""))
                | (models.Q(act="decided", value=None) & ~models.Q(subject="criterion")
                   & ~models.Q(verdict="") & ~models.Q(cause="")),
                name="adjudication_decides_what_is_asked",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.act} {self.subject} v{self.version}"
