"""The queue and one case on pages: what an adjudicator sees and enters, what a coordinator sees, who is shut out."""

import re

import pytest
from django.urls import reverse

from annotation.adjudication import queue
from annotation.adjudication.models import Adjudication
from annotation.studies.models import Reading, Study
from tests import factories
from tests.annotation.adjudication.world import build, grade

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    made = build()
    grade(made, (1, 5), safety="severe", rationale="The tumor was taken out.")
    return made


@pytest.fixture
def decider(world, sign_in):
    return sign_in(world.adjudicator)


def address(world, name="detail", case=None):
    key = [] if name in {"list", "request"} else [(case or world.case()).key]
    return reverse(f"annotation:adjudication-{name}", args=[world.study.slug, *key])


def entry(case, decision="refuted", **fields):
    return {"decision": decision, "cause": "reader_error", "rationale": "It is there.", "seen": case.seen} | fields


def test_the_queue_counts_and_filters_cases(world, decider):
    page = decider.get(address(world, "list"))
    about_harm = decider.get(address(world, "list"), {"subject": "safety"})
    decided = decider.get(address(world, "list"), {"state": "decided"})

    assert [row["case"].subject for row in page.context["rows"]] == ["safety", "criterion"]
    assert page.context["counts"]["pending"] == 1
    assert [row["case"].subject for row in about_harm.context["rows"]] == ["safety"]
    assert decided.context["rows"] == []


def test_a_case_shows_grades_under_letters_and_neither_system_nor_reader(world, decider):
    text = decider.get(address(world)).content.decode()

    assert "The tumor was taken out." in text
    assert "Reader A" in text and "Reader B" in text
    secrets = {"aurora", "Aurora", "borealis", "IT-000001", str(world.case().output)}
    secrets |= {word for one in world.graded.readers for word in (one.reader_code, one.user.username, one.user.name)}
    assert [word for word in secrets if re.search(rf"\b{re.escape(word)}\b", text)] == []


def test_a_decision_goes_to_the_next_case_and_then_back_to_the_queue(world, decider):
    first, second = queue.cases_of(world.study)

    to_second = decider.post(address(world, case=first), entry(first, "severe"))
    to_queue = decider.post(address(world, case=second), entry(second, "2"))

    assert to_second["Location"] == address(world, case=second)
    assert to_queue["Location"] == address(world, "list")
    said = [(act.subject, act.verdict, act.level, act.value) for act in Adjudication.objects.order_by("created_at")]
    assert said == [("safety", "confirmed", "severe", None), ("criterion", "", "", 2.0)]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "fatal"}, 422),
        ({"cause": ""}, 422),
        ({"rationale": " "}, 422),
        ({"rationale": "a\x00b"}, 422),
        ({"seen": "older"}, 409),
        ({"seen": "x" * 99}, 422),
    ],
)
def test_a_decision_that_does_not_fit_is_told_in_words(world, decider, fields, status):
    answer = decider.post(address(world), entry(world.case(), **fields))

    assert answer.status_code == status
    assert not Adjudication.objects.exists()


def test_a_decided_case_is_reopened_with_a_reason(world, decider):
    world.confirm(world.case())

    refused = decider.post(address(world, "reopen"), {"reason": "", "seen": world.case().seen})
    decider.post(address(world, "reopen"), {"reason": "I mixed them up.", "seen": world.case().seen})

    assert refused.status_code == 422
    assert world.case().state == "reopened"
    assert "I mixed them up." in decider.get(address(world)).content.decode()


def test_a_coordinator_follows_the_cases_and_decides_none(world, sign_in, coordinator):
    factories.enroll(world.study, coordinator, "coordinator")
    client = sign_in(coordinator)

    assert client.get(address(world, "list")).status_code == 200
    assert "To be decided" in client.get(address(world)).content.decode()
    assert client.post(address(world), entry(world.case())).status_code == 403


def test_a_coordinator_asks_for_a_case_as_a_reader_met_it(sign_in, coordinator):
    world = build()
    grade(world)
    factories.enroll(world.study, coordinator, "coordinator")
    client = sign_in(coordinator)
    place = Reading.objects.get(
        enrollment=world.graded.readers[0], reading_outputs__output=world.graded.outputs(0)[0]
    )
    asked = {"reader": "R01", "reading": place.position, "label": "A", "about": "safety", "reason": "A mail came in."}

    nobody = client.post(address(world, "request"), asked | {"reading": 999})
    made = client.post(address(world, "request"), asked)

    assert nobody.status_code == 422
    assert "R01 met no output A in reading 999" in nobody.content.decode()
    assert made.status_code == 302
    assert world.case().trigger == "manual"


def test_whoever_still_reads_on_the_dataset_meets_no_case(world, sign_in, coordinator):
    factories.enroll(world.study, coordinator, "coordinator")
    own = factories.enroll(world.study, coordinator)
    factories.reading(own, world.study.study_items.get(), [world.graded.outputs(1)[0]])
    client = sign_in(coordinator)

    assert [client.get(address(world, name)).status_code for name in ("list", "detail")] == [404, 404]


def test_an_adjudicator_who_graded_an_output_is_refused_its_case(world, sign_in):
    reader = world.graded.readers[0].user
    factories.enroll(world.study, reader, "adjudicator")
    client = sign_in(reader)

    assert client.get(address(world, "list")).context["rows"] == []
    assert client.get(address(world)).status_code == 403
    assert client.post(address(world), entry(world.case())).status_code == 403


@pytest.mark.parametrize("state", ["running", "locked"])
def test_an_adjudicator_meets_no_system_and_no_numbers_until_names_are_open(world, decider, state):
    Study.objects.update(state=state)
    submission = world.graded.submissions[0]
    shut = [
        reverse("annotation:submission-detail", args=[submission.pk]),
        reverse("scoring:leaderboard", args=[world.study.slug]),
        reverse("scoring:export-list", args=[world.study.slug]),
    ]

    assert [decider.get(place).status_code for place in shut] == [404, 404, 404]
    assert decider.get(world.study.get_absolute_url())["Location"] == address(world, "list")


def test_a_case_that_waits_for_readers_is_not_there_yet(world, decider):
    Reading.objects.filter(reading_outputs__output=world.case().output).update(status="in_progress")

    assert decider.get(address(world)).status_code == 404
    assert decider.get(address(world, "list")).context["counts"]["waiting"] == 2


def test_the_queries_of_the_queue_do_not_grow_with_the_cases(decider, world, django_assert_max_num_queries):
    for enrollment in world.graded.readers:
        reading = enrollment.readings.get(reading_outputs__output=world.graded.outputs(1)[0])
        factories.grade(reading.reading_outputs.get(), safety="moderate", reference_wrong=True)

    with django_assert_max_num_queries(30):
        assert len(decider.get(address(world, "list")).context["rows"]) == 4
