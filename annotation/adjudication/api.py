"""Cases of a study for programs of adjudicators and coordinators: what their pages show and do."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from annotation.adjudication import access, services, showing
from annotation.adjudication.errors import AdjudicationError, AdjudicationStateError
from annotation.adjudication.forms import SEEN_LENGTH
from annotation.adjudication.models import Adjudication
from annotation.adjudication.queue import Case
from annotation.assets import serving
from annotation.assets.models import Asset
from annotation.datasets.api import FramesTold
from annotation.grading import presentation
from annotation.grading.api import PaneTold, ShownOutputTold
from annotation.rest.addresses import api_address
from annotation.rest.endpoint import Endpoint, operation, route, served
from annotation.rest.problems import FieldError, ProblemError
from annotation.rest.serializers import Asked, Sent, Told

STATES = ["open", "reopened", "decided"]
SUBJECTS = Adjudication.Subject.values
REFUSED = {AdjudicationError: 422, AdjudicationStateError: 409}


class CaseAsked(Asked):
    state = serializers.ChoiceField(choices=STATES, required=False)
    subject = serializers.ChoiceField(choices=SUBJECTS, required=False)


class CaseTold(Told):
    key = serializers.UUIDField()
    subject = serializers.ChoiceField(choices=SUBJECTS)
    criterion = serializers.CharField(allow_null=True, help_text="rubric and criterion, T1:overall")
    trigger = serializers.ChoiceField(choices=Adjudication.Trigger.values)
    severe = serializers.BooleanField(help_text="a reader flags severe harm")
    state = serializers.ChoiceField(choices=STATES)
    value = serializers.FloatField(allow_null=True, help_text="of the newest decision")
    verdict = serializers.CharField(allow_null=True)
    level = serializers.CharField(allow_null=True)
    seen = serializers.CharField(help_text="what an act must send back: it changes with the case")


class CaseScoreTold(Told):
    rubric = serializers.CharField()
    criterion = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    na = serializers.CharField(allow_blank=True)


class CaseGradeTold(Told):
    letter = serializers.CharField(help_text="of the reader, drawn for this output")
    asks = serializers.BooleanField(help_text="whether it is one of those that make the case")
    safety = serializers.CharField()
    reference_wrong = serializers.BooleanField()
    rationale = serializers.CharField(allow_blank=True)
    errors = serializers.JSONField()  # type: ignore[assignment]
    scores = CaseScoreTold(many=True)


class CaseActTold(Told):
    version = serializers.IntegerField()
    act = serializers.ChoiceField(choices=Adjudication.Act.values)
    by = serializers.CharField()
    at = serializers.DateTimeField()
    decision = serializers.CharField(allow_blank=True)
    cause = serializers.CharField(allow_blank=True)
    rationale = serializers.CharField()


class CaseWholeTold(CaseTold):
    item = serializers.JSONField()
    panes = PaneTold(many=True)
    outputs = ShownOutputTold(many=True)
    grades = CaseGradeTold(many=True)
    acts = CaseActTold(many=True)


class CaseDecisionSent(Sent):
    """A value for a criterion; a verdict for the others, with a level for confirmed harm."""

    value = serializers.FloatField(required=False, allow_null=True)
    verdict = serializers.ChoiceField(choices=Adjudication.Verdict.values, required=False)
    level = serializers.ChoiceField(choices=Adjudication.Level.values, required=False)
    cause = serializers.ChoiceField(choices=Adjudication.Cause.values)
    rationale = serializers.CharField(max_length=services.TEXT_LIMIT)
    seen = serializers.CharField(max_length=SEEN_LENGTH)


class ReopeningSent(Sent):
    reason = serializers.CharField(max_length=services.TEXT_LIMIT)
    seen = serializers.CharField(max_length=SEEN_LENGTH)


class CaseRequestSent(Sent):
    """An output as a reader met it, so that nobody has to know its system."""

    reader = serializers.CharField(max_length=8, help_text="code of the reader")
    reading = serializers.IntegerField(min_value=1, max_value=1_000_000, help_text="its position")
    label = serializers.CharField(max_length=4, default="A")  # type: ignore[assignment]
    subject = serializers.ChoiceField(choices=SUBJECTS)
    criterion = serializers.CharField(max_length=80, required=False, help_text="T1:overall, for a criterion")
    reason = serializers.CharField(max_length=services.TEXT_LIMIT)


class CaseCountsTold(Told):
    open = serializers.IntegerField()
    reopened = serializers.IntegerField()
    decided = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="readers of the output still read")
    confirmed = serializers.IntegerField(help_text="harm")
    refuted = serializers.IntegerField(help_text="harm")
    pending = serializers.IntegerField(help_text="severe harm, not decided")


def _told(case: Case) -> dict[str, Any]:
    criterion, decision = case.criterion, case.decision
    return {
        "key": case.key,
        "subject": case.subject,
        "criterion": None if criterion is None else f"{criterion.rubric.code}:{criterion.code}",
        "trigger": case.trigger,
        "severe": case.is_severe,
        "state": case.state,
        "value": None if decision is None else decision.value,
        "verdict": None if decision is None else decision.verdict or None,
        "level": None if decision is None else decision.level or None,
        "seen": case.seen,
    }


class Cases(Endpoint):
    noun = "adjudication_cases"
    tag = "studies"
    scopes = ("grade", "study")

    @operation(tells=CaseTold, many=True, query=CaseAsked)
    def list(self, request: Request, slug: str) -> list[dict[str, Any]]:
        """Cases that a person may see; those of outputs graded by themselves are left out."""
        cases, _ = access.cases_for(access.part_in(self.person, slug))
        told = [_told(case) for case in cases]
        return [one for one in told if all(one[name] == value for name, value in self.asked.items())]

    @operation(tells=CaseCountsTold)
    def counts(self, request: Request, slug: str) -> dict[str, int]:
        """How many cases are in which state, over all of them."""
        return access.cases_for(access.part_in(self.person, slug))[1]

    @operation(tells=CaseWholeTold)
    def show(self, request: Request, slug: str, key: UUID) -> dict[str, Any]:
        """One case: what readers saw, what they said under letters, and what was decided."""
        part = access.part_in(self.person, slug)
        return self._whole(part, access.case_for(part, key))

    def _whole(self, part: access.Part, case: Case) -> dict[str, Any]:
        frames = api_address("adjudication-frames", part.study.slug, case.key, 0)
        return {
            **_told(case),
            **showing.content(part.study, case, frames),
            "grades": showing.grades_told(part.study, case),
            "acts": showing.acts_told(case),
        }

    @operation(tells=CaseTold, takes=CaseDecisionSent, refuses=REFUSED)
    def decide(self, request: Request, slug: str, key: UUID) -> dict[str, Any]:
        """Decide an open case; no grade is changed."""
        part = access.part_in(self.person, slug)
        if not part.decides:
            raise PermissionDenied("Only adjudicators of this study decide.")
        access.case_for(part, key)
        decision = services.Decision(**self.body)
        services.decide(study=part.study, key=key, actor=self.person, decision=decision)
        return _told(access.case_for(part, key))

    @operation(tells=CaseTold, takes=ReopeningSent, refuses=REFUSED)
    def reopen(self, request: Request, slug: str, key: UUID) -> dict[str, Any]:
        """Take a decision up again, with a reason; it stays in the chain."""
        part = access.part_in(self.person, slug)
        access.case_for(part, key)
        services.reopen(study=part.study, key=key, actor=self.person, **self.body)
        return _told(access.case_for(part, key))

    @operation(tells=CaseCountsTold, takes=CaseRequestSent, refuses=REFUSED)
    def ask(self, request: Request, slug: str) -> dict[str, int]:
        """Ask for a case that no grade asks for; coordinators only."""
        part = access.part_in(self.person, slug)
        if not part.runs_it:
            raise PermissionDenied("Only coordinators of this study ask for a case.")
        body = self.body
        try:
            output = access.output_read(part.study, body["reader"], body["reading"], body["label"])
        except LookupError as problem:
            raise _refusal("reading", str(body["reading"]), str(problem.args[0])) from problem
        named = body.get("criterion")
        criteria = {f"{one.rubric.code}:{one.code}": one for one in access.criteria_of(part.study)}
        if named is not None and named not in criteria:
            raise _refusal("criterion", named, f"choose one of {', '.join(criteria)}")
        services.request(
            study=part.study,
            output=output,
            subject=body["subject"],
            criterion=None if named is None else criteria[named],
            actor=self.person,
            reason=body["reason"],
        )
        return access.cases_for(part)[1]

    def _asset(self, slug: str, key: UUID, pane: int) -> tuple[Asset, str]:
        part = access.part_in(self.person, slug)
        shown = showing.presented(access.output_of_case(part, key))
        presentation.refuse_shut(shown)
        return shown.asset_of(pane), f"api adjudication {part.study.pk} {key} {pane}"

    @operation(tells=FramesTold)
    def frames(self, request: Request, slug: str, key: UUID, pane: int) -> HttpResponseBase:
        """What is needed before the frames of a pane of a case."""
        asset, scope = self._asset(slug, key, pane)
        address = api_address("adjudication-data", slug, key, pane)
        return served(serving.frames_header_response(asset, data_url=address, etag_scope=scope))

    @operation(media=(serving.DATA_TYPE,), also={206: serving.DATA_TYPE, 304: None})
    def data(self, request: Request, slug: str, key: UUID, pane: int) -> HttpResponseBase:
        """The frames of a pane of a case, whole or a range of bytes."""
        asset, scope = self._asset(slug, key, pane)
        return served(serving.frames_data_response(request._request, asset, etag_scope=scope))


def _refusal(field: str, value: str, rule: str) -> ProblemError:
    error = FieldError(field, value, rule)
    return ProblemError(422, f"{field}: {value}: {rule}.", errors=[error])


CASES = "studies/<slug:slug>/adjudication"
ONE = f"{CASES}/<uuid:key>"
routes = [
    route(f"{CASES}/", Cases, {"get": "list"}, "adjudication"),
    route(f"{CASES}/counts/", Cases, {"get": "counts"}, "adjudication-counts"),
    route(f"{CASES}/requests/", Cases, {"post": "ask"}, "adjudication-requests"),
    route(f"{ONE}/", Cases, {"get": "show"}, "adjudication-case"),
    route(f"{ONE}/decisions/", Cases, {"post": "decide"}, "adjudication-decisions"),
    route(f"{ONE}/reopenings/", Cases, {"post": "reopen"}, "adjudication-reopenings"),
    route(f"{ONE}/panes/<int:pane>/frames/", Cases, {"get": "frames"}, "adjudication-frames"),
    route(f"{ONE}/panes/<int:pane>/data/", Cases, {"get": "data"}, "adjudication-data"),
]
