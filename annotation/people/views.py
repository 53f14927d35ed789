"""Invitations, and the operator's pages of people."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.people import lockout, services
from annotation.people.erasure import erase_person
from annotation.people.errors import PeopleError
from annotation.people.forms import NewPasswordForm, PersonForm, RolesForm
from annotation.people.models import User
from annotation.people.signing_in import let_in

View = Callable[..., HttpResponse]
INVITATION = "invitation to show"  # key in the session


def operators_only(view: View) -> View:
    """403 for everybody who is not an operator."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.is_operator):
            raise PermissionDenied("Only an operator keeps people and roles.")
        return view(request, *args, **kwargs)

    return guarded


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    user = services.invited_person(uid, token)
    if user is None:
        return render(request, "annotation/people/invitation_ended.html", status=410)
    form = NewPasswordForm(user, request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        services.set_password(user=user, password=form.cleaned_data["password"], actor=user)
        messages.success(request, "Welcome. Your password is set.")
        return let_in(request, user, reverse("home"))
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/people/invitation_form.html", {"form": form, "person": user}, status=status)


@operators_only
@require_safe
def list_people(request: HttpRequest) -> HttpResponse:
    context = {"people": User.objects.order_by("username"), "pauses": lockout.paused()}
    return render(request, "annotation/people/person_list.html", context)


@operators_only
@require_POST
def lift_pause(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        lockout.lift(attempt_id=pk, actor=_actor(request))
    except PeopleError as problem:
        messages.info(request, f"Nothing to lift: {problem}.")
    else:
        messages.success(request, "The pause is lifted.")
    return redirect("annotation:person-list")


@operators_only
@require_http_methods(["GET", "POST"])
def create_person(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_person(actor=_actor(request), **form.cleaned_data)
        except PeopleError as problem:
            form.add_error("username", str(problem))
        else:
            messages.success(request, f"{user} is added. Give them the invitation below.")
            return _with_invitation(request, user)
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/people/person_form.html", {"form": form}, status=status)


@operators_only
@require_safe
def show_person(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    path = request.session.pop(INVITATION, {}).get(str(pk), "") if person.is_active else ""
    return _person_page(request, person, invitation=request.build_absolute_uri(path) if path else "")


@operators_only
@require_POST
def invite_person(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Make a one-time link and show it once; the trail says who made it for whom."""
    person = get_object_or_404(User, pk=pk)
    try:
        return _with_invitation(request, person)
    except PeopleError as problem:
        return _person_page(request, person, str(problem))


def _with_invitation(request: HttpRequest, person: User) -> HttpResponse:
    path = services.make_invitation(user=person, actor=_actor(request))
    request.session[INVITATION] = {str(person.pk): path}
    return redirect("annotation:person-detail", person.pk)


@operators_only
@require_POST
def change_email(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    try:
        services.set_email(user=person, email=request.POST.get("email", ""), actor=_actor(request))
    except PeopleError as problem:
        return _person_page(request, get_object_or_404(User, pk=pk), str(problem))
    messages.success(request, f"The e-mail of {person} is saved.")
    return redirect("annotation:person-detail", pk)


@operators_only
@require_POST
def end_sessions(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    services.end_sessions(user=person, actor=_actor(request))
    if person.pk == _actor(request).pk:
        return redirect("annotation:sign-in")
    messages.success(request, f"{person} is signed out everywhere.")
    return redirect("annotation:person-detail", pk)


def _person_page(request: HttpRequest, person: User, problem: str = "", *, invitation: str = "") -> HttpResponse:
    roles = {
        "operator": person.is_operator,
        "curator": person.is_curator,
        "study_creator": person.may_create_studies,
    }
    context = {
        "person": person,
        "form": RolesForm(initial=roles, label_suffix=""),
        "problem": problem,
        "invitation": invitation,
    }
    return render(request, "annotation/people/person_detail.html", context, status=422 if problem else 200)


@operators_only
@require_POST
def change_roles(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    form = RolesForm(request.POST)
    form.is_valid()
    try:
        services.set_roles(user=person, roles=form.roles(), actor=_actor(request))
    except PeopleError as problem:
        return _person_page(request, get_object_or_404(User, pk=pk), str(problem))
    messages.success(request, f"Roles of {person} are saved.")
    return redirect("annotation:person-detail", pk)


@operators_only
@require_POST
def change_activity(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    act = services.deactivate_person if person.is_active else services.reactivate_person
    try:
        act(user=person, actor=_actor(request))
    except PeopleError as problem:
        return _person_page(request, person, str(problem))
    messages.success(request, f"{person} is {'active again' if person.is_active else 'deactivated'}.")
    return redirect("annotation:person-detail", pk)


@operators_only
@require_POST
def erase(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    try:
        erase_person(user=person, actor=_actor(request))
    except PeopleError as problem:
        return _person_page(request, person, str(problem))
    messages.success(request, "The account names nobody any more. What it graded and reviewed stays.")
    return redirect("annotation:person-detail", pk)


def _actor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user
