"""The radar of a study for programs: outputs on which metrics and readers part, and asking an adjudicator."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from annotation.adjudication.api import CaseGradeTold
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError
from annotation.assets import serving
from annotation.datasets.api import FramesTold
from annotation.grading.api import PaneTold
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.rest.serializers import Sent, Told
from scoring.agreement.api import analyzed_study
from scoring.calibration import radar_access, services
from scoring.calibration.api import CODE_LIMIT, CriterionAsked
from scoring.calibration.errors import UnknownMeasureError
from scoring.calibration.forms import REASON_LIMIT
from scoring.calibration.radar import PRAISED, SIDES, side_of
from scoring.calibration.radar_access import Spot


class RadarAsked(CriterionAsked):
    side = serializers.ChoiceField(choices=list(SIDES), default=PRAISED)


class RadarRowTold(Told):
    key = serializers.UUIDField()
    item = serializers.CharField()
    system = serializers.CharField(help_text="letter")
    task = serializers.CharField()
    modality = serializers.CharField()
    praise = serializers.FloatField(help_text="place by metrics and judges, 0 to 1")
    readers = serializers.FloatField(help_text="place by readers, 0 to 1")
    gap = serializers.FloatField()
    mean = serializers.FloatField(help_text="of the readers' values")
    n_readers = serializers.IntegerField()
    severe = serializers.BooleanField()
    case = serializers.CharField(allow_blank=True, help_text="cases of adjudication about the output")
    measures = serializers.ListField(child=serializers.JSONField())


class RadarOutputTold(Told):
    key = serializers.UUIDField()
    item_code = serializers.CharField()
    system = serializers.CharField(help_text="letter")
    row = RadarRowTold(allow_null=True)
    item = serializers.JSONField()
    panes = PaneTold(many=True)
    grades = CaseGradeTold(many=True)


class RadarCaseSent(Sent):
    about = serializers.CharField(max_length=CODE_LIMIT, help_text="safety, reference, or a criterion as T1:overall")
    reason = serializers.CharField(max_length=REASON_LIMIT)


class RadarCaseTold(Told):
    key = serializers.UUIDField(source="case_key")
    subject = serializers.CharField()
    act = serializers.CharField()


class Radar(Endpoint):
    noun = "radar"
    tag = "numbers"
    scopes = ("study",)

    @operation(tells=RadarRowTold, many=True, query=RadarAsked)
    def list(self, request: Request, slug: str) -> list[dict[str, Any]]:
        """Outputs by the distance between what metrics and what readers say; the widest first."""
        study = analyzed_study(self.person, slug)
        try:
            found = services.tier_radar(study, self.asked["criterion"])
        except UnknownMeasureError as problem:
            raise Http404(str(problem)) from problem
        return side_of(found["rows"], self.asked["side"])

    @operation(tells=RadarOutputTold)
    def show(self, request: Request, slug: str, row: UUID) -> dict[str, Any]:
        """One output: what readers saw and said, and its place; its system is a letter."""
        spot = self._spot(slug, row)
        rows = {one["key"]: one for one in services.tier_radar(spot.study)["rows"]}
        return {
            "key": spot.key,
            "item_code": spot.output.revision.item.code,
            "system": spot.letter,
            "row": rows.get(str(spot.key)),
            **radar_access.content(spot, api_address("radar-frames", slug, row, 0)),
            "grades": radar_access.grades_told(spot)[1],
        }

    @operation(
        tells=RadarCaseTold,
        takes=RadarCaseSent,
        status=201,
        refuses={AdjudicationError: 422, AdjudicationStateError: 409},
    )
    def ask(self, request: Request, slug: str, row: UUID) -> Any:
        """Put an output into the queue of adjudication; coordinators only."""
        return radar_access.ask(self._spot(slug, row), actor=self.person, **self.body)

    @operation(tells=FramesTold)
    def frames(self, request: Request, slug: str, row: UUID, pane: int) -> HttpResponseBase:
        """What is needed before the frames of a pane."""
        asset, scope = radar_access.asset_of(self._spot(slug, row), pane)
        address = api_address("radar-data", slug, row, pane)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=f"api {scope}"))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None})
    def data(self, request: Request, slug: str, row: UUID, pane: int) -> HttpResponseBase:
        """The frames of a pane, whole or a range of bytes."""
        asset, scope = radar_access.asset_of(self._spot(slug, row), pane)
        return served(serving.frames_data_response(request._request, asset, etag_scope=f"api {scope}"))

    def _spot(self, slug: str, row: UUID) -> Spot:
        return radar_access.spot(self.person, slug, row)


RADAR = "studies/<slug:slug>/radar"
ONE = f"{RADAR}/<uuid:row>"
routes = [
    route(f"{RADAR}/", Radar, {"get": "list"}, "radar"),
    route(f"{ONE}/", Radar, {"get": "show"}, "radar-output"),
    route(f"{ONE}/requests/", Radar, {"post": "ask"}, "radar-requests"),
    route(f"{ONE}/panes/<int:pane>/frames/", Radar, {"get": "frames"}, "radar-frames"),
    route(f"{ONE}/panes/<int:pane>/data/", Radar, {"get": "data"}, "radar-data"),
]
