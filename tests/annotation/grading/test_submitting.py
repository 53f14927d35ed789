"""Submitting, amending and skipping: once, whole, with a reason where one is due, and never undone."""

import uuid

import pytest
from django.test import Client

from annotation.audit.errors import AppendOnlyError
from annotation.audit.models import Event
from annotation.grading import services
from annotation.grading.models import CriterionScore, Draft, ErrorMark, Grade
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


def submit(client, reading, of=None, **fields):
    body = world.submission_body(of, **fields)
    return client.post(address(reading, "grade-submit"), body, content_type=JSON)


def skip(client, reading, **fields):
    return client.post(address(reading, "reading-skip"), fields, content_type=JSON)


def rows():
    return (Grade.objects.count(), CriterionScore.objects.count(), ErrorMark.objects.count())


def test_a_grade_is_stored_whole(made, client, reader):
    low = world.entry(
        2, rationale="  The left kidney is missing. ", safety="moderate",
        errors=[{"code": "omitted", "nowhere": True}],
        scores={"anatomical_accuracy": "na"}, na={"anatomical_accuracy": "not gradable"}, reference_wrong=True,
    )  # fmt: skip

    answer = submit(
        client, made.readings[0], world.payload(A=low), viewing={"zoom": 2}, client_time="2026-11-25T10:00:00Z"
    )

    assert answer.status_code == 200 and answer.json()["version"] == 1
    grade = Grade.objects.get()
    assert (grade.author, grade.rationale, grade.safety, grade.reference_wrong) == (
        reader, "The left kidney is missing.", "moderate", True,
    )  # fmt: skip
    assert (grade.viewing, grade.client_time.isoformat()) == ({"zoom": 2}, "2026-11-25T10:00:00+00:00")
    scores = dict(grade.scores.values_list("criterion__code", "value"))
    assert scores["overall"] == 2 and scores["anatomical_accuracy"] is None
    assert dict(grade.scores.exclude(na_reason="").values_list("criterion__code", "na_reason")) == {
        "anatomical_accuracy": "not gradable", "cross_modal_consistency": "not_applicable",
        "edit_achieved": "not_applicable", "rest_unchanged": "not_applicable", "visual_quality": "not_applicable",
    }  # fmt: skip
    assert list(grade.error_marks.values_list("error_code", "nowhere")) == [("omitted", True)]


def test_a_submitted_reading_shows_its_grade_again(made, client):
    given = world.payload(
        A=world.entry(2, rationale="Wrong side of the body.", safety="low",
                      errors=[{"code": "location", "nowhere": True}],
                      scores={"overall": 3, "anatomical_accuracy": "na"}, na={"anatomical_accuracy": "not visible"},
                      reference_wrong=False)
    )  # fmt: skip
    submit(client, made.readings[0], given)

    data = client.get(address(made.readings[0])).json()

    assert data["status"] == "submitted" and data["grade"]["version"] == 1
    assert data["grade"]["payload"] == given


def test_submitting_marks_the_reading_and_leaves_a_trail(made, client, reader):
    submit(client, made.readings[0])

    reading = Reading.objects.get(pk=made.readings[0].pk)
    assert (reading.status, reading.submitted_at is not None, reading.opened_at is not None) == (
        "submitted",
        True,
        True,
    )
    event = Event.objects.get(verb="grade submitted")
    assert (event.actor, event.subject_id) == (str(reader.pk), str(reading.pk))
    grade = Grade.objects.get()
    assert event.details == {
        "version": 1,
        "safety": {"A": "none"},
        "grades": {str(grade.pk): grade.payload_hash},
    }


def test_the_draft_is_removed_and_its_time_kept(made, client):
    reading = made.readings[0]
    client.post(address(reading, "draft-save"), world.draft_body(), content_type=JSON)
    Draft.objects.update(active_ms=40_000, idle_ms=9_000)

    submit(client, reading)

    assert Draft.objects.count() == 0
    grade = Grade.objects.get()
    assert (grade.active_ms, grade.idle_ms) == (40_000, 9_000)


