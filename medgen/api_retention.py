"""The report of what is kept about people, for programs of operators."""

from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import operators_only
from annotation.rest.serializers import Told
from annotation.studies.models import Study
from medgen.retention import Retention, retention


class PersonKeptTold(Told):
    id = serializers.UUIDField()
    username = serializers.CharField()
    state = serializers.ChoiceField(choices=["active", "deactivated", "erased"])
    holds = serializers.ListField(child=serializers.CharField())
    last_sign_in = serializers.DateTimeField(allow_null=True)
    grades = serializers.IntegerField()
    reviews = serializers.IntegerField()
    open_studies = serializers.IntegerField()
    advice = serializers.CharField()


class StudyKeptTold(Told):
    slug = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.values)
    locked_at = serializers.DateTimeField(allow_null=True)
    readers = serializers.IntegerField()
    left = serializers.IntegerField(help_text="readers who withdrew")
    written_texts = serializers.IntegerField()
    drafts = serializers.IntegerField()
    handed_out = serializers.IntegerField(help_text="score sheets")
    first_handed_out = serializers.DateTimeField(allow_null=True)


class RetentionTold(Told):
    made_at = serializers.DateTimeField()
    people = PersonKeptTold(many=True)
    studies = StudyKeptTold(many=True)
    sessions = serializers.IntegerField()
    ended_sessions = serializers.IntegerField()
    keys = serializers.IntegerField()
    ended_keys = serializers.IntegerField()
    events = serializers.IntegerField()
    first_event = serializers.DateTimeField(allow_null=True)
    last_backup = serializers.DateTimeField(allow_null=True)


class Kept(Endpoint):
    noun = "retention"
    tag = "people"
    scopes = ("people",)
    own_scope_only = True

    @operation(tells=RetentionTold, guard=operators_only)
    def show(self, request: Request) -> Retention:
        """What this home keeps about people, since when, and what can be removed."""
        return retention()


routes = [route("retention/", Kept, {"get": "show"}, "retention")]
