"""Job and chunk.

job: one long piece of work somebody asked for (an import, a freeze, metrics, an export). chunk: the part of it
that one worker does at a time; what it wrote is committed in the transaction that closes it. A worker holds a
chunk by a lease that it extends; `fence` grows with every claim, and only the newest holder can close the chunk.
"""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotation.people.models import User
from annotation.work.kinds import find_kind, hidden_from

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: "User | AnonymousUser") -> "JobQuerySet":
        """What this person asked for, everything for an operator; never what would unblind them."""
        if not isinstance(user, User):
            return self.none()
        jobs = self if user.is_operator else self.filter(requested_by=user)
        return jobs.exclude(hidden_from(user))

    def open(self) -> "JobQuerySet":
        """What waits or is worked on."""
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])


class Job(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32)
    title = models.CharField(max_length=200, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    result = models.JSONField(default=dict, blank=True)
    failure = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="job_subject")]

    def __str__(self) -> str:
        return self.title or self.kind

    def get_absolute_url(self) -> str:
        return reverse("annotation:job-detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def kind_label(self) -> str:
        return find_kind(self.kind).label


class Chunk(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELED = "canceled"

    job = models.ForeignKey(Job, models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    payload = models.JSONField(default=dict, blank=True)
    units = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="chunk_once_per_place")]
        indexes = [models.Index(fields=["state", "lease_until"], name="chunk_claim")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"
