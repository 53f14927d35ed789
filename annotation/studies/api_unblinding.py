"""From the lock to names for programs: what was frozen, who asked, who confirmed; the acts of the page."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Sent, Told
from annotation.studies import freezing, revealing
from annotation.studies.api import REFUSED
from annotation.studies.models import Study
from annotation.studies.unblinding_views import study_to_unblind


class ReasonSent(Sent):
    reason = serializers.CharField(
        max_length=freezing.REASON_LIMIT, help_text=f"at least {freezing.REASON_AT_LEAST} characters"
    )


class StepTold(Told):
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class FreezeTold(StepTold):
    number = serializers.IntegerField(help_text="1 at the lock")
    hash = serializers.CharField(help_text="SHA-256 over the canonical JSON of the facts")
    facts = serializers.DictField(child=serializers.CharField(), help_text="what the numbers depend on")


class UnblindingTold(Told):
    """The steps; each is null until it has happened."""

    state = serializers.ChoiceField(choices=Study.State.values)
    names_are_open = serializers.BooleanField()
    locked = StepTold(allow_null=True)
    frozen = FreezeTold(allow_null=True)
    asked = StepTold(allow_null=True)
    confirmed = StepTold(allow_null=True)
    may_confirm = serializers.BooleanField(help_text="whether you are a second person who may")


class Unblinding(Endpoint):
    noun = "unblinding"
    tag = "studies"
    scopes = ("study",)

    def _study(self, slug: str, act: str = "") -> Study:
        return study_to_unblind(self.person, slug, act=act)

    def _told(self, study: Study) -> dict[str, Any]:
        study.refresh_from_db(fields=["state"])
        steps = revealing.steps_of(study)
        told = {name: getattr(steps, name) for name in ("locked", "frozen", "asked", "confirmed")}
        return told | {
            "state": study.state,
            "names_are_open": study.names_are_open,
            "may_confirm": revealing.may_confirm(study, steps, self.person),
        }

    @operation(tells=UnblindingTold)
    def show(self, request: Request, slug: str) -> dict[str, Any]:
        """How far a study is from the lock to names: what was frozen, who asked, who confirmed."""
        return self._told(self._study(slug))

    @operation(tells=UnblindingTold, takes=ReasonSent, refuses=REFUSED)
    def ask(self, request: Request, slug: str) -> dict[str, Any]:
        """Ask that the names of a locked study be opened; a second person confirms."""
        study = self._study(slug, "ask")
        revealing.ask_for_names(study=study, actor=self.person, reason=self.body["reason"])
        return self._told(study)

    @operation(tells=UnblindingTold, refuses=REFUSED)
    def withdraw(self, request: Request, slug: str) -> dict[str, Any]:
        """Take a request back that nobody has confirmed."""
        study = self._study(slug, "withdraw")
        revealing.withdraw_request(study=study, actor=self.person)
        return self._told(study)

    @operation(tells=UnblindingTold, refuses=REFUSED)
    def confirm(self, request: Request, slug: str) -> dict[str, Any]:
        """Open the names as the second person; it cannot be undone."""
        study = self._study(slug, "confirm")
        return self._told(revealing.confirm(study=study, actor=self.person))

    @operation(tells=UnblindingTold, takes=ReasonSent, refuses=REFUSED)
    def freeze(self, request: Request, slug: str) -> dict[str, Any]:
        """Freeze a locked study as it is now, with the reason; an open request ends."""
        study = self._study(slug, "freeze")
        freezing.freeze_again(study=study, actor=self.person, reason=self.body["reason"])
        return self._told(study)


PLACE = "studies/<slug:slug>/unblinding"
routes = [
    route(f"{PLACE}/", Unblinding, {"get": "show"}, "unblinding"),
    *[
        route(f"{PLACE}/{act}/", Unblinding, {"post": act}, f"unblinding-{act}")
        for act in ("ask", "withdraw", "confirm", "freeze")
    ],
]
