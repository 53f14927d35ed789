"""Run by test_switches.py with MEDGEN_OIDC_… set: signing in through a provider on this machine."""

import os
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client
from django.urls import reverse

from annotation.audit.models import Event
from annotation.people.models import User
from tests import factories
from tests.annotation.people.switched.provider import SECRET, Provider, providing

pytestmark = pytest.mark.django_db
BEGIN = reverse("openid_connect_login", args=["provider"])
BACK = reverse("openid_connect_callback", args=["provider"])
HOME = reverse("home")


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with providing(int(os.environ["MEDGEN_OIDC_ISSUER"].rsplit(":", 1)[1])) as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.reset()
    return running


@pytest.fixture
def known(db) -> User:
    return factories.person("reader", email="Reader@Example.org")


def sent_there(client: Client, next_page: str = "") -> dict[str, str]:
    answer = client.get(BEGIN, {"next": next_page} if next_page else {})
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.url).query).items()}


def sign_in(client: Client, provider: Provider, next_page: str = ""):
    query = sent_there(client, next_page)
    return client.get(BACK, {"code": provider.authorize(query), "state": query["state"]})


def test_the_page_offers_it_by_name(client):
    page = client.get(reverse("annotation:sign-in"))

    assert b"Sign in with Hospital login" in page.content
    assert BEGIN.encode() in page.content


def test_what_is_asked_for_has_state_nonce_and_a_challenge(client, provider):
    query = sent_there(client)

    assert query["response_type"] == "code"
    assert set(query["scope"].split()) == {"openid", "profile", "email"}
    assert query["code_challenge_method"] == "S256"
    assert len(query["nonce"]) == 32 and query["state"] and query["redirect_uri"].endswith(BACK)
    assert SECRET not in str(query)


def test_a_person_with_the_verified_address_is_in_and_tied(client, provider, known):
    answer = sign_in(client, provider, "/studies/")

    assert answer.url == "/studies/"
    assert client.session["_auth_user_id"] == str(known.pk)
    verbs = list(Event.objects.values_list("verb", flat=True))
    assert verbs == ["outside account tied", "signed in"]
    assert "reader@example" not in str(list(Event.objects.values())).lower()


def test_a_tied_account_stays_the_same_person_when_the_address_changes(client, provider, known):
    sign_in(client, provider)
    provider.person |= {"email": "new-name@example.org"}
    again = Client()

    sign_in(again, provider)

    assert again.session["_auth_user_id"] == str(known.pk)


@pytest.mark.parametrize(
    "person",
    [
        {"email": "nobody@example.org"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
        {"email": "reader@example.org.evil.example"},
        {"email": ""},
    ],
)
def test_who_is_not_known_by_a_verified_address_stays_out_and_gets_no_account(client, provider, known, person):
    provider.person |= person

    answer = sign_in(client, provider)

    assert answer.status_code == 403
    assert b"Ask an operator to add it" in answer.content
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1
    assert Event.objects.get().verb == "sign-in outside refused"


def test_a_closed_account_stays_out(client, provider, known):
    sign_in(Client(), provider)
    User.objects.update(is_active=False)

    assert sign_in(client, provider).status_code == 403
    provider.person |= {"sub": "p-2"}
    assert sign_in(client, provider).status_code == 403
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": ""},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["medgen", "another"], "azp": "another"},
        {"exp": 1},
        {"iat": 99999999999},
        {"sub": ""},
    ],
)
def test_a_token_made_for_something_else_is_refused(client, provider, known, claims):
    provider.claims |= claims

    _refused(client, provider)


def _refused(client: Client, provider: Provider) -> None:
    answer = sign_in(client, provider)
    assert answer.status_code == 403, answer.content
    assert b"did not work out" in answer.content
    assert "_auth_user_id" not in client.session
    assert Event.objects.last().verb == "sign-in outside failed"


@pytest.mark.parametrize("claim", ["nonce", "iss", "aud", "exp", "iat", "sub"])
def test_a_token_without_what_it_must_say_is_refused(client, provider, known, claim):
    provider.dropped.add(claim)

    _refused(client, provider)


