"""Training items for programs: what they expect and say."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Sent, Told
from annotation.studies import training
from annotation.studies.errors import DesignError, StudyStateError
from annotation.studies.views import unread_study

REFUSED = {DesignError: 422, StudyStateError: 409}


class TrainingTold(Told):
    item = serializers.CharField(source="code")
    labels = serializers.SerializerMethodField(help_text="under which its outputs are shown")
    expected = serializers.JSONField(help_text="label, criterion, [lowest, highest]")
    feedback = serializers.CharField(source="item.feedback", allow_blank=True)

    def get_labels(self, one: training.TrainingItem) -> list[str]:
        return list(one.letters)


class TrainingSent(Sent):
    item = serializers.CharField(max_length=40)
    expected = serializers.DictField(child=serializers.DictField(), default=dict)
    feedback = serializers.CharField(max_length=5_000, allow_blank=True, default="")


class Training(Endpoint):
    noun = "training"
    tag = "studies"
    scopes = ("study",)

    @operation(tells=TrainingTold, many=True)
    def list(self, request: Request, slug: str) -> Any:
        """Training items of a study, and what counts as right in them."""
        return training.training_items(unread_study(self.person, slug))

    @operation(tells=TrainingTold, takes=TrainingSent, refuses=REFUSED)
    def expect(self, request: Request, slug: str) -> Any:
        """Say what counts as right in a training item of a draft, and what readers are told after it."""
        study = unread_study(self.person, slug)
        training.expect(study=study, code=self.body["item"], expected=self.body["expected"],
                        feedback=self.body["feedback"], actor=self.person)  # fmt: skip
        return next(one for one in training.training_items(study) if one.code == self.body["item"])


routes = [route("studies/<slug:slug>/training/", Training, {"get": "list", "post": "expect"}, "training")]
