"""Reading as a reader before anybody reads, for programs of coordinators: the same JSON, nothing saved."""

from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.datasets.api import FramesTold
from annotation.grading import preview
from annotation.grading.api import ReadingTold
from annotation.grading.reading_json import Addresses
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.studies.models import Study
from annotation.studies.views import unread_study


def _addresses(study: Study, number: int, of: int) -> Addresses:
    following = number + 1 if number < of else None
    return Addresses(
        frames=api_address("preview-frames", study.slug, number, 0),
        urls={
            "self": api_address("preview", study.slug, number),
            **dict.fromkeys(("draft", "submit", "amend", "skip", "guess")),
            "next": None if following is None else api_address("preview", study.slug, following),
            "study": api_address("study", study.slug),
        },
    )


class Preview(Endpoint):
    noun = "preview"
    tag = "studies"
    scopes = ("study",)

    @operation(tells=ReadingTold)
    def show(self, request: Request, slug: str, number: int) -> dict[str, Any]:
        """The n-th item as its first reader meets it, for coordinators who do not read themselves."""
        return preview.preview_json(unread_study(self.person, slug), number, _addresses)

    def _asset(self, slug: str, number: int, pane: int) -> tuple[Asset, str]:
        study = unread_study(self.person, slug)
        asset = preview.previewed(study, number).shown.asset_of(pane)
        return asset, f"api preview {study.pk} {number} {pane}"

    @operation(tells=FramesTold)
    def frames(self, request: Request, slug: str, number: int, pane: int) -> HttpResponseBase:
        """What is needed before the frames of a pane of a preview."""
        asset, scope = self._asset(slug, number, pane)
        address = api_address("preview-data", slug, number, pane)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=scope))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None})
    def data(self, request: Request, slug: str, number: int, pane: int) -> HttpResponseBase:
        """The frames of a pane of a preview, whole or a range of bytes."""
        asset, scope = self._asset(slug, number, pane)
        return served(serving.frames_data_response(request._request, asset, etag_scope=scope))


PREVIEW = "studies/<slug:slug>/preview/<int:number>"
routes = [
    route(f"{PREVIEW}/", Preview, {"get": "show"}, "preview"),
    route(f"{PREVIEW}/panes/<int:pane>/frames/", Preview, {"get": "frames"}, "preview-frames"),
    route(f"{PREVIEW}/panes/<int:pane>/data/", Preview, {"get": "data"}, "preview-data"),
]
