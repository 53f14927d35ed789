"""People for programs, whose room is left of this one: who am I; the operator's list, roles and invitations."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request

from annotation.people import lockout, services
from annotation.people.erasure import erase_person
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken, User
from annotation.people.tokens import SCOPES
from annotation.rest.endpoint import Endpoint, operation, route
from annotation.rest.guards import operators_only
from annotation.rest.serializers import Asked, Sent, Told

REFUSED = {PeopleError: 422}
LARGEST = 2**63 - 1


class KeyTold(Told):
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)))
    expires_at = serializers.DateTimeField()


class PersonTold(Told):
    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True, help_text="that an outside sign-in proves")
    is_active = serializers.BooleanField()
    site_roles = serializers.ListField(child=serializers.CharField())
    last_login = serializers.DateTimeField(allow_null=True)


class MeTold(Told):
    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    site_roles = serializers.ListField(child=serializers.CharField())
    key = KeyTold(allow_null=True)


class PersonSent(Sent):
    username = serializers.CharField(max_length=150)
    name = serializers.CharField(max_length=150)
    is_operator = serializers.BooleanField(default=False)
    is_curator = serializers.BooleanField(default=False)
    may_create_studies = serializers.BooleanField(default=False)


class RolesSent(Sent):
    """Roles that are left out stay as they are."""

    operator = serializers.BooleanField(required=False)
    curator = serializers.BooleanField(required=False)
    study_creator = serializers.BooleanField(required=False)


class ActivitySent(Sent):
    is_active = serializers.BooleanField()


class EmailSent(Sent):
    """Empty takes the address away."""

    email = serializers.CharField(max_length=254, allow_blank=True)


class InvitationTold(Told):
    path = serializers.CharField()


class PauseTold(Told):
    id = serializers.IntegerField(source="attempt_id")
    username = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    failures = serializers.IntegerField()
    until = serializers.DateTimeField()


class PersonAsked(Asked):
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class Me(Endpoint):
    noun = "me"

    @operation(tells=MeTold)
    def show(self, request: Request) -> dict[str, Any]:
        """Who is asking, with which roles and which key."""
        person = self.person
        return {
            "id": person.pk,
            "username": person.username,
            "name": person.name,
            "site_roles": person.site_roles,
            "key": request.auth if isinstance(request.auth, ApiToken) else None,
        }


class People(Endpoint):
    noun = tag = "people"
    scopes = ("people",)
    own_scope_only = True

    @operation(tells=PersonTold, many=True, query=PersonAsked, guard=operators_only)
    def list(self, request: Request) -> QuerySet[User]:
        """Everybody who has an account."""
        people = User.objects.order_by("username")
        wanted = self.asked["is_active"]
        return people if wanted is None else people.filter(is_active=wanted)

    @operation(tells=PersonTold, takes=PersonSent, status=201, guard=operators_only, refuses=REFUSED)
    def create(self, request: Request) -> User:
        """Add a person, who signs in after accepting an invitation."""
        return services.create_person(actor=self.person, **self.body)

    @operation(tells=PersonTold, guard=operators_only)
    def show(self, request: Request, pk: UUID) -> User:
        """One person."""
        return get_object_or_404(User, pk=pk)

    @operation(tells=PersonTold, takes=RolesSent, guard=operators_only, refuses=REFUSED)
    def set_roles(self, request: Request, pk: UUID) -> User:
        """Switch site roles."""
        person = get_object_or_404(User, pk=pk)
        roles = {name.replace("_", "-"): held for name, held in self.body.items()}
        services.set_roles(user=person, roles=roles, actor=self.person)
        return person

    @operation(tells=PersonTold, takes=ActivitySent, guard=operators_only, refuses=REFUSED)
    def set_activity(self, request: Request, pk: UUID) -> User:
        """Close an account, or open it again; what the person did stays."""
        person = get_object_or_404(User, pk=pk)
        if person.is_active != self.body["is_active"]:
            act = services.reactivate_person if self.body["is_active"] else services.deactivate_person
            act(user=person, actor=self.person)
        return person

    @operation(tells=InvitationTold, guard=operators_only, refuses=REFUSED)
    def invite(self, request: Request, pk: UUID) -> dict[str, str]:
        """The one-time address at which the person sets a password; the trail says who made it."""
        person = get_object_or_404(User, pk=pk)
        return {"path": services.make_invitation(user=person, actor=self.person)}

    @operation(tells=PersonTold, takes=EmailSent, guard=operators_only, refuses=REFUSED)
    def set_email(self, request: Request, pk: UUID) -> User:
        """Say which e-mail address an outside sign-in proves."""
        person = get_object_or_404(User, pk=pk)
        services.set_email(user=person, email=self.body["email"], actor=self.person)
        return person

    @operation(status=204, guard=operators_only)
    def end_sessions(self, request: Request, pk: UUID) -> None:
        """Sign a person out on every device; their keys keep working."""
        services.end_sessions(user=get_object_or_404(User, pk=pk), actor=self.person)

    @operation(tells=PersonTold, guard=operators_only, refuses=REFUSED)
    def erase(self, request: Request, pk: UUID) -> User:
        """Let a closed account name nobody any more; there is no way back, and what the person did stays."""
        person = get_object_or_404(User, pk=pk)
        erase_person(user=person, actor=self.person)
        return get_object_or_404(User, pk=pk)


class Pauses(Endpoint):
    noun = "pauses"
    tag = "people"
    scopes = ("people",)
    own_scope_only = True

    @operation(tells=PauseTold, many=True, guard=operators_only)
    def list(self, request: Request) -> list[lockout.Pause]:
        """User names that wait at an address after wrong passwords, newest first."""
        return lockout.paused()

    @operation(status=204, guard=operators_only)
    def lift(self, request: Request, pk: int) -> None:
        """Let a user name try again before its pause ends."""
        if pk > LARGEST:
            raise Http404
        try:
            lockout.lift(attempt_id=pk, actor=self.person)
        except PeopleError as problem:
            raise Http404 from problem


routes = [
    route("me/", Me, {"get": "show"}, "me"),
    route("people/", People, {"get": "list", "post": "create"}, "people"),
    route("people/<uuid:pk>/", People, {"get": "show"}, "person"),
    route("people/<uuid:pk>/roles/", People, {"post": "set_roles"}, "person-roles"),
    route("people/<uuid:pk>/activity/", People, {"post": "set_activity"}, "person-activity"),
    route("people/<uuid:pk>/invitation/", People, {"post": "invite"}, "person-invitation"),
    route("people/<uuid:pk>/email/", People, {"post": "set_email"}, "person-email"),
    route("people/<uuid:pk>/sessions/", People, {"delete": "end_sessions"}, "person-sessions"),
    route("people/<uuid:pk>/erasure/", People, {"post": "erase"}, "person-erasure"),
    route("people/pauses/", Pauses, {"get": "list"}, "pauses"),
    route("people/pauses/<int:pk>/", Pauses, {"delete": "lift"}, "pause"),
]
