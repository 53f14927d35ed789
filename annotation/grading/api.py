"""The reader's work for programs: exactly what the workstation gets and does, and nothing beside it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.datasets.api import FramesTold
from annotation.grading import forms, guessing, presentation, progress, services, stages
from annotation.grading.errors import GradingError, InvalidGradeError
from annotation.grading.models import Grade
from annotation.grading.own import own_reading, refuse_without_consent
from annotation.grading.reading_json import Addresses, reading_json, readings_of
from annotation.grading.rules import SKIP_REASONS
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.rest.serializers import Asked, Sent, Told
from annotation.studies.models import Reading
from annotation.studies.views import study_with_open_flags

REFUSED = {InvalidGradeError: 422, forms.BadRequestError: 400, GradingError: 409}
STATUSES = [status for status in Reading.Status.values if status != Reading.Status.VOID]
DAY_MS = forms.DURATION_LIMIT_MS


class ReadingAsked(Asked):
    study = serializers.SlugField(max_length=60, required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False)


class ReadingRowTold(Told):
    id = serializers.UUIDField()
    study = serializers.CharField(source="study.slug")
    position = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    opened_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)


class PaneTold(Told):
    role = serializers.ChoiceField(choices=["input", "reference", "output"])
    label = serializers.CharField()  # type: ignore[assignment]
    frames = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    sections = serializers.JSONField(allow_null=True)


class ShownOutputTold(Told):
    label = serializers.CharField()  # type: ignore[assignment]
    has_image = serializers.BooleanField()
    has_text = serializers.BooleanField()
    not_applicable = serializers.DictField(child=serializers.CharField())


class ReadingTold(Told):
    """The JSON of the workstation."""

    id = serializers.CharField()
    position = serializers.IntegerField()
    of = serializers.IntegerField()
    submitted = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    locked_reason = serializers.CharField(allow_null=True)
    preview = serializers.BooleanField()
    study = serializers.JSONField()
    item = serializers.JSONField()
    panes = PaneTold(many=True)
    outputs = ShownOutputTold(many=True)
    preference = serializers.JSONField(
        allow_null=True, help_text="what is chosen where outputs are compared; null where they are graded"
    )
    rubrics = serializers.ListField(child=serializers.JSONField())
    error_codes = serializers.ListField(child=serializers.JSONField())
    safety_levels = serializers.ListField(child=serializers.JSONField())
    na_reasons = serializers.ListField(child=serializers.CharField())
    skip_reasons = serializers.ListField(child=serializers.CharField())
    draft = serializers.JSONField(allow_null=True)
    grade = serializers.JSONField(allow_null=True)
    stage = serializers.JSONField(allow_null=True, help_text="code, number, of, first: what you said before; or null")
    feedback = serializers.JSONField(allow_null=True, help_text="after a training case: words and right values")
    training = serializers.BooleanField()
    guess = serializers.BooleanField(help_text="whether it is asked afterwards which system it was")
    urls = serializers.DictField(child=serializers.CharField(allow_null=True))


def _milliseconds() -> Any:
    return serializers.FloatField(min_value=0, max_value=DAY_MS, default=0)


def _stage() -> Any:
    words = "which stage this is of, in a study of two; the first if left out"
    return serializers.ChoiceField(choices=Grade.Stage.values, required=False, allow_null=True, help_text=words)


class DraftSent(Sent):
    payload = serializers.DictField()
    client_id = serializers.CharField(max_length=64)
    revision = serializers.IntegerField(min_value=1, max_value=forms.REVISION_LIMIT)
    base_revision = serializers.IntegerField(min_value=0, max_value=forms.REVISION_LIMIT, default=0)
    active_ms = _milliseconds()
    idle_ms = _milliseconds()
    stage = _stage()


class DraftTold(Told):
    revision = serializers.IntegerField()
    saved_at = serializers.DateTimeField()


class GradeSent(Sent):
    payload = serializers.DictField()
    submit_key = serializers.UUIDField(help_text="a new one for each submission; the same again is a repeat")
    active_ms = _milliseconds()
    idle_ms = _milliseconds()
    stage = _stage()
    client_time = serializers.DateTimeField(required=False, allow_null=True)
    viewing = serializers.DictField(required=False)
    client_id = serializers.CharField(max_length=64, required=False, allow_null=True)
    base_revision = serializers.IntegerField(
        min_value=0,
        max_value=forms.REVISION_LIMIT,
        required=False,
        allow_null=True,
        help_text="draft this is based on",
    )
    base_version = serializers.IntegerField(
        min_value=0, max_value=forms.REVISION_LIMIT, required=False, allow_null=True, help_text="grade this amends"
    )


class AmendmentSent(GradeSent):
    reason = serializers.CharField(max_length=20_000)


class ReceiptTold(Told):
    version = serializers.IntegerField()
    submitted_at = serializers.DateTimeField()
    stays = serializers.BooleanField(help_text="the reading goes on: fetch it again")


class SkipSent(Sent):
    reason = serializers.ChoiceField(choices=list(SKIP_REASONS))
    text = serializers.CharField(max_length=20_000, allow_blank=True, default="")


class GuessesSent(Sent):
    guesses = serializers.DictField(
        child=serializers.JSONField(), help_text="by label: guess (empty: could not tell), sure 1 to 5, why"
    )


class FlagsTold(Told):
    readers = serializers.ListField(child=serializers.JSONField())
    severe = serializers.IntegerField()
    moderate = serializers.IntegerField()
    reference_wrong = serializers.IntegerField()
    graded = serializers.IntegerField()
    checks = serializers.ListField(
        child=serializers.JSONField(), help_text="by reader: checks noticed, and mean goodness by thirds of the list"
    )
    controls = serializers.ListField(child=serializers.JSONField(), help_text="by pairing control")
    training = serializers.ListField(child=serializers.JSONField(), help_text="by reader: right values and admission")


def _addresses(reading: Reading) -> Addresses:
    following = getattr(reading, "next_after", None) or getattr(reading, "next_any", None)
    return Addresses(
        frames=api_address("pane-frames", reading.pk, 0),
        urls={
            "self": api_address("reading", reading.pk),
            "draft": api_address("reading-draft", reading.pk),
            "submit": api_address("reading-submit", reading.pk),
            "amend": api_address("reading-amend", reading.pk),
            "skip": api_address("reading-skip", reading.pk),
            "guess": api_address("reading-guess", reading.pk),
            "next": None if following is None else api_address("reading", following),
            "study": api_address("readings") + f"?study={reading.study.slug}",
        },
    )


class Readings(Endpoint):
    noun = tag = "readings"
    scopes = ("grade",)
    body_limit = forms.BODY_LIMIT

    @operation(tells=ReadingRowTold, many=True, query=ReadingAsked)
    def list(self, request: Request) -> QuerySet[Reading]:
        """Your own readings, in their order."""
        own = Reading.objects.visible_to(self.person).exclude(status=Reading.Status.VOID)
        if "study" in self.asked:
            own = own.filter(study__slug=self.asked["study"])
        if "status" in self.asked:
            own = own.filter(status=self.asked["status"])
        return own.select_related("study").order_by("study__slug", "position", "id")

    @operation(tells=ReadingTold)
    def show(self, request: Request, pk: UUID) -> dict[str, Any]:
        """One of your readings, as the workstation gets it."""
        reading = readings_of(self.person).filter(pk=pk).first()
        if reading is None:
            reading = own_reading(self.person, pk)
        refuse_without_consent(reading)
        return reading_json(reading, _addresses(reading))

    def _asset(self, pk: UUID, number: int) -> Asset:
        own_reading(self.person, pk)
        shown = presentation.presented(pk)
        presentation.refuse_shut(shown)
        stages.refuse_reference(pk, shown, number)
        return shown.asset_of(number)

    @operation(tells=FramesTold)
    def frames(self, request: Request, pk: UUID, number: int) -> HttpResponseBase:
        """What is needed before the frames of a pane."""
        address = api_address("pane-data", pk, number)
        asset = self._asset(pk, number)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=f"reading {pk} {number}"))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None})
    def data(self, request: Request, pk: UUID, number: int) -> HttpResponseBase:
        """The frames of a pane, whole or a range of bytes."""
        scope = f"reading {pk} {number}"
        return served(serving.frames_data_response(request._request, self._asset(pk, number), etag_scope=scope))

    @operation(tells=DraftTold, takes=DraftSent, refuses=REFUSED)
    def draft(self, request: Request, pk: UUID) -> Any:
        """Keep what is entered so far; a draft that another client saved meanwhile is answered with 409."""
        reading = own_reading(self.person, pk)
        entry = forms.draft_entry(dict(self.sent))
        return services.save_draft(
            reading=reading,
            actor=self.person,
            payload=entry.payload,
            client_id=entry.client_id,
            revision=entry.revision,
            base_revision=entry.base_revision,
            work=entry.work,
            stage=entry.stage,
        )

    @operation(tells=ReceiptTold, takes=GradeSent, refuses=REFUSED)
    def submit(self, request: Request, pk: UUID) -> Any:
        """Submit the grades of all outputs of a reading, once and for good."""
        reading = own_reading(self.person, pk)
        return services.submit_reading(reading=reading, actor=self.person, entry=forms.grade_entry(dict(self.sent)))

    @operation(tells=ReceiptTold, takes=AmendmentSent, refuses=REFUSED)
    def amend(self, request: Request, pk: UUID) -> Any:
        """Submit a further version, for a stated reason; the earlier one stays."""
        reading = own_reading(self.person, pk)
        return services.amend_grade(reading=reading, actor=self.person, entry=forms.grade_entry(dict(self.sent)))

    @operation(status=204, takes=SkipSent, refuses=REFUSED)
    def skip(self, request: Request, pk: UUID) -> None:
        """Put a reading aside with a reason."""
        services.skip_reading(reading=own_reading(self.person, pk), actor=self.person, **self.body)

    @operation(status=204, takes=GuessesSent, refuses=REFUSED)
    def guess(self, request: Request, pk: UUID) -> None:
        """Say which system it may have been, after a reading that asks for it; the answer is never shown."""
        reading = own_reading(self.person, pk)
        guessing.record_guesses(reading=reading, actor=self.person, data=dict(self.sent))


class Flags(Endpoint):
    noun = "flags"
    tag = "studies"
    scopes = ("study",)

    @operation(tells=FlagsTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """Safety flags, time and missing values by reader code, for coordinators who have nothing left to read."""
        return progress.board(study_with_open_flags(self.person, slug))


READING = "readings/<uuid:pk>"
routes = [
    route("readings/", Readings, {"get": "list"}, "readings"),
    route(f"{READING}/", Readings, {"get": "show"}, "reading"),
    route(f"{READING}/panes/<int:number>/frames/", Readings, {"get": "frames"}, "pane-frames"),
    route(f"{READING}/panes/<int:number>/data/", Readings, {"get": "data"}, "pane-data"),
    route(f"{READING}/draft/", Readings, {"post": "draft"}, "reading-draft"),
    route(f"{READING}/submit/", Readings, {"post": "submit"}, "reading-submit"),
    route(f"{READING}/amend/", Readings, {"post": "amend"}, "reading-amend"),
    route(f"{READING}/skip/", Readings, {"post": "skip"}, "reading-skip"),
    route(f"{READING}/guess/", Readings, {"post": "guess"}, "reading-guess"),
    route("studies/<slug:slug>/flags/", Flags, {"get": "show"}, "study-flags"),
]
