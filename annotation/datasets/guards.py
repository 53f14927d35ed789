"""Who may open the pages of items: those who curate or design; strangers meet 404, a role that lacks the act 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from annotation.people.models import User

View = Callable[..., HttpResponseBase]


def items_visible(view: View) -> View:
    """404 for everybody who may not see items."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (isinstance(request.user, User) and request.user.may_see_items):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def curators_only(view: View) -> View:
    """403 for those who see items and do not curate."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not person(request).is_curator:
            raise PermissionDenied("Importing items is a curator's work.")
        return view(request, *args, **kwargs)

    return items_visible(guarded)


def creators_only(view: View) -> View:
    """403 for those who see items and may not create studies."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not person(request).may_create_studies:
            raise PermissionDenied("Importing outputs is the work of those who may create studies.")
        return view(request, *args, **kwargs)

    return items_visible(guarded)


def person(request: HttpRequest) -> User:
    """The signed-in person of a guarded view."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user
