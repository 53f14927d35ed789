"""Asset: immutable bytes of one image, volume or sequence, cleaned before they were stored.

sha256: checksum of the stored bytes, their address. pixel_digest: checksum of the decoded samples, so that
two files with the same picture are recognized. frames_header: what the viewer needs besides the samples
(window, spacing, units), an allow-list made by `annotation.imaging.frames`. frames_sha256, thumbnail_sha256:
checksums of the two files beside the stored one; empty for an asset whose files were not there when they were taken.

text_risk: why the pixels may carry text that was drawn into them, as the file declares it. verdict: what a curator
says of the pixels of one asset after looking at them; never changed, a later opinion is a new row, the newest counts.
quarantine: an asset whose newest verdict is not `clear`, or that is suspected and has none.
"""

import uuid

from django.conf import settings
from django.db import models

from annotation.audit.models import AppendOnly
from annotation.imaging import burned_in


class AssetQuerySet(models.QuerySet["Asset"]):
    def with_verdict(self) -> "AssetQuerySet":
        """Each with the kind of its newest verdict, None without one."""
        newest = PixelVerdict.objects.filter(asset=models.OuterRef("pk")).order_by("-number")
        return self.annotate(newest_verdict=models.Subquery(newest.values("kind")[:1]))

    def in_quarantine(self) -> "AssetQuerySet":
        """Pictures that are shown to curators only: held, masked by another one, or suspected and not judged."""
        shut = models.Q(newest_verdict__in=[PixelVerdict.Kind.HELD, PixelVerdict.Kind.MASKED])
        unjudged = models.Q(newest_verdict=None, text_risk__in=burned_in.SUSPECTED)
        return self.with_verdict().filter(shut | unjudged)

    def masked(self) -> "AssetQuerySet":
        """Pictures that another one took the place of; their own files are removed."""
        return self.with_verdict().filter(models.Q(newest_verdict=PixelVerdict.Kind.MASKED))


class Asset(models.Model):
    class TextRisk(models.TextChoices):
        STATED = burned_in.STATED, "the file says that text is drawn into the pixels"
        LABEL = burned_in.LABEL, "a label or overview picture of a slide"
        ULTRASOUND = burned_in.ULTRASOUND, "ultrasound, and the file does not say"
        CAPTURED = burned_in.CAPTURED, "a secondary capture, and the file does not say"
        KIND = burned_in.KIND, "of a device that draws on its pictures, and the file does not say"
        UNKNOWN = burned_in.UNKNOWN, "nothing is known: the format does not say"
        UNLIKELY = burned_in.UNLIKELY, "the file does not say; its kind seldom has some"
        DENIED = burned_in.DENIED, "the file says no"

    class Kind(models.TextChoices):
        IMAGE = "image"
        VOLUME = "volume"
        SEQUENCE = "sequence"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    pixel_digest = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    media_type = models.CharField(max_length=64)
    suffix = models.CharField(max_length=16)
    size_bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(default=1)
    channels = models.PositiveSmallIntegerField(default=1)
    bits = models.PositiveSmallIntegerField()
    signed = models.BooleanField(default=False)
    unit = models.CharField(max_length=16)
    data_low = models.FloatField()
    data_high = models.FloatField()
    inverted = models.BooleanField(default=False)
    spacing_row_mm = models.FloatField(null=True, blank=True)
    spacing_column_mm = models.FloatField(null=True, blank=True)
    slice_mm = models.FloatField(null=True, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    burned_in = models.BooleanField(null=True, blank=True)
    text_risk = models.CharField(max_length=12, choices=TextRisk.choices, default=TextRisk.UNKNOWN)
    flags = models.JSONField(default=list, blank=True)
    removed = models.JSONField(default=list, blank=True)
    frames_header = models.JSONField()
    frames_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.width}×{self.height} {self.sha256[:12]}"


class PixelVerdict(AppendOnly):
    """What a curator says of the text in a picture. A masked picture points to the one that took its place."""

    class Kind(models.TextChoices):
        CLEAR = "clear", "no identifying text"
        HELD = "held", "kept in quarantine"
        MASKED = "masked", "masked: another picture took its place"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asset = models.ForeignKey(Asset, models.PROTECT, related_name="verdicts")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    text_risk = models.CharField(max_length=12, choices=Asset.TextRisk.choices)
    rectangles = models.JSONField(default=list, blank=True)
    replacement = models.ForeignKey(Asset, models.PROTECT, null=True, blank=True, related_name="masks_of")
    reason = models.TextField()
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["asset", "number"]
        constraints = [
            models.UniqueConstraint(fields=["asset", "number"], name="pixel_verdict_number_once"),
            models.CheckConstraint(
                condition=models.Q(kind="masked", replacement__isnull=False)
                | (~models.Q(kind="masked") & models.Q(replacement=None)),
                name="masked_has_replacement",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.asset_id} {self.number}"
