"""Reader study, enrollment and reading.

study: readers grading outputs of one release under one protocol; everything random (order, labels, sides) is drawn
once when it opens and stored. enrollment: what one person is in one study. reading: one reader's numbered place in a
study, showing one or several outputs of one item under labels.
"""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse

from annotation.assets.models import Asset
from annotation.audit.models import AppendOnly
from annotation.datasets.models import ItemRevision
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.studies.rubric_models import Anchor, Criterion, ErrorCode, Rubric
from annotation.studies.states import HasStudyState, Role, StudyState
from annotation.systems.models import Output, Submission

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

__all__ = [
    "Anchor", "Consent", "ConsentForm", "Criterion", "Enrollment", "ErrorCode", "Reading", "ReadingOutput",
    "ReadingQuerySet", "Rubric", "Study", "StudyItem", "StudyQuerySet", "StudyRubric", "StudySystem",
    "UnblindingRisk",
]  # fmt: skip


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: "User | AnonymousUser") -> "StudyQuerySet":
        """Studies in which this person holds an enrollment."""
        return self.filter(enrollments__user=user.pk, enrollments__active=True).distinct()

    def run_by(self, user: "User | AnonymousUser") -> "StudyQuerySet":
        return self._held_by(user, Enrollment.Role.COORDINATOR)

    def _held_by(self, user: "User | AnonymousUser", *roles: str) -> "StudyQuerySet":
        held = {"enrollments__user": user.pk, "enrollments__role__in": roles, "enrollments__active": True}
        return self.filter(**held).distinct()

    def analyzable_by(self, user: "User | AnonymousUser") -> "StudyQuerySet":
        """Studies whose numbers this person may see: coordinator or analyst, and not a reader while it runs."""
        return self._held_by(user, Enrollment.Role.COORDINATOR, Enrollment.Role.ANALYST).not_read_by(user)

    def not_read_by(self, user: "User | AnonymousUser") -> "StudyQuerySet":
        """Studies whose outputs this person does not read blind, here or in another study of the dataset.

        A part in a draft, and one that was ended, count: they can still become readings.
        """
        return self.exclude(release__dataset__in=_open_parts(user).values("study__release__dataset"))

    def flags_open_to(self, user: "User | AnonymousUser") -> "StudyQuerySet":
        """Studies in which this person may see what others said: all own readings on the dataset are submitted."""
        todo = models.Q(study__state=Study.State.DRAFT) | models.Q(readings__status__in=Reading.UNSUBMITTED)
        return self.exclude(release__dataset__in=_open_parts(user).filter(todo).values("study__release__dataset"))


def _open_parts(user: "User | AnonymousUser") -> "models.QuerySet[Enrollment]":
    """What this person reads, read or is to read until studies are locked, or adjudicates until names are open."""
    reads = models.Q(role=Enrollment.Role.READER, study__state__in=Study.OPEN_STATES)
    adjudicates = models.Q(role=Enrollment.Role.ADJUDICATOR, study__state__in=Study.NAMELESS_STATES)
    return Enrollment.objects.filter(reads | adjudicates, user=user.pk)


