"""Designs and their workload as programs send and get them."""

from typing import Any

from rest_framework import serializers

from annotation.rest.serializers import Sent, Told
from annotation.studies.design import INSTRUCTIONS_LIMIT, LIMITS, MODES, NAME_LIMIT, PAIRS_LIMITS
from annotation.studies.teams import PLANS


def _words(*, required: bool = False) -> Any:
    return serializers.ListField(child=serializers.CharField(max_length=150), required=required)


def _whole(low: int, high: int) -> Any:
    return serializers.IntegerField(min_value=low, max_value=high, required=False)


class DesignSent(Sent):
    """A design as `create_study` reads it from a file."""

    name = serializers.CharField(max_length=NAME_LIMIT)
    slug = serializers.CharField(max_length=60)
    release = serializers.CharField(max_length=101, help_text="DATASET@VERSION")
    submissions = _words(required=True)
    rubrics = _words(required=True)
    readers = serializers.ListField(child=serializers.JSONField(), help_text="user names, or username and cap")
    mode = serializers.ChoiceField(choices=MODES, required=False)
    pairs_per_item = serializers.IntegerField(
        min_value=PAIRS_LIMITS[0], max_value=PAIRS_LIMITS[1], required=False, allow_null=True
    )
    compare_criteria = serializers.BooleanField(required=False)
    formats = _words()
    tasks = _words()
    modalities = _words()
    sample = serializers.IntegerField(min_value=1, max_value=100_000, required=False, allow_null=True)
    analysts = _words()
    coordinators = _words()
    readers_per_item = _whole(*LIMITS["readers_per_item"])
    assignment = serializers.ChoiceField(choices=PLANS, required=False)
    anchor_items = _whole(*LIMITS["anchor_items"])
    stages = _whole(*LIMITS["stages"])
    repeats = _whole(*LIMITS["repeats"])
    washout_days = _whole(*LIMITS["washout_days"])
    attention_items = _whole(*LIMITS["attention_items"])
    pilot_items = _whole(*LIMITS["pilot_items"])
    training = serializers.ListField(
        child=serializers.JSONField(), required=False, help_text="item codes, or item, expected and feedback"
    )
    admission = serializers.FloatField(min_value=0, max_value=1, required=False, allow_null=True)
    gap = _whole(*LIMITS["gap"])
    seed = _whole(*LIMITS["seed"])
    guess_block = _whole(*LIMITS["guess_block"])
    instructions = serializers.CharField(max_length=INSTRUCTIONS_LIMIT, required=False, allow_blank=True)
    due_on = serializers.DateField(required=False, allow_null=True)


class DesignTold(Told):
    """A design as it was declared; sending it makes the same study."""

    name = serializers.CharField()
    slug = serializers.CharField()
    release = serializers.CharField()
    submissions = _words()
    rubrics = _words()
    readers = serializers.ListField(child=serializers.JSONField())
    mode = serializers.ChoiceField(choices=MODES)
    pairs_per_item = serializers.IntegerField(allow_null=True)
    compare_criteria = serializers.BooleanField()
    formats = _words()
    tasks = _words()
    modalities = _words()
    sample = serializers.IntegerField(allow_null=True)
    analysts = _words()
    coordinators = _words()
    readers_per_item = serializers.IntegerField()
    assignment = serializers.ChoiceField(choices=PLANS)
    anchor_items = serializers.IntegerField()
    stages = serializers.IntegerField()
    repeats = serializers.IntegerField()
    washout_days = serializers.IntegerField()
    attention_items = serializers.IntegerField()
    pilot_items = serializers.IntegerField()
    training = serializers.ListField(child=serializers.JSONField())
    admission = serializers.FloatField(allow_null=True)
    gap = serializers.IntegerField()
    seed = serializers.IntegerField()
    guess_block = serializers.IntegerField()
    instructions = serializers.CharField(allow_blank=True)
    consent_text = serializers.CharField(allow_blank=True)
    due_on = serializers.DateField(allow_null=True)


class ReaderLoadTold(Told):
    reader = serializers.CharField()
    items = serializers.IntegerField()
    readings = serializers.DictField(child=serializers.IntegerField(), help_text="by role")
    outputs = serializers.IntegerField()
    hours = serializers.FloatField()


class WorkloadTold(Told):
    readers = ReaderLoadTold(many=True)
    refusal = serializers.CharField(allow_blank=True)
    items = serializers.DictField(child=serializers.IntegerField(), help_text="by role")
    few = serializers.ListField(child=serializers.CharField(), help_text="tasks of fewer than 30 items")
    seconds = serializers.IntegerField(help_text="taken for one output")
    hours = serializers.FloatField()
