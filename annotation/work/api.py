"""Jobs for programs: what was asked for, how far it is, stop and go on."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.serializers import Asked, Told
from annotation.work import services
from annotation.work.errors import WorkError
from annotation.work.models import Job
from annotation.work.progress import progress_of


class JobTold(Told):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=Job.State.values)
    cancel_requested = serializers.BooleanField()
    failure = serializers.CharField(allow_blank=True)
    result = serializers.JSONField()
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ProgressTold(Told):
    done_units = serializers.IntegerField()
    units = serializers.IntegerField()
    failed_units = serializers.IntegerField()
    failed_chunks = serializers.IntegerField()
    unit = serializers.CharField()
    seconds_left = serializers.FloatField(allow_null=True)


class JobDetailTold(JobTold):
    progress = ProgressTold()


class JobAsked(Asked):
    state = serializers.ChoiceField(choices=Job.State.values, required=False)
    kind = serializers.CharField(max_length=32, required=False)


class Jobs(Endpoint):
    noun = tag = "jobs"
    scopes = ("curate", "submit", "study")

    def _job(self, pk: UUID) -> Job:
        return get_object_or_404(Job.objects.visible_to(self.person).select_related("requested_by"), pk=pk)

    @operation(tells=JobTold, many=True, query=JobAsked)
    def list(self, request: Request) -> QuerySet[Job]:
        """Jobs you asked for, newest first; an operator sees everybody's."""
        jobs = Job.objects.visible_to(self.person).select_related("requested_by")
        for name in ("state", "kind"):
            if name in self.asked:
                jobs = jobs.filter(**{name: self.asked[name]})
        return jobs.order_by("-created_at", "id")

    @operation(tells=JobDetailTold)
    def show(self, request: Request, pk: UUID) -> Job:
        """One job and how far it is."""
        return _with_progress(self._job(pk))

    @operation(tells=JobDetailTold, refuses={WorkError: 409})
    def cancel(self, request: Request, pk: UUID) -> Job:
        """Stop a job; what is done stays."""
        return _with_progress(services.cancel(self._own(pk), self.person))

    @operation(tells=JobDetailTold, refuses={WorkError: 409})
    def resume(self, request: Request, pk: UUID) -> Job:
        """Let a canceled or failed job go on."""
        return _with_progress(services.resume(self._own(pk), self.person))

    def _own(self, pk: UUID) -> Job:
        job = self._job(pk)
        if not (self.person.is_operator or job.requested_by_id == self.person.pk):
            raise PermissionDenied("Only who asked for a job and operators act on it.")
        return job


def _with_progress(job: Any) -> Job:
    job.progress = progress_of(job)
    found: Job = job
    return found


routes = [
    route("jobs/", Jobs, {"get": "list"}, "jobs"),
    route("jobs/<uuid:pk>/", Jobs, {"get": "show"}, "job"),
    route("jobs/<uuid:pk>/cancel/", Jobs, {"post": "cancel"}, "job-cancel"),
    route("jobs/<uuid:pk>/resume/", Jobs, {"post": "resume"}, "job-resume"),
]
