"""Signing in without leaving the page: as the person whose page it is, and nobody else."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from annotation.audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
AGAIN = reverse("annotation:sign-in-again")


def send(client: Client, values: dict, **extra):
    return client.post(AGAIN, json.dumps(values, default=str), content_type="application/json", **extra)


def test_a_page_learns_who_is_signed_in(sign_in, reader):
    nobody = Client().get(AGAIN).json()
    somebody = sign_in(reader).get(AGAIN).json()

    assert (nobody["signed_in"], nobody["user"]) == (False, None)
    assert (somebody["signed_in"], somebody["user"]) == (True, str(reader.pk))
    assert nobody["csrf"] and somebody["csrf"]


def test_the_person_of_the_page_is_back_with_the_password_alone(client, reader):
    answer = send(client, {"user_id": reader.pk, "password": factories.PASSWORD})

    assert answer.status_code == 200
    assert answer.json()["csrf"]
    assert client.get(reverse("home")).status_code == 200
    assert Event.objects.get(verb="signed in").details == {"in_place": True}


def test_the_token_of_the_answer_works_and_the_old_page_gets_a_fresh_one():
    strict = Client(enforce_csrf_checks=True)
    reader = factories.person("reader")
    old = strict.get(AGAIN).json()["csrf"]

    answer = send(strict, {"user_id": reader.pk, "password": factories.PASSWORD}, headers={"X-CSRFToken": old})
    fresh = answer.json()["csrf"]
    with_old = strict.post(reverse("annotation:password-change"), headers={"X-CSRFToken": old})
    with_fresh = strict.post(reverse("annotation:password-change"), headers={"X-CSRFToken": fresh})

    assert answer.status_code == 200
    assert with_old.status_code == 403
    assert with_fresh.status_code == 422
    assert strict.get(AGAIN).json()["signed_in"]


def test_without_a_token_nobody_is_signed_in():
    reader = factories.person("reader")
    strict = Client(enforce_csrf_checks=True)

    assert send(strict, {"user_id": reader.pk, "password": factories.PASSWORD}).status_code == 403


def test_another_person_is_told_whose_page_it_is_not(client, reader, other_reader):
    answer = send(client, {"user_id": reader.pk, "username": "other_reader", "password": factories.PASSWORD})

    assert answer.status_code == 409
    assert "belongs to another person" in answer.json()["error"]
    assert "_auth_user_id" not in client.session


def test_whoever_is_signed_in_elsewhere_in_the_browser_is_not_thrown_out(sign_in, reader, other_reader):
    client = sign_in(other_reader)

    answer = send(client, {"user_id": reader.pk, "password": factories.PASSWORD})

    assert answer.status_code == 409
    assert client.get(AGAIN).json()["user"] == str(other_reader.pk)


@pytest.mark.parametrize("user_id", ["known", "unknown"])
def test_a_wrong_password_and_an_unknown_person_get_the_same_words(client, reader, user_id):
    answer = send(client, {"user_id": reader.pk if user_id == "known" else uuid4(), "password": "wrong"})

    assert answer.status_code == 401
    assert answer.json() == {"error": "User name and password do not match."}


def test_a_closed_account_stays_out(client, reader):
    reader.is_active = False
    reader.save()

    assert send(client, {"user_id": reader.pk, "password": factories.PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
        ("[" * 4000, "not JSON"),
        ('{"user_id": "x"}', "user_id: names no person"),
        ('{"user_id": "%s"}', "password: give"),
        ('{"user_id": "%s", "password": 5}', "password: give"),
        ('{"user_id": "%s", "password": "x", "username": ["a"]}', "username: give a text"),
        ('{"user_id": "%s", "password": "x", "is_operator": true}', "is_operator: unknown field"),
        ('{"password": "' + "x" * 5000 + '"}', "at most 4096 bytes"),
    ],
)
def test_what_cannot_be_read_is_said(client, reader, body, words):
    answer = client.post(AGAIN, body.replace("%s", str(reader.pk)), content_type="application/json")

    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize("username", ["a\0b", "x" * 3000, "\ud800", " "])
def test_a_user_name_that_cannot_be_one_is_a_wrong_one(client, reader, username):
    answer = send(client, {"user_id": reader.pk, "username": username, "password": "x"})

    assert answer.status_code == 401


def test_the_session_key_changes_with_signing_in(client, reader):
    client.get(AGAIN)
    session = client.session
    session["planted"] = "by somebody"
    session.save()
    planted = session.session_key

    send(client, {"user_id": reader.pk, "password": factories.PASSWORD})

    assert client.session.session_key != planted