def test_all_outputs_of_a_reading_are_submitted_together(reader, sign_in):
    made = world.small_study(reader, formats=("image_editing",), mode="all")
    edit = world.entry(criteria=world.EDIT_CRITERIA)
    client = sign_in(reader)
    client.post(address(made.readings[0], "draft-save"), world.draft_body(), content_type=JSON)
    Draft.objects.update(active_ms=10_001)

    half = submit(client, made.readings[0], world.payload(A=edit))
    whole = submit(client, made.readings[0], world.payload(A=edit, B=edit))

    assert half.status_code == 422 and half.json()["errors"][0]["label"] == "B"
    assert whole.status_code == 200 and Grade.objects.count() == 2
    assert sorted(Grade.objects.values_list("active_ms", flat=True)) == [5_000, 5_001]


def test_a_second_submission_is_refused(made, client):
    submit(client, made.readings[0])
    before = rows()

    answer = submit(client, made.readings[0], world.payload(A=world.entry(5)))

    assert answer.status_code == 409 and "a change needs a reason" in answer.json()["error"]
    assert rows() == before


def test_the_same_key_again_gives_the_same_answer_also_after_locking(made, client):
    key = str(uuid.uuid4())
    first = submit(client, made.readings[0], submit_key=key)
    Study.objects.update(state="locked")
    before = rows()

    again = submit(client, made.readings[0], submit_key=key)

    assert (again.status_code, again.json()) == (200, first.json())
    assert rows() == before and Event.objects.filter(verb="grade submitted").count() == 1


def test_the_same_key_with_another_entry_is_refused_and_nothing_changes(made, client):
    key = str(uuid.uuid4())
    submit(client, made.readings[0], submit_key=key)
    before = rows()

    for other in (world.payload(A=world.entry(5)), world.payload(A=world.entry(4, rationale="Other words."))):
        answer = submit(client, made.readings[0], other, submit_key=key)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "submit_key"
    assert rows() == before


@pytest.mark.parametrize("state", ["paused", "locked"])
def test_a_closed_study_takes_no_grade(made, client, state):
    Study.objects.update(state=state)

    assert submit(client, made.readings[0]).status_code == 409
    assert rows() == (0, 0, 0) and Reading.objects.filter(status="submitted").count() == 0


def test_a_wrong_value_is_answered_with_label_field_and_limit_and_nothing_is_stored(made, client):
    answer = submit(client, made.readings[0], world.payload(A=world.entry(scores={"overall": 11})))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"label": "A", "field": "overall", "text": "Overall: 11: is above 5"}]
    assert rows() == (0, 0, 0)
    assert Reading.objects.get(pk=made.readings[0].pk).status == "queued"


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"submit_key": "x"}, 400, "submit_key: must be a UUID"),
        ({"submit_key": None}, 400, "submit_key: must be a UUID"),
        ({"viewing": [1]}, 422, "viewing"),
        ({"viewing": {"x": "y" * 70_000}}, 422, "viewing"),
        ({"client_time": "yesterday"}, 422, "client_time"),
        ({"client_time": "2026-11-25T10:00:00"}, 422, "client_time"),
        ({"client_time": "2026-99-25T10:00:00Z"}, 422, "client_time"),
        ({"client_time": "0001-01-01T00:00:00+23:59"}, 422, "client_time"),
        ({"client_time": "9999-12-31T23:59:59-23:59"}, 422, "client_time"),
        ({"reason": 5}, 422, "reason"),
        ({"reason": "too early"}, 422, "nothing is submitted yet"),
        ({"active_ms": 1e12}, 400, "active_ms"),
        ({"payload": "all good"}, 422, "outputs"),
    ],
)
def test_a_wrong_envelope_is_refused(made, client, fields, status, words):
    answer = submit(client, made.readings[0], **fields)

    assert answer.status_code == status and words in answer.content.decode()
    assert rows() == (0, 0, 0)


def test_an_amendment_needs_a_reason_and_adds_a_version(made, client, reader):
    submit(client, made.readings[0])

    short = submit(client, made.readings[0], world.payload(A=world.entry(5)), reason=" x ")
    answer = submit(client, made.readings[0], world.payload(A=world.entry(5)), reason="Saw the prior later.")

    assert short.status_code == 422 and short.json()["errors"][0]["field"] == "reason"
    assert answer.json()["version"] == 2
    assert list(Grade.objects.order_by("version").values_list("version", "reason_for_change")) == [
        (1, ""), (2, "Saw the prior later."),
    ]  # fmt: skip
    assert Event.objects.get(verb="grade amended").details["version"] == 2
    assert client.get(address(made.readings[0])).json()["grade"]["payload"]["outputs"]["A"]["scores"]["overall"] == 5


