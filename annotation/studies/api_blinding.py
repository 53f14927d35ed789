"""Unblinding risks of a study for programs: what was found, scanning again, deciding."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.problems import FieldError, ProblemError
from annotation.rest.serializers import Asked, Sent, Told
from annotation.studies import unblinding
from annotation.studies.errors import StudyError
from annotation.studies.models import Study, StudySystem, UnblindingRisk
from annotation.studies.views import unread_study

KINDS, DECISIONS = UnblindingRisk.Kind.values, UnblindingRisk.Decision.values
AT_ONCE = 1_000
LARGEST = 2**63 - 1


class RiskTold(Told):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=KINDS)
    item = serializers.CharField(source="output.revision.item.code")
    letter = serializers.CharField(allow_null=True, help_text="of the system; null until names are open")
    output = serializers.UUIDField(source="output_id")
    evidence = serializers.JSONField()
    decision = serializers.ChoiceField(choices=DECISIONS)
    reason = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    found_at = serializers.DateTimeField()


class RiskAsked(Asked):
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    decision = serializers.ChoiceField(choices=DECISIONS, required=False)


class DecisionSent(Sent):
    """Either `risks`, by their ids, or a `kind`: all that wait of it."""

    risks = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST),
        required=False,
        min_length=1,
        max_length=AT_ONCE,
    )
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    decision = serializers.ChoiceField(choices=[UnblindingRisk.Decision.MASKED, UnblindingRisk.Decision.ACCEPTED])
    reason = serializers.CharField(
        max_length=unblinding.REASON_LIMIT, allow_blank=True, default="", help_text="needed to accept"
    )


class DecidedTold(Told):
    decided = serializers.IntegerField()


class ScannedTold(Told):
    open = serializers.IntegerField(help_text="risks that wait for a decision")


class Blinding(Endpoint):
    noun = "unblinding_risks"
    tag = "studies"
    scopes = ("study",)

    def _risks(self, slug: str) -> QuerySet[UnblindingRisk]:
        return unread_study(self.person, slug).unblinding_risks.all()

    @operation(tells=RiskTold, many=True, query=RiskAsked)
    def list(self, request: Request, slug: str) -> QuerySet[UnblindingRisk]:
        """What may tell readers which system they see, for coordinators who do not read themselves."""
        letter = StudySystem.objects.filter(
            study=OuterRef("study"), submission=OuterRef("output__submission"), study__state=Study.State.UNBLINDED
        )
        risks = self._risks(slug).filter(**self.asked).annotate(letter=Subquery(letter.values("letter")[:1]))
        return risks.select_related("output__revision__item", "decided_by").order_by("kind", "id")

    @operation(tells=ScannedTold, refuses={StudyError: 422})
    def scan(self, request: Request, slug: str) -> dict[str, int]:
        """Look at all outputs of the study again; what was decided stays decided."""
        return {"open": unblinding.scan(study=unread_study(self.person, slug), actor=self.person)}

    @operation(tells=DecidedTold, takes=DecisionSent, refuses={StudyError: 422})
    def decide(self, request: Request, slug: str) -> dict[str, Any]:
        """Mask names in texts for readers, or accept risks with a reason; all of them or none."""
        risks = self._risks(slug)
        numbers: list[int] = self.body.get("risks", [])
        kind = self.body.get("kind")
        if bool(numbers) == (kind is not None):
            raise ProblemError(422, "Choose either risks or a kind of them.")
        if kind is not None:
            risks = risks.filter(decision=UnblindingRisk.Decision.OPEN, kind=kind)
        else:
            risks = risks.filter(pk__in=numbers)
            unknown = sorted(set(numbers) - set(risks.values_list("pk", flat=True)))
            if unknown:
                error = FieldError("risks", str(unknown[0]), "is no risk of this study")
                raise ProblemError(422, f"risks: {error.value}: {error.rule}.", errors=[error])
        decision, reason = self.body["decision"], self.body["reason"]
        return {"decided": unblinding.decide(risks=risks, decision=decision, reason=reason, actor=self.person)}


RISKS = "studies/<slug:slug>/unblinding-risks"
routes = [
    route(f"{RISKS}/", Blinding, {"get": "list"}, "unblinding-risks"),
    route(f"{RISKS}/scan/", Blinding, {"post": "scan"}, "unblinding-scan"),
    route(f"{RISKS}/decisions/", Blinding, {"post": "decide"}, "unblinding-decisions"),
]
