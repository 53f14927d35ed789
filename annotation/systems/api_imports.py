"""Imports for programs: upload outputs, confirm or give up an upload, what became of every import."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets import import_views as of_items
from annotation.datasets.api import PreviewTold, ProblemRowTold, preview
from annotation.datasets.errors import DatasetError, ImportInterruptedError
from annotation.datasets.jobs import ImportSummary
from annotation.datasets.models import Dataset, ImportJob, ImportProblem
from annotation.datasets.uploads import Upload, discard_upload, find_upload, stage_upload
from annotation.datasets.work import ask_for_items
from annotation.formats import LAYOUTS
from annotation.people.models import User
from annotation.releases.models import Release
from annotation.rest.endpoint import Endpoint, form_refusal, operation, route
from annotation.rest.guards import creators_only, sees_items
from annotation.rest.parsing import UploadParser
from annotation.rest.serializers import Asked, Sent, Told
from annotation.systems.forms import OutputUploadForm
from annotation.systems.import_views import KIND
from annotation.systems.importing import import_outputs
from annotation.systems.models import Submission, System, datasets_read_by, imports_seen_by
from annotation.systems.work import ask_for_outputs
from annotation.work.api import JobTold
from annotation.work.models import Job

REFUSED = {DatasetError: 422, ImportInterruptedError: 409}


class OutputUploadSent(Sent):
    file = serializers.FileField()
    destination = serializers.CharField(max_length=101, help_text="DATASET@VERSION of a release, or DATASET alone")
    system = serializers.CharField(max_length=60, help_text="a system you see, or the short name of a new one")
    version = serializers.CharField(max_length=60, allow_blank=True, default="")
    name = serializers.CharField(max_length=120, allow_blank=True, default="", help_text="of a new system")
    kind = serializers.ChoiceField(choices=System.Kind.values, required=False, help_text="of a new system")
    layout = serializers.ChoiceField(choices=list(LAYOUTS), default="auto")


class ImportTold(Told):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ImportJob.Kind.values)
    dataset = serializers.CharField(source="dataset.slug")
    layout = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=ImportJob.State.values)
    failure = serializers.CharField(allow_blank=True)
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField()
    quarantined = serializers.IntegerField(help_text="images that wait for a curator's verdict")
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    submission = serializers.UUIDField(allow_null=True)
    job = serializers.UUIDField(source="job_id", allow_null=True)
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportAsked(Asked):
    kind = serializers.ChoiceField(choices=ImportJob.Kind.values, required=False)
    dataset = serializers.SlugField(max_length=60, required=False)
    state = serializers.ChoiceField(choices=ImportJob.State.values, required=False)


def look_at_outputs(upload: Upload, person: User) -> ImportSummary:
    said = upload.said
    return import_outputs(
        path=upload.path,
        dataset_slug=said["dataset"],
        release_version=said["release"],
        system_slug=said["slug"],
        system_name=said["name"],
        system_version=said["version"],
        system_kind=said["kind"],
        actor=person,
        layout=said["layout"],
        dry_run=True,
        prepared=upload.folder / "prepared",
    )


def _seen(person: User) -> QuerySet[ImportJob]:
    seen = Submission.objects.visible_to(person).filter(import_job=OuterRef("pk")).order_by("number")
    imports = imports_seen_by(person).annotate(submission=Subquery(seen.values("pk")[:1]))
    return imports.select_related("dataset", "requested_by").order_by("-started_at", "id")


class OutputUploads(Endpoint):
    noun = "output_uploads"
    tag = "imports"
    scopes = ("submit",)
    parser_classes = [UploadParser]

    @operation(tells=PreviewTold, takes=OutputUploadSent, guard=creators_only, refuses=REFUSED, long=True)
    def create(self, request: Request) -> dict[str, Any]:
        """Upload outputs and see what importing them would do; nothing is written before it is confirmed."""
        form = self._form()
        if not form.is_valid():
            raise form_refusal(form)
        upload = stage_upload(form.cleaned_data["file"], owner=self.person, kind=KIND, said=form.said())
        try:
            return preview(upload, KIND, look_at_outputs(upload, self.person))
        except DatasetError:
            discard_upload(upload)
            raise

    def _form(self) -> OutputUploadForm:
        """The page's form: nothing of a dataset that this person is to read blind can be chosen."""
        person, said = self.person, dict(self.body)
        blind = datasets_read_by(person)
        systems = System.objects.visible_to(person)
        slug = said.pop("system")
        known = systems.filter(slug=slug).exists()
        said |= {"system": slug if known else "", "new_system": "" if known else slug}
        return OutputUploadForm(
            said,
            {"file": said.pop("file")},
            datasets=Dataset.objects.visible_to(person).exclude(pk__in=blind),
            releases=Release.objects.visible_to(person).exclude(dataset__in=blind).select_related("dataset"),
            systems=systems,
        )


class Imports(Endpoint):
    noun = tag = "imports"
    scopes = ("curate", "submit")

    @operation(tells=ImportTold, many=True, query=ImportAsked, guard=sees_items)
    def list(self, request: Request) -> QuerySet[ImportJob]:
        """Imports you see, newest first."""
        imports = _seen(self.person)
        if "kind" in self.asked:
            imports = imports.filter(kind=self.asked["kind"])
        if "dataset" in self.asked:
            imports = imports.filter(dataset__slug=self.asked["dataset"])
        if "state" in self.asked:
            imports = imports.filter(state=self.asked["state"])
        return imports

    @operation(tells=ImportTold, guard=sees_items)
    def show(self, request: Request, pk: UUID) -> ImportJob:
        """One import: every line ended as new, changed, unchanged or refused."""
        return get_object_or_404(_seen(self.person), pk=pk)

    @operation(tells=ProblemRowTold, many=True, guard=sees_items)
    def list_problems(self, request: Request, pk: UUID) -> QuerySet[ImportProblem]:
        """What was wrong, by file, line, field and value."""
        return get_object_or_404(imports_seen_by(self.person), pk=pk).problems.order_by("id")

    @operation(tells=JobTold, status=202, guard=sees_items, refuses=REFUSED)
    def confirm(self, request: Request, pk: UUID) -> Job:
        """Import what was uploaded and looked at; a job does it."""
        upload, kind = self._upload(pk)
        ask = ask_for_items if kind == of_items.KIND else ask_for_outputs
        return ask(upload=upload, actor=self.person)

    @operation(status=204, guard=sees_items)
    def discard(self, request: Request, pk: UUID) -> None:
        """Give an upload up; nothing was imported."""
        discard_upload(self._upload(pk)[0])

    def _upload(self, pk: UUID) -> tuple[Upload, str]:
        """An own upload, if this person and key may still do what it is for."""
        for kind, scope, held in (
            (of_items.KIND, "curate", self.person.is_curator),
            (KIND, "submit", self.person.may_create_studies),
        ):
            upload = find_upload(str(pk), owner=self.person, kind=kind)
            if upload is not None and held:
                self.need_scope(scope)
                return upload, kind
        raise Http404


routes = [
    route("imports/outputs/", OutputUploads, {"post": "create"}, "output-uploads"),
    route("imports/", Imports, {"get": "list"}, "imports"),
    route("imports/<uuid:pk>/", Imports, {"get": "show"}, "import"),
    route("imports/<uuid:pk>/problems/", Imports, {"get": "list_problems"}, "import-problems"),
    route("uploads/<uuid:pk>/", Imports, {"delete": "discard"}, "upload"),
    route("uploads/<uuid:pk>/confirm/", Imports, {"post": "confirm"}, "upload-confirm"),
]
