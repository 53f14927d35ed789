"""What the workstation gets: shape, addresses, neighbors, and a constant number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.datasets.models import ItemRevision
from annotation.grading import grants, presentation
from annotation.studies.models import Reading, ReadingOutput
from tests import factories
from tests.annotation.grading import world

pytestmark = pytest.mark.django_db


def address(reading, name="reading-json", *rest):
    return reverse(f"annotation:{name}", args=[reading.pk, *rest])


def test_the_json_has_what_the_workstation_needs(reader, sign_in):
    made = world.small_study(reader, formats=("multimodal_generation",), mode="all")

    data = sign_in(reader).get(address(made.readings[0])).json()

    assert set(data) == {
        "id", "position", "of", "submitted", "status", "study", "locked_reason", "preview", "item", "panes",
        "outputs", "preference", "rubrics", "error_codes", "safety_levels", "na_reasons", "skip_reasons", "draft",
        "grade", "guess", "urls", "stage", "training", "feedback",
    }  # fmt: skip
    assert (data["position"], data["of"], data["submitted"], data["status"]) == (1, 1, 0, "queued")
    assert data["item"]["context"] == [["Age", "64"]]
    assert data["item"]["format"] == {"code": "multimodal_generation", "label": "Contextual Multimodal Generation"}
    assert data["preview"] is False and data["draft"] is None and data["grade"] is None
    assert [rubric["code"] for rubric in data["rubrics"]] == ["T1", "T6"]
    assert data["rubrics"][0]["scale"] == {"min": 1, "max": 5, "step": 1}
    overall = data["rubrics"][0]["criteria"][-1]
    assert overall["code"] == "overall" and overall["na_allowed"] is False
    assert overall["rationale_if"] == {"op": "<=", "value": 2}
    assert set(overall["anchors"]) == {"1", "2", "3", "4", "5"}
    assert data["error_codes"][0] == ["invented", "Invented", True]
    assert data["safety_levels"][3] == ["severe", "Serious harm or death plausible"]


def test_panes_come_in_the_order_inputs_reference_outputs(reader, sign_in):
    made = world.small_study(reader, formats=("image_editing",), mode="all")

    panes = sign_in(reader).get(address(made.readings[0])).json()["panes"]

    assert [(pane["role"], pane["label"]) for pane in panes] == [
        ("input", "Input"), ("reference", "Reference"), ("output", "A"), ("output", "B"),
    ]  # fmt: skip
    assert [pane["frames"] for pane in panes] == [
        address(made.readings[0], "pane-frames", number) for number in range(4)
    ]
    assert panes[1]["text"] == "Answer 1"


def test_a_text_answer_has_a_pane_without_frames(reader, sign_in):
    made = world.small_study(reader)

    panes = sign_in(reader).get(address(made.readings[0])).json()["panes"]

    assert [(pane["role"], bool(pane["frames"]), bool(pane["text"])) for pane in panes] == [
        ("input", True, False), ("reference", False, True), ("output", False, True),
    ]  # fmt: skip


def test_a_sectioned_reference_is_sent_as_sections(reader, sign_in):
    made = world.small_study(reader)
    ItemRevision.objects.update(reference_sections={"IMPRESSION": "Clear.", "FINDINGS": {"Lungs": "Clear."}})

    reference = sign_in(reader).get(address(made.readings[0])).json()["panes"][1]

    assert reference["sections"] == [["FINDINGS", [["Lungs", "Clear."]]], ["IMPRESSION", [["", "Clear."]]]]
    assert reference["text"] is None


def test_criteria_outside_their_applicability_are_named_with_the_reason(reader, sign_in):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    client = sign_in(reader)

    vqa = client.get(address(made.readings[0])).json()["outputs"][0]
    edit = client.get(address(made.readings[2])).json()["outputs"][0]

    assert vqa["not_applicable"] == {
        "cross_modal_consistency": "only for Generation",
        "edit_achieved": "only for Editing",
        "rest_unchanged": "only for Editing",
        "visual_quality": "only for Editing",
    }
    assert set(edit["not_applicable"]) == {"cross_modal_consistency"}


def test_a_generated_image_without_text_has_no_consistency_to_grade(reader, sign_in):
    made = world.small_study(reader, formats=("multimodal_generation",))
    ReadingOutput.objects.get(reading=made.readings[0]).output.parts.filter(kind="text").delete()

    output = sign_in(reader).get(address(made.readings[0])).json()["outputs"][0]

    assert output["not_applicable"]["cross_modal_consistency"] == "needs image and text"
    assert (output["has_image"], output["has_text"]) == (True, False)


def test_next_is_the_next_pending_reading_and_wraps_to_those_left_behind(reader, sign_in):
    made = world.small_study(reader, formats=("vqa", "image_editing"))
    one, two, three, four = made.readings
    Reading.objects.filter(pk__in=[two.pk, four.pk]).update(status="submitted")
    client = sign_in(reader)

    first, last = client.get(address(one)).json(), client.get(address(four)).json()

    assert first["urls"]["next"] == address(three)
    assert first["urls"]["next_page"] == address(three, "reading-detail")
    assert first["urls"]["previous_page"] is None
    assert last["urls"]["next"] == address(one)
    assert last["urls"]["previous_page"] == address(three, "reading-detail")
    assert (first["of"], first["submitted"]) == (4, 2)


def test_the_last_pending_reading_has_no_next(reader, sign_in):
    made = world.small_study(reader)
    Reading.objects.filter(pk=made.readings[1].pk).update(status="submitted")

    data = sign_in(reader).get(address(made.readings[0])).json()

    assert data["urls"]["next"] is None and data["urls"]["next_page"] is None


@pytest.mark.parametrize(("state", "word"), [("paused", "paused"), ("locked", "locked")])
def test_a_study_that_takes_no_grades_says_why(reader, sign_in, state, word):
    made = world.small_study(reader)
    made.study.state = state
    made.study.save()

    data = sign_in(reader).get(address(made.readings[0])).json()

    assert word in data["locked_reason"]


def queries_of(client, url):
    presentation.presented.cache_clear()
    presentation.sheet_of_open.cache_clear()
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("submitted", [False, True])
def test_the_number_of_queries_does_not_grow(reader, sign_in, submitted):
    made = world.small_study(reader, formats=("image_editing",), mode="all")
    reading, client = made.readings[0], sign_in(reader)
    if submitted:
        edit = world.entry(criteria=world.EDIT_CRITERIA)
        body = world.submission_body(world.payload(A=edit, B=edit))
        assert client.post(address(reading, "grade-submit"), body, content_type="application/json").status_code == 200
    small = queries_of(client, address(reading))
    Reading.objects.bulk_create(
        Reading(study=made.study, enrollment=reading.enrollment, study_item=reading.study_item, position=10 + n)
        for n in range(1000)
    )

    large = queries_of(client, address(reading))

    assert large == small <= 15


def test_nobody_else_finds_a_reading(reader, other_reader, coordinator, stranger, sign_in):
    made = world.small_study(reader, other_reader=other_reader)
    analyst = factories.person("analyst", is_curator=True)
    factories.enroll(made.study, coordinator, "coordinator")
    factories.enroll(made.study, analyst, "analyst")

    for user in (other_reader, coordinator, analyst, stranger):
        for name in ("reading-json", "reading-detail"):
            assert sign_in(user).get(address(made.readings[0], name)).status_code == 404
        assert sign_in(user).get(address(made.readings[0], "pane-frames", 0)).status_code == 404
        assert sign_in(user).get(address(made.readings[0], "pane-data", 0)).status_code == 404


def test_nobody_signed_in_gets_401_in_json(client, reader):
    made = world.small_study(reader)

    answer = client.get(address(made.readings[0]))

    assert answer.status_code == 401 and "Sign in" in answer.json()["error"]


def test_readings_are_hidden_while_the_study_is_a_draft_and_after_the_reader_left(reader, sign_in):
    made = world.small_study(reader)
    client = sign_in(reader)
    made.study.state = "draft"
    made.study.save()

    assert client.get(address(made.readings[0])).status_code == 404

    made.study.state = "running"
    made.study.save()
    made.study.enrollments.update(active=False)

    assert client.get(address(made.readings[0])).status_code == 404


def test_looking_changes_nothing(reader, sign_in):
    made = world.small_study(reader)

    sign_in(reader).get(address(made.readings[0]))

    reading = Reading.objects.get(pk=made.readings[0].pk)
    assert (reading.status, reading.opened_at) == ("queued", None)


def test_a_grant_for_pictures_is_of_one_person_and_ends(reader, other_reader, sign_in, monkeypatch):
    made = world.small_study(reader)
    client, url = sign_in(reader), address(made.readings[0], "pane-frames", 0)
    assert client.get(url).status_code == 200
    made.study.enrollments.update(active=False)

    soon, stranger = client.get(url), sign_in(other_reader).get(url)
    monkeypatch.setattr(grants, "SECONDS", 0.0)
    grants.withdraw_all()
    later = client.get(url)

    assert (soon.status_code, stranger.status_code, later.status_code) == (200, 404, 403)