def test_an_amendment_is_validated_too(made, client):
    submit(client, made.readings[0])

    answer = submit(client, made.readings[0], world.payload(A=world.entry(9)), reason="Saw the prior later.")

    assert answer.status_code == 422 and Grade.objects.count() == 1


@pytest.mark.parametrize("state", ["paused", "locked"])
def test_nothing_is_amended_while_the_study_does_not_run(made, client, state):
    submit(client, made.readings[0])
    Study.objects.update(state=state)

    answer = submit(client, made.readings[0], world.payload(A=world.entry(5)), reason="Saw the prior later.")

    assert answer.status_code == 409 and Grade.objects.count() == 1


def test_amending_by_service_without_a_reason_is_refused(made, client, reader):
    submit(client, made.readings[0])
    entry = services.Entry(payload=world.payload(), submit_key=uuid.uuid4())

    with pytest.raises(ValueError, match="0 characters; say in 3 or more why the grade changes"):
        services.amend_grade(reading=made.readings[0], actor=reader, entry=entry)


def test_rows_of_a_grade_are_never_changed_or_removed(made, client):
    low = world.entry(2, rationale="Far too small a liver.", errors=[{"code": "measurement"}])
    submit(client, made.readings[0], world.payload(A=low))

    for model, change in ((Grade, {"rationale": "x"}), (CriterionScore, {"value": 5}), (ErrorMark, {"position": 9})):
        for act in (
            lambda model=model, change=change: model.objects.update(**change),
            lambda model=model: model.objects.all().delete(),
            lambda model=model: model.objects.bulk_update(list(model.objects.all()), ["id"]),
        ):
            with pytest.raises(AppendOnlyError):
                act()

    assert Grade.objects.get().rationale == "Far too small a liver."


def test_nobody_submits_for_somebody_else(made, other_reader, coordinator, sign_in):
    for user in (other_reader, coordinator):
        assert submit(sign_in(user), made.readings[0]).status_code == 404
        assert skip(sign_in(user), made.readings[0], reason="image problem").status_code == 404
    assert submit(Client(), made.readings[0]).status_code == 401
    assert rows() == (0, 0, 0)


def test_skipping_keeps_the_draft_and_a_reason(made, client):
    reading = made.readings[0]
    client.post(address(reading, "draft-save"), world.draft_body(), content_type=JSON)

    answer = skip(client, reading, reason="image problem", text=" blurred ")

    reading.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {})
    assert (reading.status, reading.skip_reason, reading.skip_text) == ("skipped", "image problem", "blurred")
    assert Draft.objects.count() == 1
    assert Event.objects.get(verb="reading skipped").details == {"reason": "image problem"}


def test_skipping_again_with_the_same_words_changes_nothing(made, client):
    for _ in range(2):
        assert skip(client, made.readings[0], reason="image problem").status_code == 200

    assert Event.objects.filter(verb="reading skipped").count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "choose one of"),
        ({"reason": "bored"}, "bored: choose one of image problem"),
        ({"reason": ["other"]}, "choose one of"),
        ({"reason": "other"}, "say in 3 or more characters"),
        ({"reason": "other", "text": 5}, "must be a text"),
        ({"reason": "other", "text": "x" * 5001}, "the limit is 5,000"),
    ],
)
def test_a_skip_needs_an_offered_reason(made, client, fields, words):
    answer = skip(client, made.readings[0], **fields)

    assert answer.status_code == 422 and words in answer.json()["errors"][0]["text"]
    assert Reading.objects.filter(status="skipped").count() == 0


def test_a_submitted_reading_cannot_be_skipped_and_a_closed_study_takes_no_skip(made, client):
    submit(client, made.readings[0])
    assert skip(client, made.readings[0], reason="image problem").status_code == 409

    Study.objects.update(state="paused")
    assert skip(client, made.readings[1], reason="image problem").status_code == 409


def test_a_skipped_reading_can_be_graded_after_all(made, client):
    skip(client, made.readings[0], reason="image problem")

    assert submit(client, made.readings[0]).status_code == 200
    reading = Reading.objects.get(pk=made.readings[0].pk)
    assert (reading.status, reading.skip_reason) == ("submitted", "")
