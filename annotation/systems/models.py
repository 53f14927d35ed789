"""System, submission and output.

system: the model or pipeline under test; its versions are rows. submission: all outputs one system version
delivered for one release (or, without a release, for the current revisions of a dataset). output: what was
generated for one item; a changed file is a new output version and supersedes the old one.
"""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.datasets.models import Dataset, ImportJob, ItemRevision, within_reach
from annotation.people.models import User
from annotation.releases.models import Release

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


OPEN_STATES = ("draft", "pilot", "running", "paused")


def releases_read_by(user: "User | AnonymousUser") -> models.QuerySet[Release]:
    """Releases this person is blind to: readers until a study of it is locked, adjudicators until names are open.

    A part that was ended or left, and one in a draft, blind all the same: it can be taken up again.
    """
    own = {"studies__enrollments__user": user.pk}
    reads = models.Q(studies__enrollments__role="reader", studies__state__in=OPEN_STATES, **own)
    adjudicates = models.Q(
        studies__enrollments__role="adjudicator", studies__state__in=[*OPEN_STATES, "locked"], **own
    )
    return Release.objects.filter(reads | adjudicates)


def imports_seen_by(user: "User | AnonymousUser") -> models.QuerySet[ImportJob]:
    """Imports this person may look at; of outputs only where they are no blind reader of the dataset."""
    of_outputs = models.Q(kind=ImportJob.Kind.OUTPUTS, dataset__in=datasets_read_by(user))
    return ImportJob.objects.visible_to(user).exclude(of_outputs)


def datasets_read_by(user: "User | AnonymousUser") -> models.QuerySet[Dataset]:
    """Datasets of those releases: what a system says of an item it says in every release, and without one."""
    return Dataset.objects.filter(releases__in=releases_read_by(user))


class SystemQuerySet(models.QuerySet["System"]):
    def visible_to(self, user: "User | AnonymousUser") -> "SystemQuerySet":
        """Systems with a submission this person sees, or with none at all; never one they are to read blind."""
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        reached = Submission.objects.filter(
            within_reach(user, "dataset"), system_version__system=models.OuterRef("pk")
        )
        seen = models.Q(models.Exists(reached)) | models.Q(versions__submissions=None)
        blind = Submission.objects.filter(dataset__in=datasets_read_by(user)).values("system_version__system")
        return self.filter(pk__in=System.objects.filter(seen).values("pk")).exclude(pk__in=blind)


class System(models.Model):
    class Kind(models.TextChoices):
        COMPOSITIONAL = "compositional"
        UNIFIED = "unified"
        VLM = "vlm", "VLM"
        EDITOR = "editor"
        HUMAN = "human"
        BASELINE = "baseline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=13, choices=Kind.choices)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SystemQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("annotation:system-detail", args=[self.slug])


class SystemVersion(models.Model):
    system = models.ForeignKey(System, models.PROTECT, related_name="versions")
    version = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["system", "version"]
        constraints = [models.UniqueConstraint(fields=["system", "version"], name="system_version_once")]

    def __str__(self) -> str:
        return f"{self.system.name} {self.version}".strip()


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def visible_to(self, user: "User | AnonymousUser") -> "SubmissionQuerySet":
        if not (isinstance(user, User) and user.may_see_items):
            return self.none()
        return self.filter(within_reach(user, "dataset")).exclude(dataset__in=datasets_read_by(user))


class Submission(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    system_version = models.ForeignKey(SystemVersion, models.PROTECT, related_name="submissions")
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="submissions")
    release = models.ForeignKey(Release, models.PROTECT, null=True, blank=True, related_name="submissions")
    import_job = models.ForeignKey(ImportJob, models.PROTECT, null=True, blank=True, related_name="submissions")
    is_fixture = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["system_version", "release"], name="one_submission_per_release"),
            models.UniqueConstraint(
                fields=["system_version", "dataset"],
                condition=models.Q(release=None),
                name="one_submission_without_release",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("annotation:submission-detail", args=[self.pk])

    @property
    def code(self) -> str:
        return f"SU-{self.number:04d}"


class OutputQuerySet(models.QuerySet["Output"]):
    def current(self) -> "OutputQuerySet":
        """The newest version of each output."""
        return self.filter(superseded_by=None)

    def gradable(self) -> "OutputQuerySet":
        """What a reader may be shown."""
        return self.current().filter(status=Output.Status.OK)


class Output(models.Model):
    class Status(models.TextChoices):
        OK = "ok"
        EMPTY = "empty"
        DECLINED = "declined"
        UNREADABLE = "unreadable"
        ERROR = "error"
        MISSING = "missing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="outputs")
    revision = models.ForeignKey(ItemRevision, models.PROTECT, related_name="outputs")
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices)
    error_text = models.TextField(blank=True)
    is_fixture = models.BooleanField(default=False)
    content_hash = models.CharField(max_length=64, blank=True)
    superseded_by = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="supersedes")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ["submission", "revision__item__number", "version"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "revision", "version"], name="output_version_once"),
            models.UniqueConstraint(
                fields=["submission", "revision"],
                condition=models.Q(superseded_by=None),
                name="one_current_output",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.submission_id} {self.revision_id} v{self.version}"


class OutputPart(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"

    output = models.ForeignKey(Output, models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    text = models.TextField(blank=True)
    asset = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="output_parts")

    class Meta:
        ordering = ["output", "position"]
        constraints = [
            models.UniqueConstraint(fields=["output", "position"], name="one_part_per_position"),
            models.CheckConstraint(
                condition=models.Q(kind="text", asset=None) | models.Q(kind="image", text="", asset__isnull=False),
                name="part_is_text_or_image",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"
