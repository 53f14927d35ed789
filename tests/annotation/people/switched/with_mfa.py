"""Run by test_switches.py with MEDGEN_MFA on and required of operators: apps, recovery codes, who must have one."""

import base64
import hashlib
import hmac
import json
import re
import struct
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.audit.models import Event
from annotation.people import services
from annotation.people.models import User
from tests import factories

pytestmark = pytest.mark.django_db
HOME, SIGN_IN = reverse("home"), reverse("annotation:sign-in")
ASK, INDEX = reverse("mfa_authenticate"), reverse("mfa_index")


def code_of(secret: str, step: int = 0) -> str:
    """RFC 6238 by hand: SHA-1, six digits, thirty seconds."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def test_the_code_by_hand_is_that_of_the_standard(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 59)

    assert code_of(base64.b32encode(b"12345678901234567890").decode()) == "287082"


@pytest.fixture(autouse=True)
def _forget_used_codes() -> None:
    cache.clear()


def by_password(client: Client, username: str = "reader"):
    return client.post(SIGN_IN, {"username": username, "password": factories.PASSWORD, "next": "/studies/"})


def set_up_app(client: Client) -> str:
    """Through the pages, as a person does; gives the secret."""
    page = client.get(reverse("mfa_activate_totp"), follow=True)
    assert b"Confirm that it is you" in page.content
    page = client.post(
        page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"], {"password": factories.PASSWORD}, follow=True
    )
    secret = re.search(rb'id="secret"[^>]*value="([A-Z2-7]+)"', page.content)[1].decode()
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content
    cache.clear()
    return secret


@pytest.fixture
def secret(reader) -> str:
    client = Client()
    by_password(client)
    return set_up_app(client)


def is_in(client: Client) -> bool:
    return client.get(HOME).status_code == 200


def test_without_a_factor_the_password_is_enough(client, reader):
    assert by_password(client).url == "/studies/"
    assert is_in(client)


def test_the_picture_and_the_pages_are_ours(client, reader):
    by_password(client)
    page = client.get(INDEX)
    assert b"Set up an app" in page.content and b'class="topbar"' in page.content
    set_up_app(client)

    assert client.get(reverse("mfa_totp_picture")).status_code == 404
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_list_webauthn",
                 "mfa_add_webauthn", "mfa_deactivate_totp"):  # fmt: skip
        page = client.get(reverse(name))
        assert page.status_code == 200 and b'class="topbar"' in page.content, name
        assert not re.search(rb"<script(?![^>]*src=)|<style| style=|\son\w+=", page.content), name


def test_the_picture_holds_the_secret_and_is_not_kept(client, reader):
    by_password(client)
    client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})
    client.get(reverse("mfa_activate_totp"))
    picture = client.get(reverse("mfa_totp_picture"))

    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert b"<path" in picture.content
    assert "no-store" in picture.headers["Cache-Control"]


def test_with_an_app_the_password_leads_to_the_code_and_the_code_in(client, reader, secret):
    asked = by_password(client)
    between = is_in(client)
    answer = client.post(ASK, {"code": code_of(secret)})

    assert (asked.url, between) == (ASK, False)
    assert answer.url == "/studies/"
    assert is_in(client)
    assert Event.objects.filter(verb="signed in", actor=str(reader.pk)).exists()


def test_a_code_works_once(client, reader, secret):
    by_password(client)
    code = code_of(secret)
    client.post(ASK, {"code": code})
    other = Client()
    by_password(other)

    assert other.post(ASK, {"code": code}).status_code == 200
    assert not is_in(other)


@pytest.mark.parametrize("code", ["", "000000x", "12345", "\0", "９" * 6])
def test_a_wrong_code_does_not_open(client, reader, secret, code):
    by_password(client)

    answer = client.post(ASK, {"code": code})

    assert answer.status_code == 200
    assert not is_in(client)


def test_five_wrong_codes_start_a_pause_that_the_right_one_does_not_end(client, reader, secret):
    by_password(client)
    for number in range(5):
        client.post(ASK, {"code": f"{number:06d}"})
    right = client.post(ASK, {"code": code_of(secret)})

    assert b"Too many wrong codes" in right.content
    assert not is_in(client)
    assert by_password(Client()).status_code == 429
    assert Event.objects.filter(verb="sign-in locked", subject_id=str(reader.pk)).exists()

    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert client.post(ASK, {"code": code_of(secret)}).url == "/studies/"


def test_the_code_page_without_a_password_leads_back(client, reader, secret):
    assert client.get(ASK).url == SIGN_IN
    assert client.post(ASK, {"code": code_of(secret)}).url == SIGN_IN
    assert not is_in(client)


def test_a_recovery_code_works_once(client, reader, secret):
    codes = Authenticator.objects.get(user=reader, type="recovery_codes").wrap().get_unused_codes()
    by_password(client)
    client.post(ASK, {"code": codes[0]})
    other = Client()
    by_password(other)
    other.post(ASK, {"code": codes[0]})

    assert len(codes) == 10
    assert (is_in(client), is_in(other)) == (True, False)


def test_secrets_do_not_lie_open_in_the_database(reader, secret):
    stored = json.dumps([row.data for row in Authenticator.objects.all()])

    assert secret not in stored
    assert len(stored) > 100


def test_signing_in_in_place_does_not_pass_the_second_factor(client, reader, secret):
    answer = client.post(reverse("annotation:sign-in-again"), {"user_id": reader.pk, "password": factories.PASSWORD})

    assert answer.status_code == 401
    assert answer.json()["sign_in"] == SIGN_IN
    assert "second factor" in answer.json()["error"]
    assert not is_in(client)


def test_in_place_works_for_whoever_has_none(client, reader):
    answer = client.post(reverse("annotation:sign-in-again"), {"user_id": reader.pk, "password": factories.PASSWORD})

    assert answer.status_code == 200


def test_an_invitation_does_not_pass_it_either(client, reader, secret):
    reader.refresh_from_db()
    path = services.invitation_path(reader)

    answer = client.post(path, {"password": "a quite new phrase", "again": "a quite new phrase"})

    assert answer.url == ASK
    assert not is_in(client)


def test_changes_are_in_the_trail_without_secrets(client, reader, django_capture_on_commit_callbacks):
    by_password(client)
    with django_capture_on_commit_callbacks(execute=True):
        secret = set_up_app(client)
    whats = [event.details.get("what") for event in Event.objects.filter(verb="second factor changed")]

    assert "totp activated" in whats
    assert secret not in str(list(Event.objects.values()))


def test_the_app_is_given_up_after_confirming(client, reader, secret):
    by_password(client)
    client.post(ASK, {"code": code_of(secret)})
    asked = client.post(reverse("mfa_deactivate_totp"))
    client.post(asked.url, {"password": factories.PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.exists()
    assert by_password(Client()).url == "/studies/"


def test_an_operator_without_a_factor_is_led_to_set_one_up(client, operator):
    by_password(client, "operator")

    assert client.get(HOME).url == INDEX
    assert client.get(reverse("annotation:person-list")).url == INDEX
    assert client.get(HOME, headers={"Accept": "application/json"}).status_code == 403
    assert client.get(reverse("annotation:sign-in-again")).json()["signed_in"]

    set_up_app(client)
    assert client.get(reverse("annotation:person-list")).status_code == 200


def test_a_role_that_is_given_asks_with_the_next_request(client, reader):
    by_password(client)
    before = is_in(client)
    User.objects.filter(pk=reader.pk).update(is_operator=True)

    assert (before, client.get(HOME).url) == (True, INDEX)


def test_who_must_have_a_factor_cannot_remove_the_last(client, operator):
    by_password(client, "operator")
    set_up_app(client)
    client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})

    answer = client.post(reverse("mfa_deactivate_totp"))

    assert answer.status_code == 200 and b"add another one before" in answer.content
    assert Authenticator.objects.filter(type="totp").exists()


def test_in_place_is_shut_to_who_must_set_one_up(client, operator):
    answer = client.post(
        reverse("annotation:sign-in-again"), {"user_id": operator.pk, "password": factories.PASSWORD}
    )

    assert answer.status_code == 401


def test_an_operator_resets_what_somebody_lost(client, operator, reader, secret):
    by_password(client, "operator")
    set_up_app(client)
    assert client.post(reverse("person-factor-reset", args=[reader.pk])).status_code == 302

    assert by_password(Client()).url == "/studies/"
    assert Event.objects.get(verb="second factor reset").subject_id == str(reader.pk)


def test_only_an_operator_does(client, reader, other_reader, secret):
    by_password(client, "other_reader")

    assert client.post(reverse("person-factor-reset", args=[reader.pk])).status_code == 403
    assert Authenticator.objects.filter(user=reader).exists()


MADE_UP = [
    "", "{}", "[]", "5", "{", '{"id": "x"}', '{"response": {"userHandle": "eA"}}', "[" * 3000,
    '{"id":"eA","rawId":"eA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"eA",'
    '"signature":"eA","userHandle":"eA","attestationObject":"oWBg"}}',
]  # fmt: skip


@pytest.mark.parametrize("credential", MADE_UP)
@pytest.mark.parametrize("name", ["mfa_login_webauthn", "mfa_authenticate"])
def test_a_made_up_key_opens_nothing_and_breaks_nothing(client, reader, secret, credential, name):
    by_password(client)
    answer = client.post(reverse(name), {"credential": credential})

    assert answer.status_code in {200, 302, 400}
    assert not is_in(client)


@pytest.mark.parametrize("credential", MADE_UP)
def test_a_made_up_key_is_not_added(client, reader, credential):
    by_password(client)
    client.post(reverse("account_reauthenticate"), {"password": factories.PASSWORD})
    client.get(reverse("mfa_add_webauthn"))

    assert client.post(reverse("mfa_add_webauthn"), {"credential": credential, "name": "x"}).status_code == 200
    assert not Authenticator.objects.exists()


def test_the_passkey_question_is_fresh_each_time(client):
    ask = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}
    challenges = {
        client.get(reverse("mfa_login_webauthn"), headers=ask).json()["request_options"]["publicKey"]["challenge"]
        for _ in range(3)
    }

    assert len(challenges) == 3


def test_nobody_signs_up(client):
    for path in ("/accounts/signup/", "/account/signup/", "/account/second-factor/webauthn/signup/"):
        assert client.get(path).status_code in {302, 404}
    assert User.objects.count() == 0
