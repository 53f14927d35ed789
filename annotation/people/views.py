"""Invitations, passwords, and the operator's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.audit.record import record
from annotation.people import services
from annotation.people.erasure import erase_person
from annotation.people.errors import PeopleError
from annotation.people.forms import STRENGTH_HELP, NewPasswordForm, PersonForm, RolesForm
from annotation.people.models import User
from annotation.people.signing_in import enter

View = Callable[..., HttpResponse]


def operators_only(view: View) -> View:
    """403 for everybody who is not an operator."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.is_operator):
            raise PermissionDenied("Only an operator keeps people and roles.")
        return view(request, *args, **kwargs)

    return guarded


class ChangePassword(PasswordChangeView):
    template_name = "annotation/people/password_form.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"label_suffix": ""}

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["new_password1"].help_text = STRENGTH_HELP
        form.fields["new_password2"].label = "New password again"
        form.fields["new_password2"].help_text = ""
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        record("password changed", actor=_actor(self.request), subject=_actor(self.request))
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


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
        enter(request, user)
        messages.success(request, "Welcome. Your password is set.")
        return redirect("home")
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/people/invitation_form.html", {"form": form, "person": user}, status=status)


@operators_only
@require_safe
def list_people(request: HttpRequest) -> HttpResponse:
    return render(request, "annotation/people/person_list.html", {"people": User.objects.order_by("username")})


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
            return redirect("annotation:person-detail", user.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "annotation/people/person_form.html", {"form": form}, status=status)


@operators_only
@require_safe
def show_person(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _person_page(request, get_object_or_404(User, pk=pk))


def _person_page(request: HttpRequest, person: User, problem: str = "") -> HttpResponse:
    roles = {
        "operator": person.is_operator,
        "curator": person.is_curator,
        "study_creator": person.may_create_studies,
    }
    context = {
        "person": person,
        "form": RolesForm(initial=roles, label_suffix=""),
        "problem": problem,
        "invitation": request.build_absolute_uri(services.invitation_path(person)) if person.is_active else "",
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
