"""Systems, submissions and outputs for programs. Whoever reads a dataset blind meets none of its systems here."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.assets.quarantine import refuse_quarantined
from annotation.datasets.api import FORMATS, MODALITIES, TASKS, FramesTold
from annotation.datasets.selections import UNMAPPED
from annotation.datasets.services import may_curate
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.rest.guards import sees_items
from annotation.rest.serializers import Asked, Told
from annotation.systems.coverage import CoverageRow, coverage, missing_codes, total
from annotation.systems.models import Output, OutputPart, Submission, System


class SystemTold(Told):
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=System.Kind.values)
    description = serializers.CharField(allow_blank=True)
    n_submissions = serializers.IntegerField()


class SubmissionTold(Told):
    id = serializers.UUIDField()
    code = serializers.CharField()
    system = serializers.CharField(source="system_version.system.slug")
    version = serializers.CharField(source="system_version.version", allow_blank=True)
    dataset = serializers.CharField(source="dataset.slug")
    release = serializers.CharField(source="release.version", default=None, allow_null=True)
    is_fixture = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class SubmissionAsked(Asked):
    system = serializers.SlugField(max_length=60, required=False)
    dataset = serializers.SlugField(max_length=60, required=False)


class CoverageRowTold(Told):
    format = serializers.CharField(allow_blank=True)
    task = serializers.CharField(allow_blank=True)
    modality = serializers.CharField(allow_blank=True)
    n_expected = serializers.IntegerField()
    ok = serializers.IntegerField()
    failed = serializers.DictField(child=serializers.IntegerField())
    missing = serializers.IntegerField()


class CoverageTold(Told):
    rows = CoverageRowTold(many=True)
    total = CoverageRowTold()
    missing = serializers.ListField(child=serializers.CharField())


class OutputAsked(Asked):
    status = serializers.ChoiceField(choices=Output.Status.values, required=False)
    format = serializers.ChoiceField(choices=FORMATS, required=False)
    task = serializers.ChoiceField(choices=TASKS, required=False)
    modality = serializers.ChoiceField(choices=MODALITIES, required=False)


class PartTold(Told):
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=OutputPart.Kind.values)
    text = serializers.CharField(allow_blank=True)
    frames = serializers.SerializerMethodField()

    def get_frames(self, part: OutputPart) -> str | None:
        if part.kind != OutputPart.Kind.IMAGE:
            return None
        return api_address("output-frames", part.output_id, part.position)


class OutputTold(Told):
    id = serializers.UUIDField()
    submission = serializers.UUIDField(source="submission_id")
    item = serializers.UUIDField(source="revision.item_id")
    item_code = serializers.CharField(source="revision.item.code")
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Output.Status.values)
    error_text = serializers.CharField(allow_blank=True)
    content_hash = serializers.CharField(allow_blank=True)
    parts = PartTold(many=True)


def seen_submission(person: Any, pk: UUID) -> Submission:
    visible = Submission.objects.visible_to(person)
    return get_object_or_404(visible.select_related("system_version__system", "dataset", "release"), pk=pk)


def with_parts(outputs: QuerySet[Output]) -> QuerySet[Output]:
    parts = Prefetch("parts", OutputPart.objects.order_by("position"))
    return outputs.select_related("revision__item").prefetch_related(parts)


class Systems(Endpoint):
    noun = tag = "systems"
    scopes = ("submit", "study")

    def _systems(self) -> QuerySet[System]:
        seen = Q(versions__submissions__in=Submission.objects.visible_to(self.person))
        counted = Count("versions__submissions", filter=seen, distinct=True)
        return System.objects.visible_to(self.person).annotate(n_submissions=counted).order_by("slug")

    @operation(tells=SystemTold, many=True, guard=sees_items)
    def list(self, request: Request) -> QuerySet[System]:
        """Systems you see."""
        return self._systems()

    @operation(tells=SystemTold, guard=sees_items)
    def show(self, request: Request, slug: str) -> System:
        """One system."""
        return get_object_or_404(self._systems(), slug=slug)


class Submissions(Endpoint):
    noun = tag = "submissions"
    scopes = ("submit", "study")

    @operation(tells=SubmissionTold, many=True, query=SubmissionAsked, guard=sees_items)
    def list(self, request: Request) -> QuerySet[Submission]:
        """Submissions you see, newest first."""
        submissions = Submission.objects.visible_to(self.person)
        if "system" in self.asked:
            submissions = submissions.filter(system_version__system__slug=self.asked["system"])
        if "dataset" in self.asked:
            submissions = submissions.filter(dataset__slug=self.asked["dataset"])
        return submissions.select_related("system_version__system", "dataset", "release").order_by("-number")

    @operation(tells=SubmissionTold, guard=sees_items)
    def show(self, request: Request, pk: UUID) -> Submission:
        """One submission."""
        return seen_submission(self.person, pk)

    @operation(tells=CoverageTold, guard=sees_items)
    def coverage(self, request: Request, pk: UUID) -> dict[str, Any]:
        """What a submission covers of its release; expected = ok + failed + missing."""
        submission = seen_submission(self.person, pk)
        rows: list[CoverageRow] = coverage(submission)
        return {"rows": rows, "total": total(rows), "missing": missing_codes(submission)}

    @operation(tells=OutputTold, many=True, query=OutputAsked, guard=sees_items)
    def list_outputs(self, request: Request, pk: UUID) -> QuerySet[Output]:
        """Current outputs of a submission, by item."""
        outputs = Output.objects.current().filter(submission=seen_submission(self.person, pk))
        if "status" in self.asked:
            outputs = outputs.filter(status=self.asked["status"])
        if "format" in self.asked:
            outputs = outputs.filter(revision__format=self.asked["format"])
        if "task" in self.asked:
            outputs = outputs.filter(revision__task=self.asked["task"])
        if "modality" in self.asked:
            modality = self.asked["modality"]
            outputs = outputs.filter(revision__modality="" if modality == UNMAPPED else modality)
        return with_parts(outputs).order_by("revision__item__number")


class Outputs(Endpoint):
    noun = tag = "outputs"
    scopes = ("submit", "study")

    @operation(tells=OutputTold, guard=sees_items)
    def show(self, request: Request, pk: UUID) -> Output:
        """One output with its texts and pictures."""
        outputs = Output.objects.filter(submission__in=Submission.objects.visible_to(self.person))
        return get_object_or_404(with_parts(outputs), pk=pk)

    def _asset(self, pk: UUID, index: int) -> Asset:
        submissions = Submission.objects.visible_to(self.person)
        parts = OutputPart.objects.filter(output__submission__in=submissions, output=pk, kind=OutputPart.Kind.IMAGE)
        part = get_object_or_404(parts.select_related("asset", "output__submission__dataset"), position=index)
        if part.asset is None:
            raise Http404
        refuse_quarantined(part.asset, curates=may_curate(self.person, part.output.submission.dataset))
        return part.asset

    @operation(tells=FramesTold, guard=sees_items)
    def frames(self, request: Request, pk: UUID, index: int) -> HttpResponseBase:
        """What is needed before the frames of a picture of an output."""
        address = api_address("output-data", pk, index)
        asset = self._asset(pk, index)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=f"api output:{pk}:{index}"))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None}, guard=sees_items)
    def data(self, request: Request, pk: UUID, index: int) -> HttpResponseBase:
        """The frames of a picture of an output, whole or a range of bytes."""
        scope = f"api output:{pk}:{index}"
        return served(serving.frames_data_response(request._request, self._asset(pk, index), etag_scope=scope))


IMAGE = "outputs/<uuid:pk>/images/<int:index>"
routes = [
    route("systems/", Systems, {"get": "list"}, "systems"),
    route("systems/<slug:slug>/", Systems, {"get": "show"}, "system"),
    route("submissions/", Submissions, {"get": "list"}, "submissions"),
    route("submissions/<uuid:pk>/", Submissions, {"get": "show"}, "submission"),
    route("submissions/<uuid:pk>/coverage/", Submissions, {"get": "coverage"}, "submission-coverage"),
    route("submissions/<uuid:pk>/outputs/", Submissions, {"get": "list_outputs"}, "submission-outputs"),
    route("outputs/<uuid:pk>/", Outputs, {"get": "show"}, "output"),
    route(f"{IMAGE}/frames/", Outputs, {"get": "frames"}, "output-frames"),
    route(f"{IMAGE}/data/", Outputs, {"get": "data"}, "output-data"),
]
