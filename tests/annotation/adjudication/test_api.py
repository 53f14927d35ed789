"""Cases for programs: the same cases, acts and refusals as on pages."""

import pytest

from annotation.adjudication.models import Adjudication
from tests import factories
from tests.annotation.adjudication.world import build, grade
from tests.api.world import Program

pytestmark = pytest.mark.django_db
PLACE = "studies/round-1/adjudication/"


@pytest.fixture
def world():
    made = build()
    grade(made, (1, 5), safety="severe", rationale="Gone.")
    return made


@pytest.fixture
def program(world):
    return Program(world.adjudicator)


def test_a_program_reads_a_case_under_letters_and_decides_it(world, program):
    (case,) = [row for row in program.get(PLACE, subject="safety").data["results"]]
    whole = program.get(f"{PLACE}{case['key']}/").data
    verdict = {"verdict": "confirmed", "level": "severe", "cause": "reader_error", "rationale": "It is gone."}
    decided = program.post(f"{PLACE}{case['key']}/decisions/", verdict | {"seen": case["seen"]})

    assert (case["state"], case["severe"], case["verdict"]) == ("open", True, None)
    assert [one["letter"] for one in whole["grades"]] == ["A", "B"]
    assert sorted(score["value"] for one in whole["grades"] for score in one["scores"]) == [1.0, 5.0]
    assert "R01" not in str(whole) and str(world.case().output) not in str(whole)
    assert (decided.status, decided.data["state"], decided.data["verdict"]) == (200, "decided", "confirmed")
    assert program.get(f"{PLACE}counts/").data["confirmed"] == 1


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"seen": "older"}, 409, "came in while"),
        ({"verdict": None}, 400, "verdict"),
        ({"value": 3}, 422, "it has no value"),
        ({"level": "none"}, 400, "level"),
        ({"cause": "x"}, 400, "cause"),
        ({"flag": True}, 400, "flag"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused_in_words(world, program, change, status, words):
    case = world.case()
    body = {"verdict": "refuted", "cause": "other", "rationale": "Fine.", "seen": case.seen} | change

    answer = program.post(f"{PLACE}{case.key}/decisions/", body)

    assert (answer.status, words in str(answer.data)) == (status, True)
    assert not Adjudication.objects.exists()


def test_a_coordinator_asks_reopens_and_does_not_decide(world, coordinator):
    factories.enroll(world.study, coordinator, "coordinator")
    program = Program(coordinator)
    world.confirm(world.case())
    case = world.case()
    reading = world.graded.readers[0].readings.get(reading_outputs__output=case.output).position
    asked = {"reader": "R01", "reading": reading, "subject": "reference", "reason": "A mail came in."}

    counts = program.post(f"{PLACE}requests/", asked)
    again = program.post(f"{PLACE}requests/", asked)
    strange = program.post(f"{PLACE}requests/", asked | {"subject": "criterion", "criterion": "T1:x"})
    reopened = program.post(f"{PLACE}{case.key}/reopenings/", {"reason": "Mixed up.", "seen": case.seen})
    refused = program.post(
        f"{PLACE}{case.key}/decisions/", {"verdict": "refuted", "cause": "other", "rationale": "x", "seen": "x"}
    )

    assert (counts.status, counts.data["open"]) == (200, 2)
    assert (again.status, strange.status, refused.status) == (409, 422, 403)
    assert reopened.data["state"] == "reopened"