class Study(HasStudyState, models.Model):
    class Mode(models.TextChoices):
        ONE = "one", "one output per reading"
        ALL = "all", "all outputs of an item side by side"
        PAIR = "pair", "two outputs of an item: which is better"
        RANK = "rank", "all outputs of an item: which is best"

    class Assignment(models.TextChoices):
        EVEN = "even", "as many readers per item as asked, mixed evenly"
        CROSSED = "crossed", "every reader reads every item"
        INCOMPLETE = "incomplete", "balanced incomplete blocks: every two readers share equally many items"
        ANCHORED = "anchored", "anchor items for all, the rest rotates"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    release = models.ForeignKey(Release, models.PROTECT, related_name="studies")
    state = models.CharField(max_length=9, choices=StudyState.choices, default=StudyState.DRAFT)
    outputs_per_reading = models.CharField(max_length=8, choices=Mode.choices, default=Mode.ONE)
    pairs_per_item = models.PositiveSmallIntegerField(null=True, blank=True)
    compare_criteria = models.BooleanField(default=False)
    readers_per_item = models.PositiveSmallIntegerField(default=2)
    assignment = models.CharField(max_length=10, choices=Assignment.choices, default=Assignment.EVEN)
    anchor_items = models.PositiveIntegerField(default=0)
    stages = models.PositiveSmallIntegerField(default=1)
    repeats = models.PositiveSmallIntegerField(default=0)
    washout_days = models.PositiveSmallIntegerField(default=0)
    attention_items = models.PositiveSmallIntegerField(default=0)
    pilot_items = models.PositiveSmallIntegerField(default=0)
    admission = models.FloatField(null=True, blank=True)
    gap = models.PositiveSmallIntegerField(default=20)
    seed = models.PositiveIntegerField(default=1)
    instructions = models.TextField(blank=True)
    consent_text = models.TextField(blank=True)
    guess_block = models.PositiveSmallIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True)
    design = models.JSONField(default=dict, blank=True)
    design_hash = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    piloted_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    unblinded_at = models.DateTimeField(null=True, blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=models.Q(readers_per_item__gte=1), name="at_least_one_reader_per_item"),
            models.CheckConstraint(condition=models.Q(stages__in=[1, 2]), name="one_or_two_stages"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("annotation:study-detail", args=[self.slug])

    @property
    def compares(self) -> bool:
        """Whether readers choose between outputs and do not grade them."""
        return self.outputs_per_reading in (Study.Mode.PAIR, Study.Mode.RANK)


class StudyRubric(models.Model):
    study = models.ForeignKey(Study, models.CASCADE, related_name="study_rubrics")
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="study_rubrics")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["study", "position"]
        constraints = [models.UniqueConstraint(fields=["study", "rubric"], name="rubric_once_per_study")]

    def __str__(self) -> str:
        return str(self.rubric_id)


class StudySystem(models.Model):
    """A submission in a study, known by a letter until the study is unblinded."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="study_systems")
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="study_systems")
    letter = models.CharField(max_length=4)

    class Meta:
        ordering = ["study", "letter"]
        constraints = [
            models.UniqueConstraint(fields=["study", "submission"], name="submission_once_per_study"),
            models.UniqueConstraint(fields=["study", "letter"], name="letter_once_per_study"),
        ]

    def __str__(self) -> str:
        return self.letter


class StudyItem(models.Model):
    """An item in a study, in one role. A pairing control shows it with something of its partner, or blank.

    expected: of a training item, letter of a system → criterion → [lowest, highest] value that counts as right.
    """

    class Role(models.TextChoices):
        MAIN = Role.MAIN.value
        TRAINING = Role.TRAINING.value
        ATTENTION = Role.ATTENTION.value, "attention check"
        PILOT = Role.PILOT.value

    class Control(models.TextChoices):
        BLANK = "blank", "a blank picture"
        UNRELATED = "unrelated", "the output for an item of another modality"
        SAME_MODALITY = "same_modality", "the output for another item of the modality"
        IMAGE_SHUFFLE = "image_shuffle", "the input images of another item"
        INSTRUCTION_SHUFFLE = "instruction_shuffle", "the instruction of another item"

    study = models.ForeignKey(Study, models.CASCADE, related_name="study_items")
    revision = models.ForeignKey(ItemRevision, models.PROTECT, related_name="study_items")
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.MAIN)
    is_anchor = models.BooleanField(default=False)
    control = models.CharField(max_length=19, choices=Control.choices, blank=True)
    partner = models.ForeignKey(ItemRevision, models.PROTECT, null=True, blank=True, related_name="+")
    stand_in = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="+")
    expected = models.JSONField(default=dict, blank=True)
    feedback = models.TextField(blank=True)
    stratum = models.CharField(max_length=120)
    cluster = models.CharField(max_length=64)

    class Meta:
        ordering = ["study", "revision__item__number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "revision"], name="item_once_per_study"),
            models.CheckConstraint(
                condition=(models.Q(role="attention") & ~models.Q(control=""))
                | (~models.Q(role="attention") & models.Q(control="", partner=None, stand_in=None)),
                name="controls_are_attention_checks",
            ),
        ]

    def __str__(self) -> str:
        return str(self.revision_id)


class Enrollment(models.Model):
    class Role(models.TextChoices):
        READER = "reader"
        ADJUDICATOR = "adjudicator"
        COORDINATOR = "coordinator"
        ANALYST = "analyst"

    study = models.ForeignKey(Study, models.CASCADE, related_name="enrollments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="enrollments")
    role = models.CharField(max_length=11, choices=Role.choices)
    reader_code = models.CharField(max_length=8, null=True, blank=True)
    cap = models.PositiveIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)
    admitted_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaces")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "role", "reader_code"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user", "role"], name="one_enrollment_per_role"),
            models.UniqueConstraint(fields=["study", "reader_code"], name="reader_code_once_per_study"),
            models.CheckConstraint(
                condition=~models.Q(role="reader") | models.Q(reader_code__isnull=False),
                name="readers_have_a_code",
            ),
        ]

    def __str__(self) -> str:
        return self.reader_code or self.role


class ConsentForm(AppendOnly):
    """Instructions and consent text of a study as readers were shown them; a change is a new version."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="consent_forms")
    version = models.PositiveSmallIntegerField()
    instructions = models.TextField(blank=True)
    text = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "version"]
        constraints = [models.UniqueConstraint(fields=["study", "version"], name="consent_version_once")]

    def __str__(self) -> str:
        return f"version {self.version}"


