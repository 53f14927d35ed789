"""What an entry was based on: a version that its author has not seen is shown, never overwritten."""

import uuid

import pytest

from annotation.grading.models import Draft, Grade
from annotation.studies.models import Study
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


def submit(client, reading, of=None, **fields):
    return client.post(address(reading, "grade-submit"), world.submission_body(of, **fields), content_type=JSON)


def test_a_grade_is_refused_when_another_window_saved_what_it_has_not_seen(made, client):
    reading = made.readings[0]
    save(client, reading, client_id="other", revision=3)

    answer = submit(client, reading, client_id="mine", base_revision=2)

    assert answer.status_code == 409 and answer.json()["current"]["revision"] == 3
    assert Grade.objects.count() == 0 and Draft.objects.count() == 1


@pytest.mark.parametrize(
    "base", [{}, {"client_id": "other", "base_revision": 0}, {"client_id": "mine", "base_revision": 3}]
)
def test_a_grade_is_taken_from_the_same_window_or_on_what_was_seen_or_without_a_base(made, client, base):
    reading = made.readings[0]
    save(client, reading, client_id="other", revision=3)

    assert submit(client, reading, **base).status_code == 200
    assert Draft.objects.count() == 0


def test_an_amendment_of_an_older_version_is_refused_and_shown_the_newer_one(made, client):
    reading = made.readings[0]
    submit(client, reading)
    newer = world.payload(A=world.entry(5))
    submit(client, reading, newer, reason="looked again", base_version=1)

    late = submit(client, reading, world.payload(A=world.entry(3)), reason="from another window", base_version=1)

    assert late.status_code == 409
    assert late.json()["submitted"]["version"] == 2
    assert late.json()["submitted"]["payload"]["outputs"]["A"]["scores"]["overall"] == 5
    assert Grade.objects.count() == 2


def test_a_draft_of_a_submitted_reading_is_refused_with_the_grade_beside_it(made, client):
    reading = made.readings[0]
    submit(client, reading)

    answer = save(client, reading)

    assert answer.status_code == 409
    assert answer.json()["submitted"]["version"] == 1 and "A" in answer.json()["submitted"]["payload"]["outputs"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"client_id": "x" * 65}, "client_id"),
        ({"client_id": 7}, "client_id"),
        ({"base_revision": -1}, "base_revision"),
        ({"base_version": "two"}, "base_version"),
        ({"base_version": 2**31}, "base_version"),
    ],
)
def test_a_base_that_is_none_is_refused_by_name(made, client, fields, words):
    answer = submit(client, made.readings[0], **fields)

    assert answer.status_code == 400 and answer.json()["error"].startswith(words)
    assert Grade.objects.count() == 0


@pytest.mark.parametrize("state", ["paused", "locked"])
def test_a_closed_study_says_which_way_it_is_closed(made, client, state):
    Study.objects.update(state=state)

    answer = save(client, made.readings[0])

    assert answer.status_code == 409 and answer.json()["closed"] == state


def test_a_page_of_another_person_is_answered_as_signed_out(made, client, reader):
    reading = made.readings[0]
    body = world.draft_body()

    other = client.post(
        address(reading, "draft-save"), body, content_type=JSON, headers={"X-MedGEN-Person": str(uuid.uuid4())}
    )
    own = client.post(
        address(reading, "draft-save"), body, content_type=JSON, headers={"X-MedGEN-Person": str(reader.pk)}
    )

    assert other.status_code == 401 and other.json()["other_person"] is True
    assert own.status_code == 200


def test_the_page_that_opens_without_a_network_is_nobodys(client, reader):
    page = client.get("/readings/offline/").content.decode()
    script = client.get("/service-worker.js")

    assert str(reader.pk) not in page and reader.username not in page and 'data-user=""' in page
    assert script["Content-Type"] == "text/javascript" and str(reader.pk) not in script.content.decode()
    assert '"/readings/offline/"' in script.content.decode() and "js/grading/main.js" in script.content.decode()
