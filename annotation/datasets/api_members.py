"""Members of datasets for programs: who is in one, adding and removing them, closing and opening it."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.datasets import services
from annotation.datasets.errors import DatasetError
from annotation.datasets.models import Dataset, DatasetMember
from annotation.people.models import User
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.problems import FieldError, ProblemError, shown
from annotation.rest.serializers import Sent, Told

REFUSED = {DatasetError: 422}
ROLES = DatasetMember.Role.values


class MemberTold(Told):
    person = serializers.UUIDField(source="user_id")
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.name", allow_blank=True)
    role = serializers.ChoiceField(choices=ROLES)
    added_by = serializers.CharField(source="added_by.username", default=None, allow_null=True)
    added_at = serializers.DateTimeField()


class MemberSent(Sent):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=ROLES)


class AccessTold(Told):
    slug = serializers.CharField()
    members_only = serializers.BooleanField()


class AccessSent(Sent):
    members_only = serializers.BooleanField()


class Members(Endpoint):
    noun = "members"
    tag = "datasets"
    scopes = ("curate", "people")

    def _dataset(self, slug: str) -> Dataset:
        """A dataset this person sees or keeps; 404 for strangers."""
        seen, kept = Dataset.objects.visible_to(self.person), Dataset.objects.kept_by(self.person)
        return get_object_or_404(Dataset.objects.filter(Q(pk__in=seen) | Q(pk__in=kept)), slug=slug)

    def _kept(self, slug: str) -> Dataset:
        """404 for strangers, 403 for those who see the dataset and do not keep it."""
        dataset = self._dataset(slug)
        if not Dataset.objects.kept_by(self.person).filter(pk=dataset.pk).exists():
            raise PermissionDenied("Its curators and the operator say who is in a dataset.")
        return dataset

    @operation(tells=MemberTold, many=True)
    def list(self, request: Request, slug: str) -> QuerySet[DatasetMember]:
        """Members of a dataset; they alone see it while it is closed."""
        members = self._dataset(slug).members.select_related("user", "added_by")
        return members.order_by("role", "user__username")

    @operation(tells=MemberTold, takes=MemberSent, status=201, refuses=REFUSED)
    def add(self, request: Request, slug: str) -> DatasetMember:
        """Let a person into a dataset, or give a member the other role."""
        dataset, name = self._kept(slug), self.body["username"]
        user = User.objects.filter(username=name).first()
        if user is None:
            error = FieldError("username", shown(name), "nobody has this user name")
            raise ProblemError(422, f"username: {error.value}: {error.rule}.", errors=[error])
        return services.add_member(dataset=dataset, user=user, role=self.body["role"], actor=self.person)

    @operation(status=204, refuses=REFUSED)
    def remove(self, request: Request, slug: str, person: UUID) -> None:
        """Take a person out of a dataset; what they did in it stays."""
        dataset = self._kept(slug)
        member = User.objects.filter(pk=person, dataset_memberships__dataset=dataset).first()
        if member is None:
            raise Http404
        services.remove_member(dataset=dataset, user=member, actor=self.person)

    @operation(tells=AccessTold, takes=AccessSent, refuses=REFUSED)
    def set_access(self, request: Request, slug: str) -> Any:
        """Close a dataset to all but its members, or open it to everybody who sees items."""
        return services.set_members_only(
            dataset=self._kept(slug), members_only=self.body["members_only"], actor=self.person
        )


DATASET = "datasets/<slug:slug>"
routes = [
    route(f"{DATASET}/members/", Members, {"get": "list", "post": "add"}, "members"),
    route(f"{DATASET}/members/<uuid:person>/", Members, {"delete": "remove"}, "member"),
    route(f"{DATASET}/access/", Members, {"post": "set_access"}, "dataset-access"),
]