def test_a_token_signed_by_somebody_else_is_refused(client, provider, known):
    provider.signs_with = provider.other_key

    _refused(client, provider)


def test_a_token_signed_by_an_unknown_key_is_refused(client, provider, known):
    provider.key_id = "k2"

    _refused(client, provider)


@pytest.mark.parametrize(("algorithm", "key"), [("none", None), ("HS256", "x" * 40)])
def test_a_token_without_a_real_signature_is_refused(client, provider, known, algorithm, key):
    provider.algorithm, provider.signs_with = algorithm, key

    _refused(client, provider)


@pytest.mark.parametrize(
    "config",
    [{"issuer": "https://evil.example"}, {"issuer": None}],
)
def test_a_provider_that_says_it_is_another_is_refused(client, provider, known, config):
    provider.config |= config

    assert client.get(BEGIN).status_code == 403
    assert Event.objects.get().verb == "sign-in outside failed"


@pytest.mark.parametrize("missing", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_that_says_too_little_is_refused_in_words(client, provider, known, missing):
    provider.config |= {missing: None}

    assert client.get(BEGIN).status_code == 403


def test_an_answer_works_once(client, provider, known):
    query = sent_there(client)
    code = provider.authorize(query)
    client.get(BACK, {"code": code, "state": query["state"]})
    client.post(reverse("annotation:sign-out"))

    assert client.get(BACK, {"code": code, "state": query["state"]}).status_code == 403


def test_an_answer_of_another_session_is_refused(client, provider, known):
    query = sent_there(Client())

    answer = client.get(BACK, {"code": provider.authorize(query), "state": query["state"]})

    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("query", [{}, {"code": "x"}, {"error": "access_denied"}, {"state": "\0", "code": "x"}])
def test_an_answer_that_is_none_is_refused_in_words(client, provider, query):
    assert client.get(BACK, query).status_code == 403


def test_giving_up_there_is_no_error_here(client, provider):
    query = sent_there(client)

    answer = client.get(BACK, {"error": "access_denied", "state": query["state"]})

    assert answer.status_code == 403 and b"Try again" in answer.content


def test_a_broken_answer_of_the_provider_is_not_ours(client, provider, known):
    provider.status = 500

    assert sign_in(client, provider).status_code == 403


def test_the_address_may_come_from_the_second_answer_of_the_same_person(client, provider, known):
    provider.dropped |= {"email", "email_verified"}
    provider.userinfo = {"sub": "p-1", "email": "reader@example.org", "email_verified": True}

    assert sign_in(client, provider).url == HOME

    provider.userinfo = {"sub": "p-9", "email": "reader@example.org", "email_verified": True}
    _refused(Client(), provider)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/x", "javascript:alert(1)"])
def test_the_way_back_stays_on_our_site(client, provider, known, target):
    assert sign_in(client, provider, target).url == HOME


def test_the_password_stays_a_way_in(client, known):
    answer = client.post(reverse("annotation:sign-in"), {"username": "reader", "password": factories.PASSWORD})

    assert answer.url == HOME


def test_nobody_signs_up_and_no_page_of_the_library_is_open(client, known):
    for path in ("/accounts/signup/", "/sign-up/", "/account/signup/", "/accounts/login/", "/sign-in/with/other/"):
        assert client.get(path).status_code in {404, 302}
    assert client.get("/sign-in/with/other/").status_code == 404


def test_two_people_with_one_address_are_nobody(client, provider, known):
    factories.person("twin", email="reader@example.org")

    assert sign_in(client, provider).status_code == 403


def test_the_token_of_the_test_is_a_real_one(provider):
    query = {"nonce": "n", "code_challenge": "x"}
    status, _ = provider.token({"code": provider.authorize(query), "client_secret": SECRET, "code_verifier": "wrong"})

    assert status == 400
    assert jwt.get_unverified_header(jwt.encode({}, provider.key, "RS256"))["alg"] == "RS256"
