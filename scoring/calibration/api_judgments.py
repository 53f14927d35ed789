"""Judgments of a submission for programs: every newest value or its reason, and bringing in a file."""

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets.api import PROBLEMS_SHOWN, ProblemRowTold, problem_row
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import creators_only, sees_items
from annotation.rest.parsing import UploadParser
from annotation.rest.serializers import Asked, Sent, Told
from annotation.systems.api import seen_submission
from scoring.calibration.answers import REASONS
from scoring.calibration.declaring import NAME_LIMIT, PROMPT_LIMIT, Declaration
from scoring.calibration.errors import JudgmentError
from scoring.calibration.importing import import_judgments
from scoring.calibration.models import Judge, Judgment


class JudgmentAsked(Asked):
    judge = serializers.CharField(max_length=NAME_LIMIT, required=False)
    criterion = serializers.CharField(max_length=48, required=False)
    reason = serializers.ChoiceField(choices=sorted(REASONS), required=False)


class JudgmentTold(Told):
    judge = serializers.CharField(source="judge.name")
    rubric = serializers.CharField(source="judge.rubric")
    scale = serializers.ListField(source="judge.scale", child=serializers.FloatField())
    view = serializers.ChoiceField(source="judge.view", choices=Judge.View.values)
    prompt = serializers.CharField(source="judge.prompt", allow_blank=True)
    item = serializers.CharField(source="output.revision.item.code")
    output = serializers.UUIDField(source="output_id")
    criterion = serializers.CharField(source="criterion.code")
    version = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    raw = serializers.CharField(allow_blank=True)
    coerced = serializers.BooleanField()


class JudgmentsSent(Sent):
    file = serializers.FileField()
    judge = serializers.CharField(max_length=NAME_LIMIT, default="", allow_blank=True)
    rubric = serializers.CharField(max_length=40, default="", allow_blank=True, help_text="CODE@VERSION")
    scale = serializers.CharField(max_length=40, default="", allow_blank=True, help_text="MIN-MAX")
    view = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text=" or ".join(Judge.View.values)
    )
    prompt = serializers.CharField(max_length=PROMPT_LIMIT, default="", allow_blank=True)
    dry_run = serializers.BooleanField(default=False)


class JudgmentImportTold(Told):
    id = serializers.UUIDField(allow_null=True, help_text="null for a dry run, and when no line went in")
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    values = serializers.IntegerField()
    coerced = serializers.IntegerField()
    not_judged = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    n_problems = serializers.IntegerField()
    problems = ProblemRowTold(many=True)


class Judgments(Endpoint):
    noun = "judgments"
    tag = "submissions"
    scopes = ("submit", "study")
    parser_classes = [UploadParser]

    @operation(tells=JudgmentTold, many=True, query=JudgmentAsked, guard=sees_items)
    def list(self, request: Request, pk: UUID) -> QuerySet[Judgment]:
        """The newest judgment of every judge, output and criterion: a number, or the reason why there is none."""
        submission = seen_submission(self.person, pk)
        newer = Judgment.objects.filter(
            judge=OuterRef("judge"), output=OuterRef("output"), criterion=OuterRef("criterion"),
            version__gt=OuterRef("version"),
        )  # fmt: skip
        rows = Judgment.objects.filter(~Exists(newer), output__submission=submission, output__superseded_by=None)
        for name, lookup in (("judge", "judge__name"), ("criterion", "criterion__code"), ("reason", "reason")):
            if name in self.asked:
                rows = rows.filter(**{lookup: self.asked[name]})
        related = rows.select_related("judge__rubric", "criterion", "output__revision__item")
        return related.order_by("output__revision__item__number", "judge", "criterion")

    @operation(
        tells=JudgmentImportTold, takes=JudgmentsSent, status=201, guard=creators_only, refuses={JudgmentError: 422}
    )
    def create(self, request: Request, pk: UUID) -> dict[str, Any]:
        """Bring in what a judge said; good lines go in, in one transaction, all others are named."""
        submission = seen_submission(self.person, pk)
        body = dict(self.body)
        file, dry_run = body.pop("file"), body.pop("dry_run")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "judgments.jsonl"
            with path.open("xb") as target:
                for block in file.chunks():
                    target.write(block)
            summary = import_judgments(
                path=path, submission=submission, declaration=Declaration(**body), actor=self.person, dry_run=dry_run
            )
        return {
            "id": summary.batch.pk if summary.batch is not None else None,
            **summary.counts(),
            "values": summary.n_values,
            "coerced": summary.n_coerced,
            "not_judged": summary.n_not_judged,
            "reasons": dict(summary.reasons),
            "n_problems": len(summary.problems),
            "problems": [problem_row(each) for each in summary.problems[:PROBLEMS_SHOWN]],
        }


routes = [
    route("submissions/<uuid:pk>/judgments/", Judgments, {"get": "list", "post": "create"}, "submission-judgments"),
]
