"""Who may do what, as the pages have it: strangers meet 404, a role that lacks the act 403."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from annotation.people.models import User


def operators_only(person: User) -> None:
    if not person.is_operator:
        raise PermissionDenied("Only an operator keeps people and roles.")


def sees_items(person: User) -> None:
    if not person.may_see_items:
        raise Http404


def curators_only(person: User) -> None:
    sees_items(person)
    if not person.is_curator:
        raise PermissionDenied("This is a curator's work.")


def creators_only(person: User) -> None:
    sees_items(person)
    if not person.may_create_studies:
        raise PermissionDenied("This is the work of those who may create studies.")
