"""Sessions: when they end, what renews their key, and what other sites cannot do."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.audit.models import Event
from annotation.people import services
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db
HOME, SIGN_IN = reverse("home"), reverse("annotation:sign-in")


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def test_signing_in_gives_a_new_session_and_a_new_token(client, reader):
    client.get(SIGN_IN)
    session = client.session
    session["planted"] = "by somebody"
    session.save()
    planted, token = session.session_key, client.cookies["csrftoken"].value

    client.post(SIGN_IN, {"username": "reader", "password": factories.PASSWORD})

    assert client.session.session_key != planted
    assert client.cookies["csrftoken"].value != token
    assert Client(headers={"cookie": f"sessionid={planted}"}).get(HOME).status_code == 302


def test_a_session_that_signed_out_is_dead(client, reader):
    client.post(SIGN_IN, {"username": "reader", "password": factories.PASSWORD})
    copied = client.cookies["sessionid"].value

    client.post(reverse("annotation:sign-out"))

    assert Client(headers={"cookie": f"sessionid={copied}"}).get(HOME).status_code == 302
    assert Event.objects.filter(verb="signed out", actor=str(reader.pk)).exists()


def test_signing_out_is_an_act_not_a_link(sign_in, reader):
    client = sign_in(reader)

    assert client.get(reverse("annotation:sign-out")).status_code == 405
    assert is_in(client)


def test_a_person_ends_all_other_sessions_and_keeps_this_one(sign_in, reader):
    here, there = sign_in(reader), sign_in(reader)
    key = here.session.session_key

    answer = here.post(reverse("annotation:account-sign-out"))

    assert answer.status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert here.session.session_key != key
    assert Event.objects.filter(verb="sessions ended", subject_id=str(reader.pk)).exists()


def test_an_operator_signs_somebody_out_everywhere(sign_in, operator, reader):
    clients = [sign_in(reader), sign_in(reader)]

    sign_in(operator).post(reverse("annotation:person-sign-out", args=[reader.pk]))

    assert [is_in(client) for client in clients] == [False, False]


def test_an_operator_may_end_the_own_sessions_too(sign_in, operator):
    client = sign_in(operator)

    answer = client.post(reverse("annotation:person-sign-out", args=[operator.pk]))

    assert answer.url == SIGN_IN
    assert not is_in(client)


def test_a_password_set_by_an_operator_ends_every_session(sign_in, reader):
    client = sign_in(reader)

    services.set_password(user=reader, password="another long phrase", actor=None)

    assert not is_in(client)


def test_an_account_that_is_opened_again_does_not_revive_old_sessions(sign_in, operator, reader):
    client = sign_in(reader)

    services.deactivate_person(user=reader, actor=operator)
    closed = is_in(client)
    services.reactivate_person(user=reader, actor=operator)

    assert (closed, is_in(client)) == (False, False)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("is_operator", "annotation:person-list"),
        ("is_curator", "annotation:dataset-list"),
        ("may_create_studies", "annotation:system-list"),
    ],
)
def test_a_role_that_is_taken_or_given_counts_with_the_next_request(sign_in, reader, role, place):
    client, url = sign_in(reader), reverse(place)
    answers = [client.get(url).status_code]
    for held in (True, False):
        User.objects.filter(pk=reader.pk).update(**{role: held})
        answers.append(client.get(url).status_code)

    assert answers[1] == 200
    assert answers[0] == answers[2] != 200


@pytest.mark.parametrize("name", ["annotation:sign-in", "annotation:sign-in-again", "annotation:sign-out"])
def test_another_site_cannot_post(reader, name):
    strict = Client(enforce_csrf_checks=True)
    token = strict.get(reverse("annotation:sign-in-again")).json()["csrf"]
    sent = {"username": "reader", "password": factories.PASSWORD, "user_id": str(reader.pk)}

    foreign = strict.post(
        reverse(name), sent, headers={"X-CSRFToken": token, "Origin": "https://evil.example", "HX-Request": "true"}
    )

    assert foreign.status_code == 403
    assert "_auth_user_id" not in strict.session


def test_a_stolen_token_without_its_cookie_is_worthless(reader):
    token = Client().get(reverse("annotation:sign-in-again")).json()["csrf"]
    thief = Client(enforce_csrf_checks=True)

    answer = thief.post(
        SIGN_IN, {"username": "reader", "password": factories.PASSWORD}, headers={"X-CSRFToken": token}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "testserver@evil.example", "evil:80@x"])
def test_a_forged_host_is_refused(client, host):
    assert client.get(SIGN_IN, headers={"host": host}).status_code == 400


def test_pages_cannot_be_framed_and_cookies_are_out_of_reach_of_scripts(client, reader):
    answer = client.post(SIGN_IN, {"username": "reader", "password": factories.PASSWORD})
    page = client.get(HOME)

    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    cookie = answer.cookies["sessionid"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert answer.cookies["medgen_known"]["httponly"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "///evil.example", "/\\evil.example", "http:evil.example", "\thttps://evil.example"]
)
def test_no_way_of_writing_it_leads_elsewhere(client, reader, target):
    answer = client.post(SIGN_IN, {"username": "reader", "password": factories.PASSWORD, "next": target})

    assert answer.url == HOME


def test_the_way_back_inside_is_kept(client, reader):
    answer = client.post(SIGN_IN, {"username": "reader", "password": factories.PASSWORD, "next": "/studies/"})

    assert answer.url == "/studies/"
