"""Keys: shown once, stored as a checksum, scoped, ending; never more than the person may do now."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotation.audit.models import Event
from annotation.people import services, tokens
from annotation.people.errors import PeopleError
from annotation.people.models import ApiToken
from annotation.rest.access import FAILURES
from tests.api.world import Program, secret_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def key_of(client: Client, **typed: object) -> str:
    page = client.post("/account/keys/", {"name": "nightly", "scopes": ["read"], "days": "30"} | typed)
    assert page.status_code == 200
    return page.context["secret"]


def test_a_key_is_shown_once_and_only_its_checksum_is_stored(curator, sign_in):
    client = sign_in(curator)

    secret = key_of(client)

    stored = ApiToken.objects.values().get()
    assert secret not in json.dumps(stored, default=str) and stored["digest"] == tokens.digest_of(secret)
    assert secret not in client.get("/account/keys/").content.decode()
    assert stored["prefix"] in client.get("/account/keys/").content.decode()
    assert Event.objects.filter(verb="key created", actor=str(curator.pk)).count() == 1
    assert not Event.objects.filter(details__icontains=secret).exists()


def test_the_page_says_so_when_there_is_no_key_and_refuses_a_key_without_a_scope(stranger, sign_in):
    client = sign_in(stranger)

    empty = client.get("/account/keys/")
    refused = client.post("/account/keys/", {"name": "x", "days": "30"})
    not_offered = client.post("/account/keys/", {"name": "x", "days": "30", "scopes": ["people"]})

    assert "No keys yet" in empty.content.decode()
    assert (refused.status_code, not_offered.status_code) == (422, 422)
    assert not ApiToken.objects.exists()


def test_a_revoked_expired_or_closed_key_is_dead(curator, sign_in):
    program = Program(curator)
    token = ApiToken.objects.get()
    assert program.get("me/").status == 200

    ApiToken.objects.update(expires_at=timezone.now())
    expired = program.get("me/").status
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    services.deactivate_person(user=curator, actor=None)
    closed = program.get("me/").status
    services.reactivate_person(user=curator, actor=None)
    sign_in(curator).post(f"/account/keys/{token.pk}/revoke/")
    revoked = program.get("me/")

    assert (expired, closed, revoked.status) == (401, 401, 401)
    assert revoked.headers["WWW-Authenticate"].startswith("Bearer")
    assert Event.objects.filter(verb="key revoked").count() == 1


def test_a_key_does_what_its_scopes_say_and_its_person_may_do_now(curator):
    reads, curates = Program(curator, ("read",)), Program(curator, ("curate",))

    assert reads.get("datasets/").status == 200
    assert curates.get("datasets/").status == 200
    refused = reads.post("datasets/liver/releases/", {"version": "1"})
    services.set_roles(user=curator, roles={"curator": False}, actor=None)

    assert refused.status == 403 and "curate" in refused.data["detail"]
    assert reads.get("datasets/").status == 404


def test_read_alone_shows_no_people(operator):
    assert Program(operator, ("read",)).get("people/").status == 403
    assert Program(operator, ("people",)).get("people/").status == 200
    assert Program(operator, ("people",)).get("datasets/").status == 403


def test_the_last_use_is_kept_by_the_hour_and_written_once_an_hour(stranger, django_assert_num_queries):
    program = Program(stranger)
    program.get("me/")
    used = ApiToken.objects.get().last_used_at

    with django_assert_num_queries(1):
        program.get("me/")

    assert used is not None and (used.minute, used.second) == (0, 0)


def test_wrong_keys_are_throttled_and_a_good_one_is_not(stranger):
    good, wrong = Program(stranger), Client()
    guess = {"Authorization": "Bearer mg_guess"}

    answers = [wrong.get("/api/v1/me/", headers=guess).status_code for _ in range(FAILURES + 2)]
    last = wrong.get("/api/v1/me/", headers=guess)

    assert answers == [401] * FAILURES + [429, 429]
    assert int(last.headers["Retry-After"]) > 0 and last.headers["Content-Type"] == "application/problem+json"
    assert good.get("me/").status == 200
    assert Event.objects.filter(verb="keys refused").count() == 1


def test_a_wrong_key_is_not_made_good_by_a_session(curator, sign_in):
    answer = sign_in(curator).get("/api/v1/me/", headers={"Authorization": "Bearer mg_wrong"})

    assert answer.status_code == 401


def test_a_session_may_ask_and_acts_only_with_the_token_against_forged_requests(operator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    body = {"username": "new", "name": "New"}

    looked = client.get("/api/v1/people/")
    forged = client.post("/api/v1/people/", body, content_type="application/json")
    token = client.get("/account/keys/").cookies["csrftoken"].value
    acted = client.post("/api/v1/people/", body, content_type="application/json", headers={"X-CSRFToken": token})

    assert (looked.status_code, forged.status_code, acted.status_code) == (200, 403, 201)
    assert forged.headers["Content-Type"] == "application/problem+json"


def test_one_person_cannot_ask_without_end(stranger, settings):
    settings.MEDGEN_API_RATE = 3
    program = Program(stranger)

    answers = [program.get("me/") for _ in range(8)]

    assert 429 in {answer.status for answer in answers}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"scopes": ["root"]}, "scopes: 'root'"),
        ({"scopes": []}, "scopes: none"),
        ({"name": " "}, "name:"),
        ({"expires_at": timezone.now() + timedelta(days=400)}, "within the next 365 days"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "within the next 365 days"),
    ],
)
def test_a_key_that_breaks_a_rule_is_not_made(stranger, said, rule):
    usual = {"name": "x", "scopes": ["read"], "expires_at": timezone.now() + timedelta(days=1)}

    with pytest.raises(PeopleError, match=rule):
        tokens.create_token(user=stranger, actor=stranger, **usual | said)

    assert not ApiToken.objects.exists()


def test_another_persons_key_cannot_be_revoked(stranger, curator, sign_in):
    secret_of(stranger)
    token = ApiToken.objects.get()

    assert sign_in(curator).post(f"/account/keys/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_the_command_makes_lists_and_revokes(curator):
    out = StringIO()
    call_command("token", "--json", "add", "curator", "--name", "cron", "--scopes", "read,curate", stdout=out)
    made = json.loads(out.getvalue())
    listed = StringIO()
    call_command("token", "list", "curator", stdout=listed)

    assert tokens.find_token(made["key"]) is not None and made["scopes"] == ["read", "curate"]
    assert made["prefix"] in listed.getvalue() and made["key"] not in listed.getvalue()
    call_command("token", "revoke", made["prefix"], stdout=StringIO())
    assert tokens.find_token(made["key"]) is None
    with pytest.raises(CommandError, match="revoked before"):
        call_command("token", "revoke", made["prefix"], stdout=StringIO())
    with pytest.raises(CommandError, match="'nobody' is unknown"):
        call_command("token", "add", "nobody", "--name", "x")
