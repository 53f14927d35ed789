"""Two stages: the reference is revealed by the own first submission, by nothing else, and both stages stay."""

import pytest
from django.urls import reverse

from annotation.audit.links import digest
from annotation.grading import seals
from annotation.grading.models import Grade
from annotation.studies.models import Reading, Study
from scoring.agreement.ratings import study_ratings
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db
WITHOUT, WITH = "without_reference", "with_reference"
EDIT = world.EDIT_CRITERIA


def address(reading, name="reading-json", *rest):
    return reverse(f"annotation:{name}", args=[reading.pk, *rest])


def graded(value=4, **more):
    return world.payload(A=world.entry(value, criteria=EDIT, **more), B=world.entry(value, criteria=EDIT))


@pytest.fixture
def made(reader, other_reader):
    made = world.small_study(reader, formats=("image_editing",), mode="all", other_reader=other_reader)
    Study.objects.filter(pk=made.study.pk).update(stages=2)
    return made


@pytest.fixture
def client(made, reader, sign_in):
    return sign_in(reader)


def post(client, reading, name="grade-submit", **body):
    return client.post(address(reading, name), world.submission_body(**body), content_type="application/json")


def reference_panes(client, reading):
    return [pane for pane in client.get(address(reading)).json()["panes"] if pane["role"] == "reference"]


def test_the_reference_is_nowhere_before_the_first_submission_and_there_after_it(made, client):
    reading = made.readings[0]
    before = client.get(address(reading)).json()

    assert [pane["role"] for pane in before["panes"]] == ["input", "output", "output"]
    assert "Answer 1" not in str(before)
    assert before["stage"] == {"code": WITHOUT, "number": 1, "of": 2, "first": None}
    assert client.get(address(reading, "pane-frames", 1)).status_code == 404
    assert client.get(address(reading, "pane-data", 1)).status_code == 404

    answer = post(client, reading, of=graded(3))

    assert (answer.status_code, answer.json()["stays"]) == (200, True)
    after = client.get(address(reading)).json()
    assert [pane["role"] for pane in after["panes"]] == ["input", "reference", "output", "output"]
    assert (after["status"], after["grade"], after["draft"]) == ("in_progress", None, None)
    assert after["stage"]["number"] == 2
    assert after["stage"]["first"]["outputs"]["A"]["scores"]["overall"] == 3
    assert client.get(address(reading, "pane-frames", 1)).status_code == 200
    same = {pane["label"]: pane["frames"] for pane in before["panes"]}
    assert same.items() <= {pane["label"]: pane["frames"] for pane in after["panes"]}.items()


def test_another_readers_submission_reveals_nothing(made, client, other_reader, sign_in):
    post(sign_in(other_reader), made.others[0], of=graded())

    assert reference_panes(client, made.readings[0]) == []
    assert client.get(address(made.readings[0], "pane-frames", 1)).status_code == 404


def test_both_stages_are_kept_and_only_the_final_one_enters_results(made, client):
    reading = made.readings[0]
    post(client, reading, of=graded(3))

    answer = post(client, reading, of=graded(5), stage=WITH)

    assert (answer.status_code, answer.json()["stays"]) == (200, False)
    rows = Grade.objects.filter(reading_output__reading=reading, reading_output__label="A").order_by("submitted_at")
    assert list(rows.values_list("stage", "version")) == [(WITHOUT, 1), (WITH, 1)]
    reading.refresh_from_db()
    assert (reading.status, reading.revealed_at is not None) == ("submitted", True)
    overall = {one.code: one for one in study_ratings(made.study)}["T1:overall"]
    first = {one.code: one for one in study_ratings(made.study, stage=WITHOUT)}["T1:overall"]
    assert set(overall.values[overall.graded == 1]) == {5.0}
    assert set(first.values[first.graded == 1]) == {3.0}


def test_seals_hold_the_stage_and_every_change_of_it_breaks_them(made, client):
    reading = made.readings[0]
    post(client, reading, of=graded(3))
    post(client, reading, of=graded(5), stage=WITH)

    stored = list(seals.stored(seals.LIVE, list(Grade.objects.values_list("pk", flat=True))))

    assert len(stored) == 4
    for one in stored:
        other = WITH if one.row["stage"] == WITHOUT else WITHOUT
        assert one.seal == one.row["payload_hash"]
        shown = {f"shown_{name}": one.row[f"shown_{name}"] for name in seals.SHOWN}
        changed = seals.facts_of(
            {**one.row, "stage": other}, seals.shown_of(shown), one.facts["scores"], one.facts["errors"]
        )
        assert digest(changed) != one.row["payload_hash"]


def test_a_stage_is_submitted_once_and_what_belongs_to_the_other_stage_is_refused(made, client):
    reading = made.readings[0]
    early = post(client, reading, of=graded(), stage=WITH)
    post(client, reading, of=graded(3))
    again = post(
        client, reading, of=graded(2, rationale="Much worse now.", errors=[{"code": "omitted", "nowhere": True}])
    )
    draft = client.post(address(reading, "draft-save"), world.draft_body(graded()), content_type="application/json")

    assert (early.status_code, again.status_code, draft.status_code) == (409, 409, 409)
    assert "not shown yet" in early.json()["error"]
    assert "without the reference is submitted and stays" in again.json()["error"]
    assert Grade.objects.filter(reading_output__reading=reading).count() == 2
    body = world.draft_body(graded(), stage=WITH)
    assert client.post(address(reading, "draft-save"), body, content_type="application/json").status_code == 200


def test_the_same_key_again_is_the_same_receipt_also_after_the_reveal(made, client):
    body = world.submission_body(graded(3))
    first = client.post(address(made.readings[0], "grade-submit"), body, content_type="application/json")
    second = client.post(address(made.readings[0], "grade-submit"), body, content_type="application/json")

    assert (second.status_code, second.json()) == (200, first.json())
    assert Grade.objects.count() == 2


def test_a_reference_that_was_not_shown_cannot_be_called_wrong(made, client):
    answer = post(client, made.readings[0], of=graded(reference_wrong=True))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["text"] == "cannot be said before the reference is shown"
    assert not Grade.objects.exists()


def test_an_amendment_changes_the_final_stage_and_never_the_first(made, client):
    reading = made.readings[0]
    post(client, reading, of=graded(3))
    post(client, reading, of=graded(4), stage=WITH)

    answer = post(client, reading, of=graded(5), stage=WITH, reason="I looked again.")

    assert answer.json()["version"] == 2
    rows = Grade.objects.filter(reading_output__label="A").order_by("submitted_at").values_list("stage", "version")
    assert list(rows) == [(WITHOUT, 1), (WITH, 1), (WITH, 2)]
    refused = post(client, reading, of=graded(5), stage=WITHOUT, reason="I looked again.")
    assert refused.status_code == 409


def test_an_unknown_stage_is_a_bad_request(made, client):
    assert post(client, made.readings[0], of=graded(), stage="third").status_code == 400


def test_a_study_of_one_stage_shows_the_reference_at_once(reader, sign_in):
    made = world.small_study(reader, formats=("image_editing",), mode="all")

    data = sign_in(reader).get(address(made.readings[0])).json()

    assert data["stage"] is None
    assert [pane["role"] for pane in data["panes"]] == ["input", "reference", "output", "output"]
    assert Reading.objects.get(pk=made.readings[0].pk).revealed_at is None
