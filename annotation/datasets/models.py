"""Dataset, item and what belongs to an item.

item: one instruction with its input image(s), reference text and/or reference image. revision: what the item
says at one time; a change is a new revision. case: a patient's imaging episode; items of one case_key (a keyed
hash) stay together. alias: an id seen in a file; identity itself is the content hash. import job: one reading
of one file or folder, with the problem of every line that was refused. member: who may see (viewer) or curate
(curator) a dataset that is open to its members only; without a site role that sees items, membership opens nothing.
"""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.formats import taxonomy
from annotation.people.models import User
from annotation.work.models import Job

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def within_reach(user: User, dataset: str) -> models.Q:
    """Rows whose dataset (a path to the key of it) is open to all who see items, or has this person as a member."""
    own = DatasetMember.objects.filter(user=user).values("dataset")
    shut = Dataset.objects.filter(members_only=True).exclude(pk__in=own)
    return ~models.Q(**{f"{dataset}__in": shut.values("pk")})


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, user: "User | AnonymousUser") -> "DatasetQuerySet":
        """What curators and study creators see: open datasets, and those they are members of."""
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        return self.filter(within_reach(user, "pk"))

    def curated_by(self, user: "User | AnonymousUser") -> "DatasetQuerySet":
        """Where this person imports, reviews, freezes and keeps the members."""
        if not (isinstance(user, User) and user.is_curator):
            return self.none()
        own = DatasetMember.objects.filter(user=user, role=DatasetMember.Role.CURATOR).values("dataset")
        return self.filter(models.Q(members_only=False) | models.Q(pk__in=own))

    def kept_by(self, user: "User | AnonymousUser") -> "DatasetQuerySet":
        """Where this person may change who the members are: its curators; an operator everywhere."""
        return self if isinstance(user, User) and user.is_operator else self.curated_by(user)


class Dataset(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    members_only = models.BooleanField(default=False)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("annotation:dataset-detail", args=[self.slug])


class DatasetMember(models.Model):
    """What one person may do in one dataset that is open to its members only."""

    class Role(models.TextChoices):
        CURATOR = "curator"
        VIEWER = "viewer"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="dataset_memberships")
    role = models.CharField(max_length=7, choices=Role.choices, default=Role.CURATOR)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["dataset", "user__username"]
        constraints = [models.UniqueConstraint(fields=["dataset", "user"], name="member_once_per_dataset")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"


class ItemQuerySet(models.QuerySet["Item"]):
    def visible_to(self, user: "User | AnonymousUser") -> "ItemQuerySet":
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        return self.filter(within_reach(user, "dataset"))


class Item(models.Model):
    class State(models.TextChoices):
        IMPORTED = "imported"
        IN_REVIEW = "in_review", "in review"
        ACCEPTED = "accepted"
        NEEDS_FIX = "needs_fix", "needs fix"
        REJECTED = "rejected"
        QUARANTINED = "quarantined"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="items")
    number = models.PositiveIntegerField()
    case_key = models.CharField(max_length=64, blank=True, db_index=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.IMPORTED)
    current_revision = models.ForeignKey(
        "annotation.ItemRevision", models.PROTECT, null=True, blank=True, related_name="current_of"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["dataset", "number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="item_number_once")]
        indexes = [models.Index(fields=["dataset", "state", "number"], name="item_queue")]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("annotation:item-detail", args=[self.pk])

    @property
    def code(self) -> str:
        return f"IT-{self.number:06d}"


class ItemRevision(models.Model):
    """What an item says. Append-only: a fix is a new revision with a reason."""

    class Redistributable(models.TextChoices):
        YES = "yes"
        NO = "no"
        UNKNOWN = "unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(Item, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(default=1)
    instruction = models.TextField()
    reference_text = models.TextField(blank=True)
    reference_sections = models.JSONField(null=True, blank=True)
    choices = models.JSONField(default=list, blank=True)
    context = models.JSONField(default=list, blank=True)
    format = models.CharField(max_length=32, db_index=True)
    task = models.CharField(max_length=48, db_index=True)
    modality = models.CharField(max_length=16, blank=True, db_index=True)
    declared_subtask = models.CharField(max_length=120, blank=True)
    observed_subtask = models.CharField(max_length=120, blank=True)
    raw_terms = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=200, blank=True)
    license = models.CharField(max_length=120, blank=True)
    redistributable = models.CharField(max_length=7, choices=Redistributable.choices, default=Redistributable.UNKNOWN)
    synopsis = models.TextField(blank=True)
    why_selected = models.TextField(blank=True)
    notes = models.JSONField(default=list, blank=True)
    is_fixture = models.BooleanField(default=False)
    content_hash = models.CharField(max_length=64, db_index=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["item", "number"]
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"{self.item_id} r{self.number}"

    @property
    def format_label(self) -> str:
        return taxonomy.format_label(self.format)

    @property
    def task_label(self) -> str:
        return taxonomy.task_label(self.task)

    @property
    def modality_label(self) -> str:
        return taxonomy.modality_label(self.modality) if self.modality else "unmapped"


class ItemAlias(models.Model):
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="aliases")
    item = models.ForeignKey(Item, models.CASCADE, related_name="aliases")
    scheme = models.CharField(max_length=32)
    value = models.CharField(max_length=300)

    class Meta:
        ordering = ["scheme", "value"]
        constraints = [models.UniqueConstraint(fields=["dataset", "scheme", "value"], name="alias_names_one_item")]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


class ItemImage(models.Model):
    class Role(models.TextChoices):
        INPUT = "input"
        REFERENCE = "reference"

    revision = models.ForeignKey(ItemRevision, models.CASCADE, related_name="images")
    role = models.CharField(max_length=10, choices=Role.choices)
    position = models.PositiveSmallIntegerField(default=0)
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="item_images")

    class Meta:
        ordering = ["revision", "role", "position"]
        constraints = [models.UniqueConstraint(fields=["revision", "role", "position"], name="one_image_per_place")]

    def __str__(self) -> str:
        return f"{self.role} {self.position}"


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def visible_to(self, user: "User | AnonymousUser") -> "ImportJobQuerySet":
        """Imports into datasets this person sees; what hides imports of outputs is asked in the room of systems."""
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        return self.filter(within_reach(user, "dataset"))


class ImportJob(models.Model):
    class Kind(models.TextChoices):
        ITEMS = "items"
        OUTPUTS = "outputs"

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="import_jobs")
    layout = models.CharField(max_length=32, blank=True)
    name_digest = models.CharField(max_length=64, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    failure = models.TextField(blank=True)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="imports")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.kind} import {self.started_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("annotation:import-detail", args=[self.pk])


class ImportProblem(models.Model):
    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="problems")
    file = models.CharField(max_length=300, blank=True)
    line = models.PositiveIntegerField(null=True, blank=True)
    field = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=200, blank=True)
    rule = models.CharField(max_length=500)
    fatal = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.field, self.value, self.rule) if part)
