"""What the coordinator's board and the balance report tell programs."""

from rest_framework import serializers

from annotation.rest.serializers import Told


class CountsTold(Told):
    name = serializers.CharField()
    queued = serializers.IntegerField()
    in_progress = serializers.IntegerField()
    submitted = serializers.IntegerField()
    skipped = serializers.IntegerField()
    total = serializers.IntegerField()


class PaceTold(Told):
    recent = serializers.IntegerField()
    left = serializers.IntegerField()
    days = serializers.FloatField(allow_null=True)


class ReminderTold(Told):
    code = serializers.CharField()
    name = serializers.CharField()
    left = serializers.IntegerField()
    why = serializers.CharField()
    words = serializers.CharField()


class StudyProgressTold(Told):
    all = CountsTold()
    readers = CountsTold(many=True)
    strata = CountsTold(many=True)
    pace = PaceTold()
    behind = ReminderTold(many=True)


class BalanceRowTold(Told):
    name = serializers.CharField()
    counts = serializers.ListField(child=serializers.IntegerField())


class BalanceTableTold(Told):
    name = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    rows = BalanceRowTold(many=True)
    verdict = serializers.CharField(allow_blank=True)
    balanced = serializers.BooleanField()


class BalanceTold(Told):
    is_trial = serializers.BooleanField()
    refusal = serializers.CharField(allow_blank=True)
    verdict = serializers.CharField()
    tables = BalanceTableTold(many=True)
    without_output = serializers.ListField(child=serializers.CharField())
    in_quarantine = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
