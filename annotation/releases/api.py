"""Releases for programs: list, what blocks one, freeze, manifest, check."""

from typing import Any

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets.api import seen_dataset
from annotation.datasets.services import refuse_unless_member
from annotation.releases import services
from annotation.releases.errors import FreezeError
from annotation.releases.models import Release
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import curators_only, sees_items
from annotation.rest.serializers import Asked, Sent, Told
from annotation.work.api import JobTold
from annotation.work.models import Job


class ReleaseTold(Told):
    dataset = serializers.CharField(source="dataset.slug")
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=Release.State.values)
    validation = serializers.ChoiceField(choices=Release.Validation.values)
    validation_words = serializers.CharField()
    validation_source = serializers.CharField(allow_blank=True)
    content_hash = serializers.CharField(allow_blank=True)
    frozen_at = serializers.DateTimeField()
    n_items = serializers.IntegerField()


class CompositionTold(Told):
    format = serializers.CharField()
    task = serializers.CharField()
    modality = serializers.CharField(allow_blank=True)
    n = serializers.IntegerField()


class ReleaseDetailTold(ReleaseTold):
    composition = CompositionTold(many=True)


class FreezeSent(Sent):
    version = serializers.CharField(max_length=40)
    validated_elsewhere = serializers.CharField(max_length=300, allow_blank=True, default="")


class BlockersAsked(Asked):
    version = serializers.CharField(max_length=40, required=False, default="")
    validated_elsewhere = serializers.CharField(max_length=300, required=False, default="")


class BlockersTold(Told):
    blockers = serializers.ListField(child=serializers.CharField())


class ManifestImageTold(Told):
    role = serializers.CharField()
    position = serializers.IntegerField()
    sha256 = serializers.CharField()


class ManifestItemTold(Told):
    item = serializers.CharField()
    revision = serializers.IntegerField()
    content_hash = serializers.CharField()
    format = serializers.CharField()
    task = serializers.CharField()
    modality = serializers.CharField(allow_null=True)
    license = serializers.CharField(allow_null=True)
    redistributable = serializers.CharField()
    images = ManifestImageTold(many=True)


class ManifestTold(Told):
    dataset = serializers.CharField()
    version = serializers.CharField()
    content_hash = serializers.CharField()
    validation = serializers.CharField()
    validation_source = serializers.CharField(allow_null=True)
    validation_words = serializers.CharField()
    frozen_at = serializers.DateTimeField()
    n_items = serializers.IntegerField()
    items = ManifestItemTold(many=True)


class VerificationTold(Told):
    problems = serializers.ListField(child=serializers.CharField())


class Releases(Endpoint):
    noun = tag = "releases"
    scopes = ("curate",)

    def _release(self, slug: str, version: str) -> Release:
        releases = Release.objects.visible_to(self.person).select_related("dataset")
        counted = releases.annotate(n_items=Count("release_items"))
        return get_object_or_404(counted, dataset__slug=slug, version=version)

    @operation(tells=ReleaseTold, many=True, guard=sees_items)
    def list(self, request: Request, slug: str) -> QuerySet[Release]:
        """Releases of a dataset, newest first."""
        releases = Release.objects.visible_to(self.person).filter(dataset=seen_dataset(self.person, slug))
        return releases.select_related("dataset").annotate(n_items=Count("release_items")).order_by("-frozen_at")

    @operation(tells=JobTold, takes=FreezeSent, status=202, guard=curators_only, refuses={FreezeError: 422})
    def freeze(self, request: Request, slug: str) -> Job:
        """Freeze what is accepted into a release that never changes; a job does it."""
        return services.ask_for_release(dataset=seen_dataset(self.person, slug), actor=self.person, **self.body)

    @operation(tells=BlockersTold, query=BlockersAsked, guard=curators_only)
    def blockers(self, request: Request, slug: str) -> dict[str, Any]:
        """Why a release cannot be frozen; empty when it can."""
        dataset = seen_dataset(self.person, slug)
        refuse_unless_member(self.person, dataset)
        return {"blockers": services.blockers(dataset=dataset, **self.asked)}

    @operation(tells=ReleaseDetailTold, guard=sees_items)
    def show(self, request: Request, slug: str, version: str) -> Release:
        """One release and what it is made of."""
        release = self._release(slug, version)
        release.composition = services.composition(release)  # type: ignore[attr-defined]
        return release

    @operation(tells=ManifestTold, guard=sees_items)
    def manifest(self, request: Request, slug: str, version: str) -> dict[str, Any]:
        """Every item of a release with the checksums of its words and pictures."""
        return services.manifest(self._release(slug, version))

    @operation(tells=VerificationTold, guard=curators_only)
    def verify(self, request: Request, slug: str, version: str) -> dict[str, Any]:
        """Compute every checksum again; what differs is named, nothing is changed."""
        return {"problems": services.verify_release(self._release(slug, version))}


DATASET = "datasets/<slug:slug>"
RELEASE = f"{DATASET}/releases/<str:version>"
routes = [
    route(f"{DATASET}/releases/", Releases, {"get": "list", "post": "freeze"}, "releases"),
    route(f"{DATASET}/release-blockers/", Releases, {"get": "blockers"}, "release-blockers"),
    route(f"{RELEASE}/", Releases, {"get": "show"}, "release"),
    route(f"{RELEASE}/manifest/", Releases, {"get": "manifest"}, "release-manifest"),
    route(f"{RELEASE}/verification/", Releases, {"post": "verify"}, "release-verification"),
]
