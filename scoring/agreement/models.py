"""Analysis run: the stored result of one analysis of one study, bound to a hash of its inputs."""

import uuid

from django.db import models

from annotation.studies.models import Study


class AnalysisRun(models.Model):
    class Kind(models.TextChoices):
        AGREEMENT = "agreement"
        LEADERBOARD = "leaderboard"
        CERTIFICATE = "certificate"
        COURTROOM = "courtroom"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="analysis_runs")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    parameters = models.JSONField(default=dict)
    seed = models.PositiveIntegerField()
    code_version = models.CharField(max_length=32)
    inputs_hash = models.CharField(max_length=64)
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["study", "kind", "inputs_hash"], name="one_result_per_inputs")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.study_id}"
