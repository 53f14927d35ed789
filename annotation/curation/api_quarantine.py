"""The quarantine for programs: pictures that may show identifying text, verdicts on them, masks."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.assets import serving
from annotation.assets.models import Asset, PixelVerdict
from annotation.curation import quarantine
from annotation.curation.errors import ReviewError, StaleRevisionError
from annotation.curation.quarantine_forms import ACTS, MASK, TAKE
from annotation.datasets.api import FramesTold, seen_dataset
from annotation.datasets.models import Dataset, ItemImage
from annotation.datasets.services import refuse_unless_member
from annotation.imaging.masking import MOST_RECTANGLES
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.rest.guards import curators_only
from annotation.rest.serializers import Sent, Told

REFUSED = {ReviewError: 422, StaleRevisionError: 409}


def _rectangle() -> serializers.ListField:
    """Left, top, width and height in pixels."""
    pixels = serializers.IntegerField(min_value=0, max_value=1 << 24)
    return serializers.ListField(child=pixels, min_length=4, max_length=4)


class QuarantinedTold(Told):
    id = serializers.UUIDField()
    text_risk = serializers.ChoiceField(choices=Asset.TextRisk.values, help_text="why its pixels may show text")
    newest_verdict = serializers.ChoiceField(choices=PixelVerdict.Kind.values, allow_null=True)
    modality = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    n_frames = serializers.IntegerField(source="frames")


class VerdictTold(Told):
    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=PixelVerdict.Kind.values)
    reason = serializers.CharField()
    rectangles = serializers.ListField(child=_rectangle())
    replacement = serializers.UUIDField(source="replacement_id", allow_null=True)
    reviewer = serializers.CharField(source="reviewer.username")
    created_at = serializers.DateTimeField()


class PictureTold(Told):
    id = serializers.UUIDField()
    text_risk = serializers.ChoiceField(choices=Asset.TextRisk.values)
    in_quarantine = serializers.BooleanField()
    seen = serializers.IntegerField(help_text="number of the newest verdict, 0 for none; send it with yours")
    items = serializers.ListField(child=serializers.CharField())
    verdicts = VerdictTold(many=True)
    frames = serializers.CharField()
    data = serializers.CharField()  # type: ignore[assignment]
    thumbnail = serializers.CharField()


class VerdictSent(Sent):
    act = serializers.ChoiceField(choices=[code for code, _ in ACTS])
    reason = serializers.CharField(min_length=3, max_length=1000)
    seen = serializers.IntegerField(min_value=0, max_value=1 << 30)
    rectangles = serializers.ListField(
        child=_rectangle(), max_length=MOST_RECTANGLES, default=list, help_text="left, top, width, height in pixels"
    )


class Quarantine(Endpoint):
    noun = "quarantine"
    tag = "quarantine"
    scopes = ("curate",)

    def _dataset(self, slug: str) -> Dataset:
        dataset = seen_dataset(self.person, slug)
        refuse_unless_member(self.person, dataset)
        return dataset

    def _asset(self, slug: str, pk: UUID) -> Asset:
        return get_object_or_404(quarantine.used_in(self._dataset(slug)), pk=pk)

    @operation(tells=QuarantinedTold, many=True, guard=curators_only)
    def list(self, request: Request, slug: str) -> QuerySet[Asset]:
        """Pictures of present revisions that wait for a curator, oldest first."""
        return quarantine.waiting(self._dataset(slug))

    @operation(tells=PictureTold, guard=curators_only)
    def show(self, request: Request, slug: str, pk: UUID) -> dict[str, Any]:
        """One picture of a present revision, in quarantine or not, with its verdicts."""
        return self._told(self._dataset(slug), self._asset(slug, pk))

    @operation(tells=PictureTold, takes=VerdictSent, status=201, guard=curators_only, refuses=REFUSED, long=True)
    def judge(self, request: Request, slug: str, pk: UUID) -> dict[str, Any]:
        """Say that a picture is clear, hold it, mask it, or show the masked one; tells the picture then shown."""
        dataset, asset = self._dataset(slug), self._asset(slug, pk)
        said = self.body
        judgment = quarantine.Judgment(asset, dataset, self.person, said["reason"], said["seen"])
        if said["act"] == MASK:
            rectangles = [(one[0], one[1], one[2], one[3]) for one in said["rectangles"]]
            quarantine.mask_image(judgment, rectangles=rectangles)
        elif said["act"] == TAKE:
            quarantine.take_masked(judgment)
        else:
            quarantine.judge_image(judgment, kind=said["act"])
        return self._told(dataset, quarantine.standing(asset))

    def _told(self, dataset: Dataset, asset: Asset) -> dict[str, Any]:
        verdicts = list(asset.verdicts.select_related("reviewer").order_by("number"))
        shown = ItemImage.objects.filter(asset=asset, revision__current_of__dataset=dataset)
        return {
            "id": asset.pk,
            "text_risk": asset.text_risk,
            "in_quarantine": Asset.objects.in_quarantine().filter(pk=asset.pk).exists(),
            "seen": verdicts[-1].number if verdicts else 0,
            "items": sorted({image.revision.item.code for image in shown.select_related("revision__item")}),
            "verdicts": verdicts,
            "frames": api_address("quarantine-frames", dataset.slug, asset.pk),
            "data": api_address("quarantine-data", dataset.slug, asset.pk),
            "thumbnail": api_address("quarantine-thumbnail", dataset.slug, asset.pk),
        }

    @operation(tells=FramesTold, guard=curators_only)
    def frames(self, request: Request, slug: str, pk: UUID) -> HttpResponseBase:
        """What is needed before the frames of a picture."""
        address = api_address("quarantine-data", slug, pk)
        asset = self._asset(slug, pk)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=f"api quarantine:{pk}"))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None}, guard=curators_only)
    def data(self, request: Request, slug: str, pk: UUID) -> HttpResponseBase:
        """The frames of a picture, whole or a range of bytes."""
        scope = f"api quarantine:{pk}"
        return served(serving.frames_data_response(request._request, self._asset(slug, pk), etag_scope=scope))

    @operation(media=("image/png",), guard=curators_only)
    def thumbnail(self, request: Request, slug: str, pk: UUID) -> HttpResponseBase:
        """A small picture."""
        return served(serving.thumbnail_response(self._asset(slug, pk), etag_scope=f"api quarantine:{pk}"))


ONE = "datasets/<slug:slug>/quarantine/<uuid:pk>"

routes = [
    route("datasets/<slug:slug>/quarantine/", Quarantine, {"get": "list"}, "quarantine"),
    route(f"{ONE}/", Quarantine, {"get": "show"}, "quarantined"),
    route(f"{ONE}/verdicts/", Quarantine, {"post": "judge"}, "quarantine-verdicts"),
    route(f"{ONE}/frames/", Quarantine, {"get": "frames"}, "quarantine-frames"),
    route(f"{ONE}/data/", Quarantine, {"get": "data"}, "quarantine-data"),
    route(f"{ONE}/thumbnail/", Quarantine, {"get": "thumbnail"}, "quarantine-thumbnail"),
]
