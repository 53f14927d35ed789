"""Asset: immutable bytes of one image, volume or sequence, cleaned before they were stored.

sha256: checksum of the stored bytes, their address. pixel_digest: checksum of the decoded samples, so that
two files with the same picture are recognized. frames_header: what the viewer needs besides the samples
(window, spacing, units), an allow-list made by `annotation.imaging.frames`. frames_sha256, thumbnail_sha256:
checksums of the two files beside the stored one; empty for an asset whose files were not there when they were taken.
"""

import uuid

from django.db import models


class Asset(models.Model):
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
    flags = models.JSONField(default=list, blank=True)
    removed = models.JSONField(default=list, blank=True)
    frames_header = models.JSONField()
    frames_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.width}×{self.height} {self.sha256[:12]}"