class Consent(AppendOnly):
    """One act of a reader: agreeing to a version of the consent form, or withdrawing."""

    class Act(models.TextChoices):
        GIVEN = "given"
        WITHDRAWN = "withdrawn"

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="consents")
    form = models.ForeignKey(ConsentForm, models.PROTECT, related_name="consents")
    act = models.CharField(max_length=9, choices=Act.choices)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["enrollment", "at"]

    def __str__(self) -> str:
        return f"{self.act} {self.form_id}"


class UnblindingRisk(models.Model):
    """Something about an output that may tell which system made it; masked or accepted by a coordinator."""

    class Kind(models.TextChoices):
        TEXT = "text", "the text names a system"
        SIZE = "size", "another picture size than the other outputs"
        CHANNELS = "channels", "other channels or bit depth than the other outputs"

    class Decision(models.TextChoices):
        OPEN = "open"
        MASKED = "masked"
        ACCEPTED = "accepted"

    study = models.ForeignKey(Study, models.CASCADE, related_name="unblinding_risks")
    output = models.ForeignKey(Output, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    evidence = models.JSONField(default=dict)
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.OPEN)
    reason = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "kind", "id"]
        constraints = [models.UniqueConstraint(fields=["study", "output", "kind"], name="risk_once_per_output")]

    def __str__(self) -> str:
        return f"{self.kind} {self.decision}"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def visible_to(self, user: "User | AnonymousUser") -> "ReadingQuerySet":
        """The person's own readings, once the study has opened."""
        return self.filter(
            enrollment__user=user.pk,
            enrollment__role=Enrollment.Role.READER,
            enrollment__active=True,
        ).exclude(study__state=Study.State.DRAFT)

    def pending(self) -> "ReadingQuerySet":
        return self.filter(status__in=[Reading.Status.QUEUED, Reading.Status.IN_PROGRESS])


class Reading(models.Model):
    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress", "in progress"
        SUBMITTED = "submitted"
        SKIPPED = "skipped"
        VOID = "void"

    Role = Role
    UNSUBMITTED = [Status.QUEUED, Status.IN_PROGRESS, Status.SKIPPED]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="readings")
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="readings")
    study_item = models.ForeignKey(StudyItem, models.PROTECT, related_name="readings")
    position = models.PositiveIntegerField()
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.MAIN)
    replicate = models.PositiveSmallIntegerField(default=1)
    moved_from = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="moved_to")
    void_reason = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.QUEUED)
    opened_at = models.DateTimeField(null=True, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=40, blank=True)
    skip_text = models.TextField(blank=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["enrollment", "position"]
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "position"], name="one_reading_per_position"),
            models.CheckConstraint(
                condition=models.Q(role="repeat", replicate__gt=1)
                | (~models.Q(role="repeat") & models.Q(replicate=1)),
                name="only_repeats_are_replicates",
            ),
        ]
        indexes = [models.Index(fields=["study", "status"], name="reading_progress")]

    def __str__(self) -> str:
        return str(self.position)

    def get_absolute_url(self) -> str:
        return reverse("annotation:reading-detail", args=[self.pk])


class ReadingOutput(models.Model):
    """One output of a reading, under its label and at its place from left to right."""

    reading = models.ForeignKey(Reading, models.CASCADE, related_name="reading_outputs")
    output = models.ForeignKey(Output, models.PROTECT, related_name="reading_outputs")
    label = models.CharField(max_length=4)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["reading", "position"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "label"], name="label_once_per_reading"),
            models.UniqueConstraint(fields=["reading", "position"], name="place_once_per_reading"),
        ]

    def __str__(self) -> str:
        return self.label
