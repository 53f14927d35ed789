"""Readings that were graded without a network keep the time of their own reading, and never more than there was."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from annotation.grading.models import Draft, Grade
from annotation.studies.models import Reading, Study
from tests.annotation.grading import world
from tests.annotation.grading.test_reading_json import address

pytestmark = pytest.mark.django_db
MINUTE = 60_000


@pytest.fixture
def made(reader):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    Study.objects.filter(pk=made.study.pk).update(opened_at=timezone.now() - timedelta(hours=8))
    return made


@pytest.fixture
def client(reader, sign_in):
    return sign_in(reader)


def submit(client, reading, **fields):
    edit = reading.study_item.revision.format == "image_editing"
    whole = world.payload(A=world.entry(criteria=world.EDIT_CRITERIA)) if edit else None
    body = world.submission_body(whole, **fields)
    answer = client.post(address(reading, "grade-submit"), body, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    return Grade.objects.get(reading_output__reading=reading)


def save(client, reading, **fields):
    body = {"payload": world.payload(), "client_id": "window-1", "revision": 1, **fields}
    answer = client.post(address(reading, "draft-save"), body, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    return Draft.objects.get(reading=reading)


def test_grades_of_a_day_offline_keep_the_time_of_their_own_reading(made, client):
    hours = [4, 3, 2]
    grades = [
        submit(client, reading, active_ms=12 * MINUTE, idle_ms=3 * MINUTE, waited_ms=waited * 60 * MINUTE)
        for reading, waited in zip(made.readings, hours, strict=False)
    ]

    assert [(grade.active_ms, grade.idle_ms) for grade in grades] == [(12 * MINUTE, 3 * MINUTE)] * 3
    assert [grade.viewing for grade in grades] == [{"counted_offline": True}] * 3


def test_offline_time_fits_between_the_last_moment_known_and_the_moment_it_was_done(made, client):
    before = made.readings[0]
    submit(client, before)
    Reading.objects.filter(pk=before.pk).update(submitted_at=timezone.now() - timedelta(minutes=90))

    grade = submit(client, made.readings[1], active_ms=50 * MINUTE, idle_ms=50 * MINUTE, waited_ms=30 * MINUTE)

    assert grade.active_ms == 50 * MINUTE
    assert 9.9 * MINUTE < grade.idle_ms < 10.1 * MINUTE


def test_the_sum_of_offline_readings_never_exceeds_wall_time(made, client):
    Study.objects.filter(pk=made.study.pk).update(opened_at=timezone.now() - timedelta(minutes=30))

    for reading in made.readings[:3]:
        submit(client, reading, active_ms=20 * MINUTE, waited_ms=2 * MINUTE)

    counted = Grade.objects.aggregate(Sum("active_ms"))["active_ms__sum"]
    assert 29 * MINUTE < counted <= 30.1 * MINUTE


def test_a_draft_begun_before_the_network_went_counts_once(made, client):
    reading = made.readings[0]
    save(client, reading)
    Draft.objects.update(saved_at=timezone.now() - timedelta(minutes=60), active_ms=5 * MINUTE)

    save(client, reading, revision=2, active_ms=7 * MINUTE, waited_ms=40 * MINUTE)
    grade = submit(client, reading, active_ms=30 * MINUTE, waited_ms=20 * MINUTE)

    assert grade.active_ms <= 60.1 * MINUTE
    assert grade.active_ms >= 42 * MINUTE - 5 * MINUTE


def test_work_that_was_done_before_the_study_opened_counts_nothing(made, client):
    grade = submit(client, made.readings[0], active_ms=MINUTE, waited_ms=9 * 60 * MINUTE)

    assert (grade.active_ms, grade.idle_ms) == (0, 0)


def test_what_waited_a_moment_is_counted_as_ever_and_nobody_marks_it_offline(made, client):
    grade = submit(
        client, made.readings[0], active_ms=15 * MINUTE, waited_ms=7_000, viewing={"zoom": 2, "counted_offline": True}
    )

    assert grade.active_ms == 10 * MINUTE, "the first save counts at most ten minutes"
    assert grade.viewing == {"zoom": 2}


@pytest.mark.parametrize("waited", [-1, True, "long", 367 * 24 * 60 * MINUTE])
def test_a_wait_that_is_none_is_refused_by_name(made, client, waited):
    body = world.submission_body(waited_ms=waited)

    answer = client.post(address(made.readings[0], "grade-submit"), body, content_type="application/json")

    assert answer.status_code == 400 and "waited_ms" in answer.json()["error"]
