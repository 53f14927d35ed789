"""Outputs in quarantine for programs: which wait, and the verdict of a curator."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from annotation.assets.models import Asset, PixelVerdict
from annotation.curation import quarantine as verdicts
from annotation.curation.api_quarantine import REFUSED, VerdictTold
from annotation.curation.errors import ReviewError
from annotation.curation.quarantine_forms import CLEAR, HELD
from annotation.datasets.services import may_curate
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import sees_items
from annotation.rest.serializers import Sent, Told
from annotation.systems import quarantine
from annotation.systems.api import seen_submission
from annotation.systems.models import OutputPart, Submission


class WaitingOutputTold(Told):
    output = serializers.UUIDField(source="output_id")
    position = serializers.IntegerField()
    image = serializers.UUIDField(source="asset_id")
    item = serializers.CharField(source="output.revision.item.code")
    text_risk = serializers.ChoiceField(choices=Asset.TextRisk.values, source="asset.text_risk")
    is_judged = serializers.BooleanField()


class OutputVerdictSent(Sent):
    image = serializers.UUIDField()
    act = serializers.ChoiceField(choices=[CLEAR, HELD])
    reason = serializers.CharField(min_length=3, max_length=1000)
    seen = serializers.IntegerField(min_value=0, max_value=1 << 30)


class OutputQuarantine(Endpoint):
    noun = "output_quarantine"
    tag = "quarantine"
    scopes = ("curate",)

    def _submission(self, pk: UUID) -> Submission:
        submission = seen_submission(self.person, pk)
        if not may_curate(self.person, submission.dataset):
            raise PermissionDenied("Looking for identifying text is a curator's work.")
        return submission

    @operation(tells=WaitingOutputTold, many=True, guard=sees_items)
    def list(self, request: Request, pk: UUID) -> QuerySet[OutputPart]:
        """Pictures of present outputs that wait for a curator, those nobody has judged first."""
        return quarantine.waiting(self._submission(pk))

    @operation(tells=VerdictTold, takes=OutputVerdictSent, status=201, guard=sees_items, refuses=REFUSED)
    def judge(self, request: Request, pk: UUID) -> PixelVerdict:
        """Say that a picture of an output is clear, or hold it; outputs are not masked."""
        submission = self._submission(pk)
        said: dict[str, Any] = dict(self.body)
        pictures = Asset.objects.filter(output_parts__output__submission=submission)
        asset = pictures.filter(pk=said["image"]).first()
        if asset is None:
            raise ReviewError([("image", "is no picture of these outputs")])
        judgment = verdicts.Judgment(asset, submission.dataset, self.person, said["reason"], said["seen"])
        return verdicts.judge_image(judgment, kind=said["act"])


routes = [
    route(
        "submissions/<uuid:pk>/quarantine/", OutputQuarantine, {"get": "list", "post": "judge"}, "output-quarantine"
    ),
]
