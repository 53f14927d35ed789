"""Release: a frozen, checksummed set of item revisions.

content_hash: sha256 over the sorted content hashes of its items. validation: "here" when every item was
accepted by two people in this house, "elsewhere" when the dataset is released as stated by its source. While it is
being frozen, a release is seen by nothing but the work that freezes it.
"""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotation.datasets.models import Dataset, ItemRevision, within_reach
from annotation.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ReleaseQuerySet(models.QuerySet["Release"]):
    def visible_to(self, user: "User | AnonymousUser") -> "ReleaseQuerySet":
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        return self.filter(within_reach(user, "dataset"))


class FrozenManager(models.Manager["Release"]):
    """Without releases that are still being frozen: nothing of them counts as released."""

    def get_queryset(self) -> models.QuerySet["Release"]:
        return super().get_queryset().exclude(state=Release.State.FREEZING)


ReleaseManager = FrozenManager.from_queryset(ReleaseQuerySet)


class Release(models.Model):
    class State(models.TextChoices):
        FREEZING = "freezing"
        FROZEN = "frozen"
        WITHDRAWN = "withdrawn"

    class Validation(models.TextChoices):
        HERE = "here", "validated here"
        ELSEWHERE = "elsewhere", "validated elsewhere"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="releases")
    version = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FROZEN)
    validation = models.CharField(max_length=9, choices=Validation.choices)
    validation_source = models.CharField(max_length=300, blank=True)
    content_hash = models.CharField(max_length=64)
    notes = models.TextField(blank=True)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    frozen_at = models.DateTimeField(auto_now_add=True)
    withdrawn_reason = models.TextField(blank=True)

    objects = ReleaseManager()
    with_unfinished = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["dataset", "-frozen_at"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "version"], name="release_version_once"),
            models.CheckConstraint(
                condition=models.Q(validation="here") | ~models.Q(validation_source=""),
                name="elsewhere_names_its_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.slug}@{self.version}"

    def get_absolute_url(self) -> str:
        return reverse("annotation:release-detail", args=[self.dataset.slug, self.version])

    @property
    def validation_words(self) -> str:
        if self.validation == self.Validation.HERE:
            return "validated here by two people per item"
        return f"not reviewed here; validated elsewhere, as stated by {self.validation_source}"


class ReleaseItem(models.Model):
    release = models.ForeignKey(Release, models.CASCADE, related_name="release_items")
    revision = models.ForeignKey(ItemRevision, models.PROTECT, related_name="release_items")
    content_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["release", "revision__item__number"]
        constraints = [models.UniqueConstraint(fields=["release", "revision"], name="revision_once_per_release")]

    def __str__(self) -> str:
        return f"{self.release_id} {self.revision_id}"
