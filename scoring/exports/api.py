"""Score sheets for programs: ask for one, list them, fetch the file."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.problems import ProblemError
from annotation.rest.serializers import Told
from annotation.work.api import JobTold
from annotation.work.models import Job
from scoring.agreement.api import analyzed_study
from scoring.exports import services
from scoring.exports.models import ExportJob
from scoring.exports.views import CONTENT_TYPE
from scoring.exports.work import ask_for_workbook, stored_path


class ExportTold(Told):
    id = serializers.UUIDField()
    format = serializers.CharField()
    blinded = serializers.BooleanField()
    inputs_hash = serializers.CharField()
    file_sha256 = serializers.CharField()
    chain_sequence = serializers.IntegerField()
    chain_head = serializers.CharField(allow_blank=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    job = serializers.UUIDField(source="job_id", allow_null=True)
    created_at = serializers.DateTimeField()


class Exports(Endpoint):
    noun = tag = "exports"
    scopes = ("study",)

    @operation(tells=ExportTold, many=True)
    def list(self, request: Request, slug: str) -> QuerySet[ExportJob]:
        """Score sheets of a study that were handed out, newest first."""
        exports = analyzed_study(self.person, slug).export_jobs.select_related("requested_by")
        return exports.order_by("-created_at", "id")

    @operation(tells=JobTold, status=202)
    def create(self, request: Request, slug: str) -> Job:
        """Ask for a score sheet as of now; a job makes it, blinded until the study is unblinded."""
        return ask_for_workbook(study=analyzed_study(self.person, slug), actor=self.person)

    @operation(media=(CONTENT_TYPE,))
    def file(self, request: Request, slug: str, pk: UUID) -> Any:
        """The file of a score sheet that a job made."""
        study = analyzed_study(self.person, slug)
        export = get_object_or_404(ExportJob.objects.select_related("study"), study=study, pk=pk)
        if not services.may_fetch(self.person, export):
            raise Http404
        path = stored_path(export)
        if not path.exists():
            raise ProblemError(404, "This file is not kept here; ask for a new one.")
        response = FileResponse(
            path.open("rb"), as_attachment=True, filename=services.file_name(study), content_type=CONTENT_TYPE
        )
        response["X-Checksum-SHA256"] = export.file_sha256
        return response


STUDY = "studies/<slug:slug>"
routes = [
    route(f"{STUDY}/exports/", Exports, {"get": "list", "post": "create"}, "exports"),
    route(f"{STUDY}/exports/<uuid:pk>/file/", Exports, {"get": "file"}, "export-file"),
]
