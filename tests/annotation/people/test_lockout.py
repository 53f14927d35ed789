"""Wrong passwords: a pause for a user name at an address, a wider one for an address, the same for unknown names."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from annotation.audit.models import Event
from annotation.people import lockout
from tests import factories

pytestmark = pytest.mark.django_db
SIGN_IN = reverse("annotation:sign-in")


def attempt(client: Client, username: str, password: str = "wrong", **extra: str):
    return client.post(SIGN_IN, {"username": username, "password": password}, **extra)


def end_of_pause() -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))


def test_the_fifth_wrong_password_starts_a_pause_that_the_right_one_does_not_end(client, reader):
    answers = [attempt(client, "reader").status_code for _ in range(5)]
    right = attempt(client, "reader", factories.PASSWORD)

    assert answers == [422, 422, 422, 422, 429]
    assert right.status_code == 429
    assert b"Try again in <strong>15 minutes</strong>" in right.content
    assert 890 <= int(right.headers["Retry-After"]) <= 900
    assert "_auth_user_id" not in client.session


def test_after_the_pause_the_right_password_opens_the_door(client, reader):
    for _ in range(5):
        attempt(client, "reader")
    end_of_pause()

    assert attempt(client, "reader", factories.PASSWORD).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_trying_on_does_not_make_the_pause_longer(client, reader):
    for _ in range(5):
        attempt(client, "reader")
    before = AccessAttempt.objects.get().attempt_time
    for _ in range(3):
        attempt(client, "reader")

    assert AccessAttempt.objects.get().attempt_time == before


def test_a_right_password_forgets_the_wrong_ones_before(client, reader):
    for _ in range(4):
        attempt(client, "reader")
    attempt(client, "reader", factories.PASSWORD)
    client.logout()

    assert [attempt(client, "reader").status_code for _ in range(4)] == [422] * 4


def test_an_unknown_user_name_gets_the_same_answers(client, reader):
    known = [attempt(Client(), "reader", HTTP_USER_AGENT="x") for _ in range(6)]
    unknown = [attempt(Client(), "nobody", HTTP_USER_AGENT="x") for _ in range(6)]

    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert [_words(answer) for answer in known] == [_words(answer) for answer in unknown]


def _words(answer) -> str:
    """The page without its tokens and without what was typed."""
    page = re.sub(r"[A-Za-z0-9]{64}", "", answer.content.decode())
    return page.replace('value="reader"', "").replace('value="nobody"', "")


def test_an_unknown_user_name_costs_a_password_hash_too(client, reader, monkeypatch):
    hashed: list[str] = []
    real = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    attempt(client, "reader")
    of_known = len(hashed)
    attempt(client, "nobody")

    assert of_known == len(hashed) - of_known == 1


def test_another_address_is_not_held_by_a_pause(client, reader):
    for _ in range(5):
        attempt(client, "reader", REMOTE_ADDR="192.0.2.1")

    assert attempt(client, "reader", factories.PASSWORD, REMOTE_ADDR="192.0.2.2").status_code == 302


def test_another_browser_at_the_same_address_is(client, reader):
    for number in range(5):
        attempt(Client(HTTP_USER_AGENT=f"browser {number}"), "reader")

    assert attempt(client, "reader", factories.PASSWORD).status_code == 429


def test_a_thousand_user_names_from_one_address_are_stopped_at_its_limit(client, reader, settings):
    settings.MEDGEN_ADDRESS_FAILURES = 12
    answers = [attempt(client, f"name{number}", REMOTE_ADDR="192.0.2.9").status_code for number in range(15)]

    assert answers == [422] * 11 + [429] * 4
    assert attempt(client, "reader", factories.PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429
    assert attempt(client, "reader", factories.PASSWORD, REMOTE_ADDR="192.0.2.10").status_code == 302


def test_a_browser_that_knows_a_person_passes_the_limit_of_a_shared_address(client, reader, other_reader, settings):
    settings.MEDGEN_ADDRESS_FAILURES = 12
    attempt(client, "reader", factories.PASSWORD)
    client.post(reverse("annotation:sign-out"))
    for number in range(12):
        attempt(Client(), f"name{number}")

    assert attempt(client, "other_reader", factories.PASSWORD).status_code == 429
    assert attempt(client, "reader", factories.PASSWORD).status_code == 302


def test_a_forged_memory_of_a_person_helps_nobody(client, reader, settings):
    settings.MEDGEN_ADDRESS_FAILURES = 12
    for number in range(12):
        attempt(Client(), f"name{number}")
    client.cookies[lockout.KNOWN_COOKIE] = f'["{reader.pk}"]'

    assert attempt(client, "reader", factories.PASSWORD).status_code == 429


def test_the_trail_names_an_id_and_no_typed_name(client, reader):
    for _ in range(6):
        attempt(client, "reader")
    attempt(client, "my secret typed in the wrong box")

    failed = Event.objects.filter(verb="sign-in failed")
    assert [event.subject_id for event in failed] == [str(reader.pk)] * 5 + [""]
    assert Event.objects.filter(verb="sign-in locked", subject_id=str(reader.pk)).count() == 1
    assert "secret" not in str(list(Event.objects.values()))
    assert "reader" not in str(list(Event.objects.values("details")))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.5", "10.0.0.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "203.0.113.5, 10.0.0.9", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.1"),
        (1, "<script>", None),
        (1, "", "10.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_behind_proxies_is_believed_as_far_as_the_setting_says(settings, proxies, forwarded, seen):
    settings.MEDGEN_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert lockout.client_address(request) == seen


def test_a_pause_counts_in_place_as_well(client, reader):
    again = reverse("annotation:sign-in-again")
    for _ in range(3):
        attempt(client, "reader")
    answers = [client.post(again, {"user_id": reader.pk, "password": "wrong"}).status_code for _ in range(3)]

    assert answers == [401, 429, 429]
    assert attempt(client, "reader", factories.PASSWORD).status_code == 429


def test_the_start_up_checks_say_nothing_about_pauses():
    call_command("check", "--tag", "security")
