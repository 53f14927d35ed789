"""Export job: one score sheet that was handed out, with the checksum of its bytes."""

import uuid

from django.conf import settings
from django.db import models

from annotation.studies.models import Study
from annotation.work.models import Job


class ExportJob(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="export_jobs")
    format = models.CharField(max_length=16)
    blinded = models.BooleanField()
    inputs_hash = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64)
    chain_sequence = models.PositiveBigIntegerField(default=0)
    chain_head = models.CharField(max_length=64, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="exports")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.format} of {self.study_id}"
