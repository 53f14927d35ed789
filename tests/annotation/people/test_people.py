"""Accounts: creating, inviting, roles, deactivation, passwords, by page, service and command."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.people import services
from annotation.people.errors import PeopleError
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("people", *arguments, stdout=out)
    return out.getvalue()


def test_a_person_can_sign_in_with_the_password_given(client):
    services.create_person(username="anna", name="Anna", actor=None, password=factories.PASSWORD)

    answer = client.post(reverse("annotation:sign-in"), {"username": "anna", "password": factories.PASSWORD})

    assert answer.status_code == 302
    assert Event.objects.get(verb="person created").actor == ""


def test_a_wrong_password_is_refused_and_recorded_without_the_name(client, reader):
    answer = client.post(reverse("annotation:sign-in"), {"username": "reader", "password": "wrong"})

    assert answer.status_code == 422
    event = Event.objects.get(verb="sign-in failed")
    assert "reader" not in str(event.details)


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client, reader, target):
    answer = client.post(
        f"{reverse('annotation:sign-in')}?next={target}", {"username": "reader", "password": factories.PASSWORD}
    )

    assert answer.url == reverse("home")


def test_a_user_name_is_taken_regardless_of_case(reader):
    with pytest.raises(PeopleError, match="'READER' is taken"):
        services.create_person(username="READER", name="x", actor=None)


@pytest.mark.parametrize("password", ["short", "1234567890123", "password1234"])
def test_a_weak_password_is_refused_with_the_rule(password):
    with pytest.raises(PeopleError, match="password: "):
        services.create_person(username="anna", name="Anna", actor=None, password=password)

    assert not User.objects.exists()


def test_an_invitation_works_once(client, operator):
    user = services.create_person(username="anna", name="Anna", actor=operator)
    path = services.invitation_path(user)

    first = client.post(path, {"password": factories.PASSWORD, "again": factories.PASSWORD})
    client.logout()
    second = client.get(path)

    assert first.status_code == 302
    assert second.status_code == 410


def test_an_invitation_with_two_different_passwords_says_so(client, operator):
    user = services.create_person(username="anna", name="Anna", actor=operator)

    answer = client.post(
        services.invitation_path(user), {"password": factories.PASSWORD, "again": "other words here"}
    )

    assert answer.status_code == 422
    assert b"The two passwords differ." in answer.content
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.parametrize("token", ["x", "../../etc", "aaaa-bbbb", "%00"])
def test_a_made_up_invitation_ends_politely(client, token):
    answer = client.get(f"/invitation/QQ/{token}/")

    assert answer.status_code in {404, 410}


def test_a_deactivated_person_is_out_with_the_next_request(client, operator, reader):
    client.force_login(reader)

    services.deactivate_person(user=reader, actor=operator)

    assert client.get(reverse("home")).status_code == 302


def test_the_last_operator_stays(operator):
    with pytest.raises(PeopleError, match="last active operator"):
        services.deactivate_person(user=operator, actor=operator)
    with pytest.raises(PeopleError, match="last active operator"):
        services.set_roles(user=operator, roles={"operator": False}, actor=operator)


def test_operators_create_people_in_the_browser(sign_in, operator):
    answer = sign_in(operator).post(
        reverse("annotation:person-create"), {"username": "anna", "name": "Anna", "is_curator": "on"}, follow=True
    )

    assert b"/invitation/" in answer.content
    assert User.objects.get(username="anna").is_curator


def test_a_taken_name_is_said_in_the_form(sign_in, operator, reader):
    answer = sign_in(operator).post(reverse("annotation:person-create"), {"username": "Reader", "name": "x"})

    assert answer.status_code == 422
    assert b"is taken" in answer.content


def test_roles_and_activity_are_switched_in_the_browser(sign_in, operator, reader):
    client = sign_in(operator)

    client.post(reverse("annotation:person-roles", args=[reader.pk]), {"curator": "on"})
    client.post(reverse("annotation:person-activity", args=[reader.pk]))

    reader.refresh_from_db()
    assert reader.is_curator and not reader.is_active
    assert Event.objects.filter(verb="roles set", actor=str(operator.pk)).exists()


def test_the_last_operator_is_told_why_nothing_changed(sign_in, operator):
    answer = sign_in(operator).post(reverse("annotation:person-activity", args=[operator.pk]))

    assert answer.status_code == 422
    assert b"last active operator" in answer.content


def test_a_changed_password_ends_other_sessions(sign_in, reader):
    here, elsewhere = sign_in(reader), sign_in(reader)

    here.post(
        reverse("annotation:password-change"),
        {
            "old_password": factories.PASSWORD,
            "new_password1": "a brand new phrase",
            "new_password2": "a brand new phrase",
        },
    )

    assert here.get(reverse("home")).status_code == 200
    assert elsewhere.get(reverse("home")).status_code == 302


def test_the_command_adds_lists_and_switches(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{factories.PASSWORD}\n"))

    run("add", "anna", "--operator", "--password-stdin")
    run("roles", "anna", "curator")
    rows = json.loads(run("--json", "list"))

    assert rows == [{"username": "anna", "name": "anna", "roles": ["operator", "curator"], "active": True}]


def test_the_command_invites_and_resets():
    assert "/invitation/" in run("invite", "bob")
    assert "/invitation/" in run("reset", "bob")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deactivate", "nobody"], "'nobody' is unknown"),
        (["invite", "a b"], "user name"),
        (["roles", "reader", "emperor"], "'emperor' is not one of"),
    ],
)
def test_the_command_says_what_is_wrong(reader, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_the_trail_cannot_be_changed(operator):
    services.create_person(username="anna", name="Anna", actor=operator)

    with pytest.raises(AppendOnlyError):
        Event.objects.update(verb="nothing")
    with pytest.raises(AppendOnlyError):
        Event.objects.all().delete()


def test_the_link_of_an_invitation_leads_to_where_the_product_is_served():
    assert "https://grade.example.org/invitation/" in run("--url", "https://grade.example.org/", "invite", "bob")
