"""Checklist and review.

checklist: versioned questions that a curator answers about one revision of an item (T3). review: one
curator's verdict on one revision, with answers and reasons; never changed, a later opinion is a new round.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.audit.models import AppendOnly
from annotation.datasets.models import ItemRevision


class Checklist(models.Model):
    code = models.CharField(max_length=16)
    version = models.CharField(max_length=16)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="checklist_version_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


class ChecklistQuestion(models.Model):
    checklist = models.ForeignKey(Checklist, models.CASCADE, related_name="questions")
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    on_no = models.CharField(max_length=60, blank=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["checklist", "position"]
        constraints = [models.UniqueConstraint(fields=["checklist", "code"], name="question_code_once")]

    def __str__(self) -> str:
        return self.code


class Review(AppendOnly):
    class Verdict(models.TextChoices):
        ACCEPT = "accept"
        FIX = "fix"
        REJECT = "reject"
        ESCALATE = "escalate"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    revision = models.ForeignKey(ItemRevision, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reviews")
    checklist = models.ForeignKey(Checklist, models.PROTECT)
    round = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    synopsis = models.TextField(blank=True)
    why_selected = models.TextField(blank=True)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["revision", "reviewer", "round"], name="one_review_per_round")]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer_id}"


class ReviewAnswer(AppendOnly):
    class Value(models.TextChoices):
        YES = "yes"
        NO = "no"
        UNSURE = "unsure"
        NOT_APPLICABLE = "not_applicable", "n/a"

    review = models.ForeignKey(Review, models.CASCADE, related_name="answers")
    question = models.ForeignKey(ChecklistQuestion, models.PROTECT)
    value = models.CharField(max_length=14, choices=Value.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "question"], name="one_answer_per_question")]

    def __str__(self) -> str:
        return f"{self.question_id}: {self.value}"


class ReviewReason(AppendOnly):
    review = models.ForeignKey(Review, models.CASCADE, related_name="reasons")
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "code"], name="one_reason_per_review")]

    def __str__(self) -> str:
        return self.code
