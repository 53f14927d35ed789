"""Drafts: idempotent, never overwritten from an older window, with time the server can vouch for."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotation.audit.models import Event
from annotation.grading.models import Draft
from annotation.studies.models import Reading, Study
from tests.annotation.grading import world
from tests.annotation.grading.test_reading_json import address

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def made(reader):
    return world.small_study(reader)


@pytest.fixture
def client(reader, sign_in):
    return sign_in(reader)


def save(client, reading, **fields):
    return client.post(address(reading, "draft-save"), world.draft_body(**fields), content_type=JSON)


def age(reading, seconds):
    """Pretend that the draft was saved some time ago."""
    Draft.objects.filter(reading=reading).update(saved_at=timezone.now() - timedelta(seconds=seconds))


def test_a_draft_comes_back_as_it_was_saved(made, client):
    reading = made.readings[0]

    answer = save(client, reading, of=world.payload(A={"scores": {"overall": 3}, "rationale": "half a"}))

    assert answer.status_code == 200 and set(answer.json()) == {"revision", "saved_at"}
    draft = client.get(address(reading)).json()["draft"]
    assert draft["payload"] == {"outputs": {"A": {"scores": {"overall": 3}, "rationale": "half a"}}}
    assert (draft["revision"], draft["client_id"]) == (1, "window-1")


def test_the_first_entry_begins_the_reading(made, client):
    save(client, made.readings[0])

    reading = Reading.objects.get(pk=made.readings[0].pk)
    assert (reading.status, reading.opened_at is not None) == ("in_progress", True)


def test_the_same_revision_again_changes_nothing(made, client):
    reading = made.readings[0]
    first = save(client, reading, active_ms=1000).json()

    again = save(client, reading, active_ms=5000)

    assert again.status_code == 200 and again.json() == first
    assert Draft.objects.get().payload == world.payload()


def test_the_same_revision_with_another_payload_is_refused(made, client):
    reading = made.readings[0]
    save(client, reading)

    other = save(client, reading, of=world.payload(A=world.entry(1)))

    assert other.status_code == 422 and other.json()["errors"][0]["field"] == "revision"
    assert Draft.objects.get().payload == world.payload()


def test_a_newer_revision_of_the_same_window_replaces(made, client):
    reading = made.readings[0]
    save(client, reading)

    answer = save(client, reading, of=world.payload(A=world.entry(5)), revision=2, base_revision=1)

    assert answer.json()["revision"] == 2 and Draft.objects.get().payload["outputs"]["A"]["scores"]["overall"] == 5


def test_a_save_from_an_older_window_is_refused_and_shown_the_current_one(made, client):
    reading = made.readings[0]
    save(client, reading, revision=3)

    answer = save(client, reading, of=world.payload(A=world.entry(1)), client_id="window-2", revision=1)

    assert answer.status_code == 409
    assert answer.json()["current"]["payload"] == world.payload()
    assert answer.json()["current"]["revision"] == 3
    assert Draft.objects.get().client_id == "window-1"


def test_a_window_that_has_seen_the_current_draft_takes_over(made, client):
    reading = made.readings[0]
    save(client, reading, revision=3)

    answer = save(client, reading, client_id="window-2", revision=4, base_revision=3)

    assert answer.status_code == 200 and Draft.objects.get().client_id == "window-2"


def test_a_takeover_numbered_below_the_current_draft_is_refused(made, client):
    reading = made.readings[0]
    save(client, reading, revision=3)

    assert save(client, reading, client_id="window-2", revision=2, base_revision=3).status_code == 409


def test_time_is_capped_by_the_wall_clock_since_the_last_save(made, client):
    reading = made.readings[0]
    save(client, reading)
    Draft.objects.update(active_ms=0, idle_ms=0)
    age(reading, 10)

    save(client, reading, revision=2, active_ms=8_000, idle_ms=60_000)

    draft = Draft.objects.get()
    assert draft.active_ms == 8_000
    assert 2_000 <= draft.idle_ms < 3_000


def test_active_time_alone_is_capped(made, client):
    reading = made.readings[0]
    save(client, reading)
    Draft.objects.update(active_ms=0)
    age(reading, 5)

    save(client, reading, revision=2, active_ms=3_600_000)

    assert 5_000 <= Draft.objects.get().active_ms < 6_500


def test_the_first_save_counts_at_most_ten_minutes(made, client):
    Study.objects.update(opened_at=timezone.now() - timedelta(days=1))

    save(client, made.readings[0], active_ms=3_600_000)

    assert Draft.objects.get().active_ms == 600_000


def test_the_sum_over_readings_never_exceeds_wall_time(made, client):
    Study.objects.update(opened_at=timezone.now() - timedelta(seconds=30))

    for reading in made.readings:
        save(client, reading, active_ms=25_000)

    assert sum(Draft.objects.values_list("active_ms", flat=True)) <= 31_000


@pytest.mark.parametrize(("state", "word"), [("paused", "paused"), ("locked", "locked")])
def test_a_closed_study_takes_no_draft_and_says_why(made, client, state, word):
    save(client, made.readings[0])
    Study.objects.update(state=state)

    answer = save(client, made.readings[0], revision=2)

    assert answer.status_code == 409 and word in answer.json()["error"]
    assert Draft.objects.get().revision == 1


def test_a_submitted_reading_takes_no_draft(made, client):
    Reading.objects.filter(pk=made.readings[0].pk).update(status="submitted")

    answer = save(client, made.readings[0])

    assert answer.status_code == 409 and "submitted" in answer.json()["error"]
    assert Draft.objects.count() == 0


def test_an_entry_in_a_skipped_reading_takes_the_skip_back(made, client):
    reading = made.readings[0]
    Reading.objects.filter(pk=reading.pk).update(status="skipped", skip_reason="other", skip_text="later")

    save(client, reading)

    reading.refresh_from_db()
    assert (reading.status, reading.skip_reason, reading.skip_text) == ("in_progress", "", "")
    assert Event.objects.get(verb="reading reopened").subject_id == str(reading.pk)


def test_nobody_saves_for_somebody_else(made, other_reader, coordinator, sign_in):
    for user in (other_reader, coordinator):
        assert save(sign_in(user), made.readings[0]).status_code == 404
    assert save(Client(), made.readings[0]).status_code == 401
    assert Draft.objects.count() == 0


def test_a_request_without_the_csrf_token_is_refused(made, reader):
    client = Client(enforce_csrf_checks=True)
    client.force_login(reader)

    assert save(client, made.readings[0]).status_code == 403


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        ("{}", "text/plain", "Content-Type: text/plain: send application/json."),
        ("{", JSON, "Body: not JSON that can be read."),
        ("[" * 100_000, JSON, "Body: not JSON that can be read."),
        ('{"revision": NaN}', JSON, "Body: not JSON that can be read."),
        ('{"revision": 1e999}', JSON, "Body: not JSON that can be read."),
        ("\xff", JSON, "Body:"),
        ("[]", JSON, "Body: must be a JSON object."),
        ('{"x": "' + "y" * 600_000 + '"}', JSON, "Body: longer than 512 KiB."),
        ('{"payload": {}}', JSON, "client_id: must be a text of 1 to 64 printable characters."),
        ('{"payload": [], "client_id": "a", "revision": 1}', JSON, "payload: must be an object."),
        ('{"payload": {}, "client_id": "a"}', JSON, "revision: None: must be a whole number from 1 to 2147483647."),
        ('{"payload": {}, "client_id": "a", "revision": 0}', JSON, "revision: 0: must be a whole number"),
        ('{"payload": {}, "client_id": "a", "revision": 99999999999}', JSON, "revision: 99999999999: must be"),
        ('{"payload": {}, "client_id": "a", "revision": true}', JSON, "revision: True: must be a whole number"),
        ('{"payload": {}, "client_id": "a", "revision": 1, "active_ms": -1}', JSON, "active_ms: -1: must be"),
        ('{"payload": {}, "client_id": "a", "revision": 1, "idle_ms": "x"}', JSON, "idle_ms: x: must be"),
        ('{"payload": {}, "client_id": "a\\u0000", "revision": 1}', JSON, "client_id: must be a text"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_answered_with_a_sentence(made, client, body, content_type, words):
    answer = client.generic("POST", address(made.readings[0], "draft-save"), body, content_type=content_type)

    assert answer.status_code == 400 and answer.json()["error"].startswith(words)
    assert Draft.objects.count() == 0


@pytest.mark.parametrize(("words", "rule"), [("a\0b", "NUL"), ("a\ud800", "half a character")])
def test_a_draft_with_what_no_database_keeps_is_refused_in_words(made, client, words, rule):
    answer = save(client, made.readings[0], of={"outputs": {"A": {"rationale": words}}})

    assert answer.status_code == 400
    assert rule in answer.json()["error"]
    assert not Draft.objects.exists()


def test_a_draft_may_hold_any_words(made, client):
    words = "<script>alert(1)</script> \u202e =SUM(A1) 😀"

    assert save(client, made.readings[0], of={"outputs": {"A": {"rationale": words}}}).status_code == 200
    assert client.get(address(made.readings[0])).json()["draft"]["payload"]["outputs"]["A"]["rationale"] == words
